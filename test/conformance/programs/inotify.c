/* inotify: every event, moves with cookies, names, coalescing, flags, ends of watches, overflow, limits, errors. */
#include "check.h"
#include <poll.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/epoll.h>

static int in;
static unsigned cookies[16];
static int cookie_count;

static void events(const char *label) {
    static char buf[65536] __attribute__((aligned(8)));
    printf("%s:", label);
    int n = read(in, buf, sizeof buf);
    if (n < 0) {
        printf(" %s\n", errno_name(errno));
        fflush(stdout);
        return;
    }
    static const struct { unsigned bit; const char *name; } names[] = {{IN_ACCESS, "ACCESS"}, {IN_MODIFY, "MODIFY"},
        {IN_ATTRIB, "ATTRIB"}, {IN_CLOSE_WRITE, "CLOSE_WRITE"}, {IN_CLOSE_NOWRITE, "CLOSE_NOWRITE"}, {IN_OPEN, "OPEN"},
        {IN_MOVED_FROM, "MOVED_FROM"}, {IN_MOVED_TO, "MOVED_TO"}, {IN_CREATE, "CREATE"}, {IN_DELETE, "DELETE"},
        {IN_DELETE_SELF, "DELETE_SELF"}, {IN_MOVE_SELF, "MOVE_SELF"}, {IN_UNMOUNT, "UNMOUNT"},
        {IN_Q_OVERFLOW, "Q_OVERFLOW"}, {IN_IGNORED, "IGNORED"}, {IN_ISDIR, "ISDIR"}};
    for (int at = 0; at < n;) {
        struct inotify_event *e = (struct inotify_event *)(buf + at);
        printf("\n   %d", e->wd);
        unsigned rest = e->mask;
        for (unsigned i = 0; i < sizeof names / sizeof *names; i++)
            if (e->mask & names[i].bit)
                printf(" %s", names[i].name), rest &= ~names[i].bit;
        if (rest)
            printf(" %#x", rest);
        if (e->len)
            printf(" '%s' %u", e->name, e->len);
        if (e->cookie) {
            int i = 0;
            while (i < cookie_count && cookies[i] != e->cookie)
                i++;
            if (i == cookie_count)
                cookies[cookie_count++] = e->cookie;
            printf(" cookie %d", i);
        }
        at += sizeof *e + e->len;
    }
    puts("");
    cookie_count = 0;
    fflush(stdout);
}
static void touch(const char *name) { close(open(name, O_CREAT | O_WRONLY, 0644)); }

int main(void) {
    char buf[64];
    scratch_tmpfs("inotify");
    mkdir("d", 0755), mkdir("e", 0755);
    in = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    CALL(fcntl(in, F_GETFL));
    CALL(fcntl(in, F_GETFD));
    events("nothing");
    CALL(inotify_add_watch(in, "d", IN_ALL_EVENTS));
    CALL(inotify_add_watch(in, "e", IN_ALL_EVENTS));
    CALL(inotify_add_watch(in, "./d", IN_ALL_EVENTS));

    puts("-- files in a directory");
    int fd = open("d/file", O_CREAT | O_RDWR, 0644);
    events("open with O_CREAT");
    write(fd, "abc", 3);
    write(fd, "abc", 3);
    pread(fd, buf, 3, 0);
    pread(fd, buf, 3, 100);
    events("write, write, read, read at the end");
    ftruncate(fd, 1);
    fallocate(fd, 0, 0, 100);
    events("ftruncate, fallocate");
    fchmod(fd, 0600);
    fchown(fd, 1, 1);
    events("fchmod, fchown");
    close(fd);
    events("close");
    fd = open("d/file", O_RDONLY);
    close(fd);
    events("open and close for reading");
    fd = open("d/file", O_WRONLY | O_TRUNC);
    close(fd);
    events("O_TRUNC");
    chmod("d/file", 0644);
    truncate("d/file", 10);
    utimensat(AT_FDCWD, "d/file", NULL, 0);
    events("chmod, truncate, utimensat");
    struct timespec t[2] = {{1, 0}, {0, UTIME_OMIT}};
    utimensat(AT_FDCWD, "d/file", t, 0);
    t[0].tv_nsec = UTIME_OMIT, t[1] = (struct timespec){1, 0};
    utimensat(AT_FDCWD, "d/file", t, 0);
    events("one time each");
    link("d/file", "d/link");
    symlink("file", "d/symlink");
    mkfifo("d/fifo", 0644);
    events("link, symlink, mkfifo");
    mkdir("d/sub", 0755);
    rmdir("d/sub");
    events("mkdir, rmdir");
    unlink("d/link");
    unlink("d/symlink");
    unlink("d/fifo");
    events("unlink");

    puts("-- directories");
    fd = open("d", O_RDONLY);
    syscall(SYS_getdents64, fd, buf, 64);
    close(fd);
    events("reading one");
    chmod("d", 0700);
    chmod("d", 0755);
    events("chmod");

    puts("-- moves");
    rename("d/file", "d/moved");
    events("within");
    rename("d/moved", "e/moved");
    events("across");
    touch("e/other");
    events("another");
    rename("e/other", "e/moved");
    events("over another");
    mkdir("d/sub", 0755);
    rename("d/sub", "e/sub");
    events("a directory");
    touch("d/one");
    events("one");
    syscall(SYS_renameat2, AT_FDCWD, "d/one", AT_FDCWD, "e/sub", 2);
    events("exchange");
    rename("e/moved", "outside");
    events("to where nobody watches");
    rename("outside", "e/back");
    events("back");

    puts("-- files themselves");
    int w;
    touch("self");
    CALL(w = inotify_add_watch(in, "self", IN_ALL_EVENTS));
    fd = open("self", O_RDWR);
    write(fd, "x", 1);
    events("open, write");
    rename("self", "self2");
    link("self2", "self3");
    events("move, link");
    unlink("self3");
    unlink("self2");
    events("unlinked, but open");
    write(fd, "x", 1);
    close(fd);
    events("closed");
    CALL(inotify_rm_watch(in, w));
    touch("d/both");
    CALL(w = inotify_add_watch(in, "d/both", IN_ALL_EVENTS));
    events("made");
    close(open("d/both", O_RDONLY));
    events("in a watched directory");
    unlink("d/both");
    events("unlinked");
    CALL(w = inotify_add_watch(in, "d/sub", IN_ALL_EVENTS));
    events("not a directory");
    unlink("d/sub");
    events("gone");
    mkdir("gone", 0755);
    CALL(w = inotify_add_watch(in, "gone", IN_ALL_EVENTS));
    rmdir("gone");
    events("rmdir");
    touch("a"), touch("b");
    CALL(w = inotify_add_watch(in, "b", IN_ALL_EVENTS));
    rename("a", "b");
    events("replaced");

    puts("-- masks");
    mkdir("m", 0755);
    CALL(w = inotify_add_watch(in, "m", IN_CREATE));
    touch("m/1");
    events("only CREATE");
    CALL(inotify_add_watch(in, "m", IN_DELETE | IN_MASK_ADD) == w);
    touch("m/2"), unlink("m/2");
    events("CREATE and DELETE");
    CALL(inotify_add_watch(in, "m", IN_OPEN) == w);
    touch("m/3"), unlink("m/3");
    events("only OPEN");
    CALL(inotify_add_watch(in, "m", IN_CREATE | IN_MASK_CREATE));
    CALL(inotify_rm_watch(in, w));
    events("removed");
    CALL(w = inotify_add_watch(in, "m", IN_CREATE | IN_ONESHOT));
    touch("m/4"), touch("m/5");
    events("one shot");
    CALL(inotify_rm_watch(in, w));
    CALL(w = inotify_add_watch(in, "m", IN_MODIFY | IN_EXCL_UNLINK));
    fd = open("m/4", O_RDWR);
    write(fd, "x", 1);
    unlink("m/4");
    write(fd, "y", 1);
    events("unlinked children left out");
    close(fd);
    CALL(inotify_add_watch(in, "m", IN_MODIFY) == w);
    fd = open("m/5", O_RDWR);
    unlink("m/5");
    write(fd, "y", 1);
    events("not left out");
    close(fd);
    CALL(inotify_add_watch(in, "m/1", IN_OPEN | IN_ONLYDIR));
    symlink("m", "link");
    CALL(w = inotify_add_watch(in, "link", IN_CREATE | IN_DONT_FOLLOW));
    touch("m/6");
    events("the link itself");
    inotify_rm_watch(in, w);
    events("-");

    puts("-- reading");
    touch("e/a name of some length, longer than sixteen");
    int bytes;
    CALL(ioctl(in, FIONREAD, &bytes));
    printf("%d\n", bytes);
    CALL(read(in, buf, 0));
    CALL(read(in, buf, 16));
    CALL(read(in, buf, 63));
    CALL(read(in, buf, 64));
    CALL(read(in, buf, 64));
    struct pollfd p = {in, POLLIN | POLLOUT | POLLRDNORM, 0};
    CALL(poll(&p, 1, 0));
    printf("%#x\n", p.revents);
    CALL(read(in, BAD_POINTER, 64));
    events("the rest");
    CALL(poll(&p, 1, 0));
    int ep = epoll_create1(0);
    struct epoll_event e = {EPOLLIN, {.u32 = 1}};
    CALL(epoll_ctl(ep, EPOLL_CTL_ADD, in, &e));
    CALL(epoll_wait(ep, &e, 1, 0));
    fflush(stdout);
    if (fork() == 0) {
        usleep(20000);
        mkdir("e/new", 0755);
        _exit(0);
    }
    CALL(epoll_wait(ep, &e, 1, 5000));
    events("from a child");
    wait(NULL);
    for (int i = 0; i < 3; i++)
        chmod("e/back", 0600);
    events("equal events are one");
    CALL(write(in, buf, 16));
    CALL(lseek(in, 0, SEEK_SET));

    puts("-- overflow");
    int queue = inotify_init1(IN_NONBLOCK), count = 0, overflow = 0, after = 0;
    inotify_add_watch(queue, "e", IN_CREATE | IN_DELETE);
    for (int i = 0; i < 9000; i++)
        touch("e/x"), unlink("e/x");
    static char big[1 << 20];
    int n = read(queue, big, sizeof big);
    for (int at = 0; at < n; at += sizeof(struct inotify_event) + ((struct inotify_event *)(big + at))->len) {
        struct inotify_event *x = (struct inotify_event *)(big + at);
        if (overflow)
            after++;
        if (x->mask & IN_Q_OVERFLOW)
            overflow++;
        else
            count++;
    }
    printf("%d events, %d overflows, %d after\n", count, overflow, after);
    close(queue);
    close(in);

    puts("-- unmounting");
    in = inotify_init1(IN_NONBLOCK);
    mkdir("mnt", 0755);
    mount("tmpfs", "mnt", "tmpfs", 0, "");
    CALL(w = inotify_add_watch(in, "mnt", IN_CREATE));
    CALL(umount("mnt"));
    events("gone");

    puts("-- errors");
    CALL(inotify_init1(1));
    CALL(inotify_add_watch(in, "nowhere", IN_OPEN));
    CALL(inotify_add_watch(in, "", IN_OPEN));
    CALL(inotify_add_watch(in, "d", 0));
    CALL(inotify_add_watch(in, "d", IN_MASK_ADD));
    CALL(inotify_add_watch(in, "d", 0x10000));
    CALL(inotify_add_watch(in, "d", IN_OPEN | IN_MASK_ADD | IN_MASK_CREATE));
    CALL(inotify_add_watch(99, "d", IN_OPEN));
    CALL(inotify_add_watch(0, "d", IN_OPEN));
    CALL(inotify_add_watch(in, BAD_POINTER, IN_OPEN));
    CALL(inotify_rm_watch(in, 99));
    CALL(inotify_rm_watch(99, 1));
    CALL(inotify_rm_watch(0, 1));
    chmod("d", 0300);
    CHILD(become(1000, 1000); CALL(inotify_add_watch(in, "d", IN_OPEN)));
    char link[64], path[64];
    snprintf(path, sizeof path, "/proc/self/fd/%d", in);
    n = readlink(path, link, sizeof link);
    printf("%.*s\n", n, link);
    int many = 0;
    CHILD(become(4321, 4321); while (inotify_init() >= 0) many++; printf("%d %s\n", many, errno_name(errno)));
    leave_tmpfs();
    return 0;
}
