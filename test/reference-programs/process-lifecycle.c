/* The reference's integration test 2: process lifecycle. Expected: "Parent", then "Child"; the status that is reaped is 42. */
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

int main(void) {
    pid_t pid = fork();
    if (pid == 0) {
        write(1, "Child\n", 6);
        return 42;
    } else {
        write(1, "Parent\n", 7);
        int status;
        wait(&status);
        return WIFEXITED(status) && WEXITSTATUS(status) == 42 ? 0 : 1;
    }
}
