/* pipe, pipe2: blocking, ends of file, capacity, whole writes of PIPE_BUF, O_NONBLOCK, FIONREAD. */
#include "check.h"
#include <limits.h>
#include <sys/ioctl.h>
#include <sys/uio.h>

static char buf[200000];

static void handler(int signal) {}

int main(void) {
    int p[2], n = -1;
    CALL(pipe(p));
    printf("%d %d\n", p[0], p[1]);
    CALL(pipe(UNMAPPED));
    CALL(pipe(BAD_POINTER));
    CALL(pipe2(p, 0x40));
    CALL(open("/dev/null", O_RDONLY));
    CALL(close(5));
    CALL(write(4, "hello", 5));
    CALL(ioctl(3, FIONREAD, &n));
    printf("%d\n", n);
    CALL(ioctl(4, FIONREAD, &n));
    printf("%d\n", n);
    CALL(ioctl(3, FIONREAD, UNMAPPED));
    CALL(read(3, buf, 2));
    CALL(read(3, buf, 0));
    CALL(read(3, UNMAPPED, 2));
    CALL(read(3, buf, 10));
    printf("%.3s\n", buf);
    CALL(read(4, buf, 1));
    CALL(write(3, buf, 1));
    CALL(write(4, UNMAPPED, 1));
    CALL(write(4, buf, 0));

    puts("-- nonblocking");
    fcntl(3, F_SETFL, O_NONBLOCK);
    CALL(read(3, buf, 1));
    CALL(read(3, buf, 0));
    fcntl(4, F_SETFL, O_NONBLOCK);
    CALL(write(4, buf, 200000));
    CALL(write(4, buf, 1));
    CALL(ioctl(3, FIONREAD, &n));
    printf("%d\n", n);
    CALL(read(3, buf, 4096));
    CALL(write(4, buf, 4097));
    CALL(read(3, buf, 4095));
    CALL(write(4, buf, 4096));
    CALL(read(3, buf, 1));
    CALL(write(4, buf, 4096));
    CALL(read(3, buf, 8192));
    CALL(write(4, buf, 5000));
    while (read(3, buf, sizeof buf) > 0)
        ;
    printf("drained: %s\n", errno_name(errno));
    CALL(close(4));
    CALL(read(3, buf, 1));
    CALL(close(3));

    puts("-- blocking");
    pipe(p);
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        usleep(20000);
        write(p[1], "late", 4);
        _exit(0);
    }
    CALL(read(p[0], buf, 10));
    CALL(close(p[1]));
    CALL(read(p[0], buf, 10));
    waitpid(child, NULL, 0);
    close(p[0]);
    pipe(p);
    fflush(stdout);
    child = fork();
    if (child == 0) {
        close(p[1]);
        long total = 0, got;
        while ((got = read(p[0], buf, 3000)) > 0)
            total += got;
        printf("child read %ld\n", total);
        fflush(stdout);
        _exit(0);
    }
    close(p[0]);
    long wrote = write(p[1], buf, 200000);
    close(p[1]);
    waitpid(child, NULL, 0);
    printf("wrote %ld\n", wrote);

    puts("-- whole writes");
    pipe(p);
    for (int c = 0; c < 2; c++)
        if (fork() == 0) {
            char block[PIPE_BUF];
            memset(block, 'a' + c, sizeof block);
            for (int i = 0; i < 20; i++)
                write(p[1], block, sizeof block);
            _exit(0);
        }
    close(p[1]);
    int whole = 1, blocks = 0;
    for (;;) {
        char block[PIPE_BUF];
        int got = 0, more;
        while (got < PIPE_BUF && (more = read(p[0], block + got, PIPE_BUF - got)) > 0)
            got += more;
        if (got == 0)
            break;
        for (int i = 1; i < got; i++)
            whole = whole && block[i] == block[0];
        blocks++;
    }
    while (wait(NULL) > 0)
        ;
    printf("%d blocks\n", blocks);
    HOLDS(whole);
    close(p[0]);

    puts("-- interrupted");
    struct sigaction action = {.sa_handler = handler};
    sigaction(SIGALRM, &action, NULL);
    pipe(p);
    ualarm(20000, 0);
    CALL(read(p[0], buf, 1));
    ualarm(20000, 0);
    CALL(write(p[1], buf, 100000));
    ualarm(20000, 0);
    CALL(write(p[1], buf, 10));
    while (ioctl(p[0], FIONREAD, &n) == 0 && n > 0)
        read(p[0], buf, n);
    action.sa_flags = SA_RESTART;
    sigaction(SIGALRM, &action, NULL);
    ualarm(10000, 0);
    child = fork();
    if (child == 0) {
        usleep(30000);
        write(p[1], "x", 1);
        _exit(0);
    }
    CALL(read(p[0], buf, 1));
    waitpid(child, NULL, 0);

    puts("-- through /proc");
    CALL(open("/proc/self/fd/3", O_RDONLY | O_NONBLOCK));
    CALL(write(p[1], "two", 3));
    CALL(read(5, buf, 10));
    struct stat st;
    fstat(p[0], &st);
    char link[64] = "", want[64];
    CALL(readlink("/proc/self/fd/3", link, sizeof link) > 0);
    snprintf(want, sizeof want, "pipe:[%lu]", (unsigned long)st.st_ino);
    HOLDS(strcmp(link, want) == 0);
    return 0;
}
