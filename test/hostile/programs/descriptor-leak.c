/* Opens what can be opened until nothing can, in many processes, and keeps it. */
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>
int main(void) {
    struct rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    write(1, "started\n", 8);
    for (int processes = 0; processes < 20; processes++)
        if (fork() == 0) {
            int ends[2];
            for (;;)
                if (pipe(ends) != 0 && open("/dev/null", O_RDONLY) < 0 && socketpair(AF_UNIX, SOCK_STREAM, 0, ends) != 0)
                    pause();
        }
    pause();
}
