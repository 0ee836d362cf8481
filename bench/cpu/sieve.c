/* Sieve of Eratosthenes over bytes, repeated: integer loops with byte stores. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
int main(int argc, char **argv) {
    int rounds = argc > 1 ? atoi(argv[1]) : 60;
    enum { N = 1 << 20 };
    static unsigned char composite[N];
    unsigned count = 0;
    for (int r = 0; r < rounds; r++) {
        memset(composite, 0, N);
        for (int i = 2; i * i < N; i++)
            if (!composite[i])
                for (int j = i * i; j < N; j += i)
                    composite[j] = 1;
        for (int i = 2; i < N; i++)
            count += !composite[i];
    }
    printf("%u\n", count);
}
