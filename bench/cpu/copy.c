/* memcpy, memmove, memset and strlen of various sizes. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
int main(int argc, char **argv) {
    int rounds = (argc > 1 ? atoi(argv[1]) : 6000) * 1000;
    static char a[1 << 16], b[1 << 16];
    unsigned sum = 0, seed = 1;
    memset(a, 'x', sizeof a - 1);
    for (int r = 0; r < rounds; r++) {
        seed = seed * 1664525 + 1013904223;
        unsigned n = seed >> 20, from = (seed >> 8) & 0xfff;
        memcpy(b + 8, a + from, n);
        if ((r & 7) == 0) memset(b, r, n);
        if ((r & 3) == 0) memmove(b + 16, b, n);
        b[n + 8] = 0;
        sum += strlen(a + 61000 + from) + b[n / 2];
    }
    printf("%u\n", sum);
}
