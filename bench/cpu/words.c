/* Splitting text into words and counting them in a hash table. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
enum { SLOTS = 4096 };
static struct { char word[16]; int count; } table[SLOTS];
int main(int argc, char **argv) {
    int rounds = argc > 1 ? atoi(argv[1]) : 150;
    static char text[1 << 18];
    uint32_t seed = 7;
    for (unsigned i = 0; i < sizeof text - 1; i++) {
        seed = seed * 1103515245 + 12345;
        text[i] = (seed >> 16) % 5 == 0 ? ' ' : 'a' + (seed >> 20) % 6;
    }
    int words = 0;
    for (int r = 0; r < rounds; r++) {
        const char *p = text;
        for (;;) {
            while (*p == ' ') p++;
            if (*p == 0) break;
            const char *start = p;
            uint32_t h = 2166136261u;
            while (*p != ' ' && *p != 0) h = (h ^ (unsigned char)*p++) * 16777619;
            size_t n = p - start < 15 ? p - start : 15;
            unsigned s = h % SLOTS;
            for (int tries = 0; tries < 8; tries++, s = (s + 1) % SLOTS) {
                if (table[s].count == 0) { memcpy(table[s].word, start, n); table[s].word[n] = 0; }
                if (strlen(table[s].word) == n && memcmp(table[s].word, start, n) == 0) { table[s].count++; break; }
            }
            words++;
        }
    }
    unsigned sum = words;
    for (int i = 0; i < SLOTS; i++) sum = sum * 31 + table[i].count;
    printf("%u\n", sum);
}
