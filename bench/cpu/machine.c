/* An interpreter with a big switch. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
enum { PUSH, ADD, SUB, MUL, AND, XOR, DUP, SWAP, DROP, LOAD, STORE, JNZ, DEC, SHR, HALT };
int main(int argc, char **argv) {
    int rounds = argc > 1 ? atoi(argv[1]) : 60;
    static const int code[] = {
        PUSH, 1, STORE, 0, PUSH, 100000, STORE, 1,
        LOAD, 0, PUSH, 31, MUL, LOAD, 1, ADD, DUP, PUSH, 3, SHR, XOR, DUP, PUSH, 255, AND, SWAP, SUB, STORE, 0,
        LOAD, 1, DEC, DUP, STORE, 1, JNZ, 8, LOAD, 0, HALT};
    uint32_t sum = 0;
    for (int r = 0; r < rounds; r++) {
        uint32_t stack[32], memory[4] = {0}, t;
        int sp = 0;
        for (const int *pc = code;;) {
            switch (*pc++) {
            case PUSH: stack[sp++] = *pc++; continue;
            case ADD: sp--; stack[sp - 1] += stack[sp]; continue;
            case SUB: sp--; stack[sp - 1] -= stack[sp]; continue;
            case MUL: sp--; stack[sp - 1] *= stack[sp]; continue;
            case AND: sp--; stack[sp - 1] &= stack[sp]; continue;
            case XOR: sp--; stack[sp - 1] ^= stack[sp]; continue;
            case DUP: stack[sp] = stack[sp - 1]; sp++; continue;
            case SWAP: t = stack[sp - 1]; stack[sp - 1] = stack[sp - 2]; stack[sp - 2] = t; continue;
            case DROP: sp--; continue;
            case LOAD: stack[sp++] = memory[*pc++]; continue;
            case STORE: memory[*pc++] = stack[--sp]; continue;
            case JNZ: t = *pc++; if (stack[--sp]) pc = code + t; continue;
            case DEC: stack[sp - 1]--; continue;
            case SHR: sp--; stack[sp - 1] >>= stack[sp] & 31; continue;
            case HALT: goto done;
            }
        }
    done:
        sum = sum * 31 + stack[sp - 1];
    }
    printf("%u\n", sum);
}
