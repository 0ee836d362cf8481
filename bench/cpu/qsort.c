/* Sorting through a comparison function. */
#include <stdio.h>
#include <stdint.h>
#include <stdlib.h>
static int ascending(const void *a, const void *b) {
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}
int main(int argc, char **argv) {
    int rounds = argc > 1 ? atoi(argv[1]) : 12;
    enum { N = 300000 };
    static uint32_t v[N];
    uint32_t seed = 1, sum = 0;
    for (int r = 0; r < rounds; r++) {
        for (int i = 0; i < N; i++)
            v[i] = seed = seed * 1664525 + 1013904223;
        qsort(v, N, sizeof *v, ascending);
        sum = sum * 31 + v[N / 3];
    }
    printf("%u\n", sum);
}
