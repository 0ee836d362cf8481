/* Folder in folder without end, and a walk back up by names that grow. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
int main(void) {
    chdir("/tmp");
    write(1, "started\n", 8);
    char name[256];
    memset(name, 'd', 255);
    name[255] = 0;
    for (long depth = 0;; depth++) {
        if (mkdir(name, 0755) != 0 || chdir(name) != 0)
            pause();
        symlink(name, "loop");
        if (depth % 100 == 0) {
            static char where[1 << 20];
            getcwd(where, sizeof where);
        }
    }
}
