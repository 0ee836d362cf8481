/* Following pointers through 256 KiB. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
int main(int argc, char **argv) {
    long steps = (argc > 1 ? atol(argv[1]) : 200) * 1000000L;
    enum { N = 32768 };
    static void *ring[N];
    static unsigned order[N];
    uint32_t seed = 5;
    for (unsigned i = 0; i < N; i++) order[i] = i;
    for (unsigned i = N - 1; i > 0; i--) {
        seed = seed * 1664525 + 1013904223;
        unsigned j = (seed >> 8) % (i + 1), t = order[i];
        order[i] = order[j]; order[j] = t;
    }
    for (unsigned i = 0; i < N; i++) ring[order[i]] = &ring[order[(i + 1) % N]];
    void **p = ring[0];
    for (long s = 0; s < steps; s++) p = *p;
    printf("%ld\n", (long)((void **)p - ring));
}
