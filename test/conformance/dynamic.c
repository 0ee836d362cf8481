/* A dynamically linked program: what the loader was told and did. Prints nothing that differs from run to run. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <elf.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <unistd.h>

#define HOLDS(condition) printf("%s: %s\n", #condition, (condition) ? "yes" : "no")

extern char **environ;
extern char __ehdr_start[];
static __thread int own = 42;
static int data[2000] = {1, 2, 3};
static char zeros[100000];
static int built;

__attribute__((constructor)) static void before(void) { built = 7; }
__attribute__((destructor)) static void after(void) {
    printf("destructor\n");
    fflush(stdout);
}

static int numbers(const void *a, const void *b) { return *(const int *)a - *(const int *)b; }

int main(int argc, char **argv) {
    printf("%d arguments, %s\n", argc, argv[1]);
    HOLDS(getauxval(AT_PHDR) == (unsigned long)__ehdr_start + sizeof(Elf64_Ehdr));
    HOLDS(getauxval(AT_BASE) != 0);
    HOLDS((getauxval(AT_BASE) & 4095) == 0);
    unsigned long loader = getauxval(AT_BASE);
    HOLDS(loader == 0 || memcmp((void *)loader, "\177ELF", 4) == 0);
    HOLDS(getauxval(AT_ENTRY) > (unsigned long)__ehdr_start);
    HOLDS(getauxval(AT_RANDOM) != 0);
    HOLDS(strcmp((char *)getauxval(AT_EXECFN), argv[0]) == 0);
    HOLDS(getauxval(AT_MINSIGSTKSZ) >= 1000);
    HOLDS(built == 7 && own == 42 && data[2] == 3);
    unsigned long sum = 0;
    for (unsigned i = 0; i < sizeof zeros; i++)
        sum += zeros[i];
    HOLDS(sum == 0);

    /* The heap follows the program, unless the loader was run by hand; it grows and shrinks. */
    char *start = sbrk(0);
    HOLDS(loader == 0 || start > (char *)&zeros[sizeof zeros]);
    HOLDS(start < (char *)__builtin_frame_address(0));
    HOLDS(sbrk(40 << 20) == start);
    memset(start, 1, 40 << 20);
    HOLDS(start[(40 << 20) - 1] == 1);
    HOLDS(sbrk(-(40 << 20)) == start + (40 << 20));
    void *blocks[1000];
    for (int i = 0; i < 1000; i++)
        memset(blocks[i] = malloc(i * 300 + 1), i, i * 300 + 1);
    for (int i = 0; i < 1000; i++)
        free(blocks[i]);

    /* Functions that the loader picks by processor, the mathematical library, relocations of every kind. */
    char text[300];
    memset(text, 'a', 299);
    text[299] = 0;
    HOLDS(strlen(text) == 299 && memchr(text, 0, 300) == text + 299 && strchr(text, 'b') == NULL);
    memmove(text + 3, text, 200);
    HOLDS(strspn(text, "a") == 299);
    printf("%.12g %.12g %.12g\n", sin(1.0), exp(2.5), pow(1.5, 10));
    int values[] = {5, 3, 9, 1};
    qsort(values, 4, sizeof(int), numbers);
    printf("%d %d %d %d\n", values[0], values[1], values[2], values[3]);
    HOLDS(setenv("A", "B", 1) == 0 && strcmp(getenv("A"), "B") == 0);

    void *self = dlopen(NULL, RTLD_NOW);
    HOLDS(self != NULL && dlsym(self, "malloc") != NULL && dlsym(self, "no_such_name") == NULL);
    HOLDS(dlopen("/nowhere/lib.so", RTLD_NOW) == NULL);

    /* Once more, by the loader's own name. */
    if (argc == 2) {
        fflush(stdout);
        execl(argv[0], argv[0], "again", "more", NULL);
        perror("execl");
    }
    return 3;
}
