/*
 * Integer work for measuring an interpreter: hashing, sorting and string handling in the proportions of ordinary programs.
 * Prints a checksum; the caller divides the instructions it counted by the time it took.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint32_t crc_table[256];

static uint32_t crc(const uint8_t *data, size_t length) {
    uint32_t value = 0xffffffff;
    for (size_t i = 0; i < length; i++)
        value = crc_table[(value ^ data[i]) & 255] ^ (value >> 8);
    return ~value;
}

static int ascending(const void *a, const void *b) {
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

static int fibonacci(int n) { return n < 2 ? n : fibonacci(n - 1) + fibonacci(n - 2); }

int main(int argc, char **argv) {
    int rounds = argc > 1 ? atoi(argv[1]) : 10;
    enum { COUNT = 20000 };
    static uint32_t numbers[COUNT];
    static char text[1 << 16];
    for (uint32_t i = 0; i < 256; i++) {
        uint32_t value = i;
        for (int bit = 0; bit < 8; bit++)
            value = value & 1 ? 0xedb88320 ^ (value >> 1) : value >> 1;
        crc_table[i] = value;
    }
    uint32_t seed = 1, sum = 0;
    for (int round = 0; round < rounds; round++) {
        for (int i = 0; i < COUNT; i++)
            numbers[i] = seed = seed * 1664525 + 1013904223;
        qsort(numbers, COUNT, sizeof *numbers, ascending);
        sum ^= crc((const uint8_t *)numbers, sizeof numbers);
        int used = 0;
        for (int i = 0; i < 4000; i++)
            used += snprintf(text + used, sizeof text - used, "%u ", numbers[i] >> 18);
        int words = 0;
        for (char *word = strtok(text, " "); word != NULL; word = strtok(NULL, " "))
            words += strlen(word);
        sum = sum * 31 + words + fibonacci(18);
    }
    printf("%08x\n", sum);
    return 0;
}
