/* What terminal programs share: settings, and asking for what is typed next by a mark `<N>` (scripts.ts). */
#include <poll.h>
#include <sys/ioctl.h>
#include <termios.h>

static int asked;

/* Lets the other side type what comes next. */
static inline void mark(void) {
    printf("<%d>", ++asked);
    fflush(stdout);
}

static inline void bytes(const char *label, const char *buf, int n) {
    printf("%s: ", label);
    if (n < 0)
        printf("%s", errno_name(errno));
    else
        printf("%d", n);
    for (int i = 0; i < n; i++)
        printf(" %02x", (unsigned char)buf[i]);
    puts("");
    fflush(stdout);
}

/* Reads what is there already or comes. */
static inline void ask_again(const char *label) {
    char buf[256];
    int n = read(0, buf, sizeof buf);
    bytes(label, buf, n);
}

static inline void ask(const char *label) {
    mark();
    ask_again(label);
}

static inline void flags(int i_on, int i_off, int l_on, int l_off) {
    struct termios t;
    tcgetattr(0, &t);
    t.c_iflag = (t.c_iflag | i_on) & ~i_off;
    t.c_lflag = (t.c_lflag | l_on) & ~l_off;
    tcsetattr(0, TCSANOW, &t);
}

static inline void special(int which, int character) {
    struct termios t;
    tcgetattr(0, &t);
    t.c_cc[which] = character;
    tcsetattr(0, TCSANOW, &t);
}
