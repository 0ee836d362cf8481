/* Processes that do nothing but send each other signals, real-time ones queued among them. */
#include <signal.h>
#include <unistd.h>
static void handler(int signal) { (void)signal; }
int main(void) {
    for (int signal = 1; signal < 65; signal++)
        if (signal != SIGTERM)
            sigaction(signal, &(struct sigaction){.sa_handler = handler}, NULL);
    setpgid(0, 0);
    write(1, "started\n", 8);
    for (int i = 0; i < 7; i++)
        fork();
    for (int signal = 1;; signal = signal % 64 + 1) {
        if (signal != SIGKILL && signal != SIGSTOP && signal != SIGTERM)
            kill(0, signal);
        union sigval value = {.sival_int = signal};
        sigqueue(getpid(), SIGRTMIN + signal % 20, value);
    }
}
