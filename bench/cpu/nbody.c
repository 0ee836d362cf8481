/* Planets in double precision. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
struct body { double x, y, z, vx, vy, vz, m; };
static struct body bodies[5] = {
    {0, 0, 0, 0, 0, 0, 39.47}, {4.84, -1.16, -.10, .6, 2.8, -.02, .037}, {8.34, 4.12, -.4, -1.01, 1.82, .008, .011},
    {12.89, -15.11, -.22, 1.08, .868, -.01, .0017}, {15.37, -25.9, .179, .979, .594, -.034, .002}};
int main(int argc, char **argv) {
    int steps = (argc > 1 ? atoi(argv[1]) : 3000) * 1000;
    for (int s = 0; s < steps; s++) {
        for (int i = 0; i < 5; i++)
            for (int j = i + 1; j < 5; j++) {
                struct body *a = &bodies[i], *b = &bodies[j];
                double dx = a->x - b->x, dy = a->y - b->y, dz = a->z - b->z;
                double d2 = dx * dx + dy * dy + dz * dz, mag = 0.001 / (d2 * sqrt(d2));
                a->vx -= dx * b->m * mag; a->vy -= dy * b->m * mag; a->vz -= dz * b->m * mag;
                b->vx += dx * a->m * mag; b->vy += dy * a->m * mag; b->vz += dz * a->m * mag;
            }
        for (int i = 0; i < 5; i++) {
            bodies[i].x += .001 * bodies[i].vx; bodies[i].y += .001 * bodies[i].vy; bodies[i].z += .001 * bodies[i].vz;
        }
    }
    printf("%.9f %.9f\n", bodies[0].x, bodies[1].vy);
}
