/* A separable filter in single precision. */
#include <stdio.h>
#include <stdlib.h>
enum { W = 512, H = 512 };
static float a[H][W], b[H][W];
int main(int argc, char **argv) {
    int rounds = argc > 1 ? atoi(argv[1]) : 300;
    for (int y = 0; y < H; y++) for (int x = 0; x < W; x++) a[y][x] = (x * 31 + y * 17) % 256;
    for (int r = 0; r < rounds; r++) {
        float last = 0;
        for (int y = 1; y < H - 1; y++)
            for (int x = 1; x < W - 1; x++) {
                last = last * 0.25f + a[y][x] * 0.5f + a[y - 1][x] * 0.125f + a[y + 1][x] * 0.125f;
                b[y][x] = last;
            }
        for (int y = 1; y < H - 1; y++) for (int x = 1; x < W - 1; x++) a[y][x] = b[y][x];
    }
    printf("%.4f\n", a[100][100]);
}
