/*
 * Times system calls: prints one line a measurement, `name median best` in nanoseconds, of several rounds: on a busy machine
 * the best round says what a call costs, the median what it took. argv[1] scales the rounds' length (1 is about 20 ms natively); argv[2] is a small static
 * program for fork+exec+wait; with argv[3] only processes are measured.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { ROUNDS = 7 };

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1e9 + t.tv_nsec;
}

static int compare(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static int descriptor, to_child[2], from_child[2];
static char *program;

static void getppid_once(void) { syscall(SYS_getppid); }

static void read_once(void) {
    char byte;
    if (read(descriptor, &byte, 1) != 1)
        _exit(3);
}

static void pingpong_once(void) {
    char byte = 'x';
    if (write(to_child[1], &byte, 1) != 1 || read(from_child[0], &byte, 1) != 1)
        _exit(4);
}

static void open_once(void) {
    int fd = open("/tmp/bench-file", O_RDONLY);
    if (fd < 0)
        _exit(5);
    close(fd);
}

static void stat_once(void) {
    struct stat st;
    if (stat("/tmp/bench-file", &st) != 0)
        _exit(6);
}

static void fork_once(void) {
    pid_t pid = fork();
    if (pid == 0)
        _exit(0);
    if (pid < 0 || waitpid(pid, NULL, 0) != pid)
        _exit(7);
}

static void exec_once(void) {
    pid_t pid = fork();
    if (pid == 0) {
        char *argv[] = {program, NULL};
        char *envp[] = {NULL};
        execve(program, argv, envp);
        _exit(8);
    }
    int status;
    if (pid < 0 || waitpid(pid, &status, 0) != pid || status != 0)
        _exit(9);
}

static void measure(const char *name, void (*once)(void), long count) {
    double samples[ROUNDS];
    if (count < 1)
        count = 1;
    for (long i = 0; i < count / 10 + 1; i++)
        once();
    for (int round = 0; round < ROUNDS; round++) {
        double start = now();
        for (long i = 0; i < count; i++)
            once();
        samples[round] = (now() - start) / count;
    }
    qsort(samples, ROUNDS, sizeof *samples, compare);
    printf("%s %.1f %.1f\n", name, samples[ROUNDS / 2], samples[0]);
    fflush(stdout);
}

int main(int argc, char **argv) {
    double scale = argc > 1 ? atof(argv[1]) : 1;
    program = argc > 2 ? argv[2] : NULL;

    int fd = open("/tmp/bench-file", O_CREAT | O_RDWR, 0644);
    if (fd < 0 || write(fd, "x", 1) != 1)
        return 1;
    close(fd);
    descriptor = open("/dev/zero", O_RDONLY);
    if (descriptor < 0 || pipe(to_child) != 0 || pipe(from_child) != 0)
        return 2;

    if (argc <= 3) {
        measure("getppid", getppid_once, 20000 * scale);
        measure("read1", read_once, 20000 * scale);
        measure("open+close", open_once, 10000 * scale);
        measure("stat", stat_once, 20000 * scale);

        pid_t child = fork();
        if (child == 0) {
            char byte;
            close(to_child[1]);
            while (read(to_child[0], &byte, 1) == 1)
                if (write(from_child[1], &byte, 1) != 1)
                    break;
            _exit(0);
        }
        measure("pipe-pingpong", pingpong_once, 3000 * scale);
        close(to_child[1]);
        waitpid(child, NULL, 0);
    }

    measure("fork+exit+wait", fork_once, 60 * scale);
    if (program != NULL)
        measure("fork+exec+wait", exec_once, 30 * scale);
    unlink("/tmp/bench-file");
    return 0;
}
