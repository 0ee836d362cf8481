/* Loops that the compiler vectorises: 16-bit, 32-bit and byte lanes. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
enum { N = 8192 };
static int32_t p[N], q[N];
static int16_t s[N], t[N];
static uint8_t u[N], v[N];
__attribute__((noinline, optimize("O3"))) static void step(int k) {
    for (int i = 0; i < N; i++) p[i] = (p[i] + q[i]) ^ (q[i] << 3);
    for (int i = 0; i < N; i++) s[i] = s[i] * t[i] + k;
    for (int i = 0; i < N; i++) u[i] = (u[i] & v[i]) + (uint8_t)k;
    for (int i = 0; i < N; i++) q[i] += p[i] > q[i] ? k : -k;
}
int main(int argc, char **argv) {
    int rounds = (argc > 1 ? atoi(argv[1]) : 60) * 1000;
    for (int i = 0; i < N; i++) { p[i] = i * 77; q[i] = i * 13; s[i] = i; t[i] = i * 3; u[i] = i; v[i] = i * 5; }
    for (int r = 0; r < rounds; r++) step(r);
    uint32_t sum = 0;
    for (int i = 0; i < N; i++) sum = sum * 31 + p[i] + s[i] + u[i] + q[i];
    printf("%u\n", sum);
}
