/* The reference's integration test 1: file input and output end to end. Expected: "Hello XINIM". */
#include <fcntl.h>
#include <unistd.h>

int main(void) {
    int fd = open("/tmp/test.txt", O_CREAT | O_WRONLY, 0644);
    write(fd, "Hello XINIM\n", 12);
    close(fd);

    fd = open("/tmp/test.txt", O_RDONLY);
    char buf[32];
    int n = read(fd, buf, sizeof(buf));
    write(1, buf, n);
    close(fd);

    return 0;
}
