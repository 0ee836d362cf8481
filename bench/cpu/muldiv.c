/* 64-bit multiplication, division and remainder. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
static uint64_t power(uint64_t b, uint64_t e, uint64_t m) {
    uint64_t r = 1;
    for (; e; e >>= 1) {
        if (e & 1) r = r * b % m;
        b = b * b % m;
    }
    return r;
}
int main(int argc, char **argv) {
    int rounds = (argc > 1 ? atoi(argv[1]) : 10000) * 1000;
    uint64_t sum = 0, x = 88172645463325252u;
    for (int i = 0; i < rounds; i++) {
        x ^= x << 13; x ^= x >> 7; x ^= x << 17;
        sum += power(x & 0xffffffff, 65537 + (i & 1023), 4294967291u);
        sum ^= (uint64_t)((unsigned __int128)x * sum >> 64);
    }
    printf("%llu\n", (unsigned long long)sum);
}
