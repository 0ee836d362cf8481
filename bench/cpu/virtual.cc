// Virtual calls on objects of four classes.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
struct Shape { virtual uint32_t step(uint32_t x) const = 0; };
struct A : Shape { uint32_t step(uint32_t x) const override { return x * 3 + 1; } };
struct B : Shape { uint32_t step(uint32_t x) const override { return x ^ x >> 7; } };
struct C : Shape { uint32_t step(uint32_t x) const override { return x + 0x9e3779b9; } };
struct D : Shape { uint32_t step(uint32_t x) const override { return x << 5 | x >> 27; } };
int main(int argc, char **argv) {
    int rounds = argc > 1 ? atoi(argv[1]) : 100;
    static A a; static B b; static C c; static D d;
    const Shape *kinds[] = {&a, &b, &c, &d}, *shapes[1024];
    uint32_t x = 1;
    for (auto &s : shapes) { x = x * 1664525 + 1013904223; s = kinds[x >> 30]; }
    for (int r = 0; r < rounds; r++)
        for (int i = 0; i < 1000; i++)
            for (int k = 0; k < 1024; k += 2) { x = shapes[k]->step(x); x = shapes[k + 1]->step(x); }
    printf("%u\n", x);
}
