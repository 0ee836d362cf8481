/*
 * Many live processes at once: forks argv[1] children that each sleep in a read from one pipe, says how many live once all
 * have reported, then closes the pipe, so that all end, and says how many were reaped. Waits for a byte of standard input
 * before each of the two steps.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

int main(int argc, char **argv) {
    int count = argc > 1 ? atoi(argv[1]) : 1000;
    int hold[2], report[2];
    char byte;
    if (pipe(hold) != 0 || pipe(report) != 0)
        return 1;
    setvbuf(stdout, NULL, _IONBF, 0);
    printf("start\n");
    if (read(0, &byte, 1) != 1)
        return 2;
    for (int i = 0; i < count; i++) {
        pid_t pid = fork();
        if (pid < 0) {
            perror("fork");
            return 3;
        }
        if (pid == 0) {
            close(hold[1]);
            byte = 'x';
            if (write(report[1], &byte, 1) != 1)
                _exit(1);
            _exit(read(hold[0], &byte, 1) == 0 ? 0 : 2);
        }
    }
    int alive = 0;
    while (alive < count && read(report[0], &byte, 1) == 1)
        alive++;
    printf("%d\n", alive);
    if (read(0, &byte, 1) != 1)
        return 4;
    close(hold[1]);
    int ended = 0, status;
    while (wait(&status) > 0)
        if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
            ended++;
    printf("%d\n", ended);
    return 0;
}
