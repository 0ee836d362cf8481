/* Another user's process: it counts, holds memory and a file, and answers each line it reads with what it should know. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
int main(void) {
    enum { SIZE = 2 << 20 };
    unsigned char *held = malloc(SIZE);
    for (int i = 0; i < SIZE; i++)
        held[i] = i * 7 + (i >> 8);
    FILE *file = tmpfile();
    fputs("kept", file);
    fflush(file);
    char line[64];
    puts("ready");
    fflush(stdout);
    for (int count = 1; fgets(line, sizeof line, stdin); count++) {
        int wrong = 0;
        for (int i = 0; i < SIZE; i++)
            wrong += held[i] != (unsigned char)(i * 7 + (i >> 8));
        char kept[8] = "";
        rewind(file);
        fread(kept, 1, 4, file);
        printf("%d wrong %d %s %s", count, wrong, kept, line);
        fflush(stdout);
    }
    return 0;
}
