/* Escape times in double precision. */
#include <stdio.h>
#include <stdlib.h>
int main(int argc, char **argv) {
    int size = argc > 1 ? atoi(argv[1]) : 1200;
    unsigned sum = 0;
    for (int y = 0; y < size; y++)
        for (int x = 0; x < size; x++) {
            double cr = 2.0 * x / size - 1.5, ci = 2.0 * y / size - 1.0, r = 0, i = 0, r2 = 0, i2 = 0;
            int n = 0;
            for (; n < 100 && r2 + i2 < 4.0; n++) {
                i = 2 * r * i + ci;
                r = r2 - i2 + cr;
                r2 = r * r;
                i2 = i * i;
            }
            sum = sum * 7 + n;
        }
    printf("%u\n", sum);
}
