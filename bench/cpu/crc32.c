/* CRC-32 by table, a byte at a time. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
int main(int argc, char **argv) {
    int rounds = argc > 1 ? atoi(argv[1]) : 400;
    static uint32_t table[256];
    static uint8_t data[1 << 20];
    for (uint32_t i = 0; i < 256; i++) {
        uint32_t v = i;
        for (int k = 0; k < 8; k++)
            v = v & 1 ? 0xedb88320 ^ v >> 1 : v >> 1;
        table[i] = v;
    }
    for (unsigned i = 0; i < sizeof data; i++)
        data[i] = i * 13 >> 3;
    uint32_t crc = ~0u;
    for (int r = 0; r < rounds; r++)
        for (unsigned i = 0; i < sizeof data; i++)
            crc = table[(crc ^ data[i]) & 255] ^ crc >> 8;
    printf("%08x\n", ~crc);
}
