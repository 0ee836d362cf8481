/* Capabilities: what each allows, bounding and ambient sets, secure bits, what execve and changes of ids make of them. */
#include "check.h"
#include <linux/capability.h>
#include <linux/securebits.h>
#include <sys/prctl.h>
#include <sys/time.h>

typedef unsigned long long set;
static struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};

static int put(set effective, set permitted, set inheritable) {
    struct __user_cap_data_struct data[2] = {
        {(unsigned)effective, (unsigned)permitted, (unsigned)inheritable},
        {(unsigned)(effective >> 32), (unsigned)(permitted >> 32), (unsigned)(inheritable >> 32)},
    };
    return syscall(SYS_capset, &header, data);
}

#define BIT(capability) (1ull << (capability))
/* All but CAP_SYS_RESOURCE, which containers lack. */
#define ALL ((BIT(41) - 1) & ~BIT(CAP_SYS_RESOURCE))

/* The sets as /proc tells them, relative to what the system knows at all. */
static void show_sets(const char *label) {
    char line[256];
    FILE *file = fopen("/proc/self/status", "r");
    printf("%s:", label);
    while (fgets(line, sizeof line, file))
        if (strncmp(line, "Cap", 3) == 0 || strncmp(line, "NoNew", 5) == 0) {
            char *value = strchr(line, '\t') + 1;
            printf(" %.6s %llx", line, strtoull(value, NULL, 16));
        }
    printf("\n");
    fflush(stdout);
    fclose(file);
}

static void run_self(const char *how) {
    fflush(stdout);
    execl("/proc/self/exe", "capabilities", how, (char *)NULL);
    perror("exec");
}

int main(int argc, char **argv) {
    if (argc > 1) {
        show_sets(argv[1]);
        CALL(prctl(PR_GET_SECUREBITS));
        return 0;
    }
    scratch_tmpfs("capabilities");
    int fd = open("secret", O_CREAT | O_WRONLY, 0600);
    write(fd, "hidden\n", 7);
    close(fd);
    chown("secret", 1, 1);
    mkdir("closed", 0700);
    chown("closed", 1, 1);
    close(open("mine", O_CREAT | O_WRONLY, 06755));
    prctl(PR_CAPBSET_DROP, CAP_SYS_RESOURCE);
    CALL(put(ALL, ALL, 0));
    set bound = 0;
    for (int i = 0; i < 41; i++)
        bound |= (set)prctl(PR_CAPBSET_READ, i) << i;
    HOLDS(bound == ALL);

    /* File permissions follow the effective set, not the user id. */
    CHILD({
        CALL(put(0, ALL, 0));
        CALL(open("secret", O_RDONLY));
        CALL(open("secret", O_WRONLY));
        CALL(access("secret", R_OK));
        CALL(chdir("closed"));
        CALL(chmod("secret", 0644));
        CALL(chown("mine", 5, 5));
        CALL(mknod("device", S_IFCHR | 0600, 259));
        CALL(chroot("."));
        CALL(mount("x", "closed", "tmpfs", 0, ""));
        CALL(setuid(7));
    });
    CHILD({
        CALL(put(BIT(CAP_DAC_READ_SEARCH), ALL, 0));
        WORKS(open("secret", O_RDONLY));
        CALL(open("secret", O_WRONLY));
        WORKS(open("secret", O_RDONLY | O_APPEND));
        CALL(open("secret", O_RDWR));
        CALL(chdir("closed"));
    });
    CHILD({
        CALL(put(BIT(CAP_DAC_OVERRIDE), ALL, 0));
        WORKS(open("secret", O_RDWR));
        CALL(access("secret", X_OK));
        CALL(execl("secret", "secret", (char *)NULL));
        CALL(chmod("secret", 0644));
        CALL(utimes("secret", NULL));
        struct timeval times[2] = {{1, 0}, {1, 0}};
        CALL(utimes("secret", times));
    });
    CHILD({
        CALL(put(BIT(CAP_FOWNER), ALL, 0));
        CALL(chmod("secret", 02644));
        struct stat st;
        stat("secret", &st);
        printf("%o\n", st.st_mode);
        CALL(chown("secret", 5, -1));
    });
    CHILD({
        CALL(put(BIT(CAP_CHOWN) | BIT(CAP_MKNOD) | BIT(CAP_SYS_CHROOT), ALL, 0));
        CALL(chown("secret", 5, 6));
        CALL(mknod("device", S_IFCHR | 0600, 259));
        CALL(chroot("."));
    });
    CHILD({
        fd = open("mine", O_WRONLY);
        write(fd, "x", 1);
        struct stat st;
        fstat(fd, &st);
        printf("with CAP_FSETID %o\n", st.st_mode);
        put(0, 0, 0);
        write(fd, "x", 1);
        fstat(fd, &st);
        printf("without %o\n", st.st_mode);
    });

    /* Sets that may not be had. */
    CHILD({
        CALL(put(0, BIT(3), 0));
        CALL(put(0, BIT(4), 0));
        CALL(put(BIT(4), BIT(3), 0));
        CALL(put(0, BIT(3), BIT(5)));
        CALL(put(0, BIT(3), BIT(3)));
        CALL(prctl(PR_CAPBSET_DROP, 5));
        show_sets("dropped");
    });
    /* The bounding set bounds what execve gives. */
    CHILD({
        CALL(prctl(PR_CAPBSET_DROP, CAP_CHOWN));
        CALL(prctl(PR_CAPBSET_DROP, 41));
        CALL(prctl(PR_CAPBSET_READ, CAP_CHOWN));
        CALL(put(ALL, ALL, BIT(CAP_CHOWN)));
        show_sets("bounded");
        run_self("executed");
    });
    /* Ambient capabilities survive execve without privilege. */
    CHILD({
        CALL(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_KILL, 0, 0));
        CALL(put(ALL, ALL, BIT(CAP_KILL) | BIT(CAP_CHOWN)));
        CALL(prctl(PR_SET_KEEPCAPS, 1));
        CALL(setresuid(1000, 1000, 1000));
        show_sets("other user");
        CALL(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_KILL, 0, 0));
        CALL(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_CHOWN, 0, 0));
        CALL(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_LOWER, CAP_CHOWN, 0, 0));
        CALL(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, CAP_KILL, 0, 0));
        CALL(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, 99, 0, 0));
        CALL(prctl(PR_CAP_AMBIENT, 9, CAP_KILL, 0, 0));
        CALL(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 1, 0, 0));
        show_sets("ambient");
        run_self("executed");
    });
    CHILD({
        put(ALL, ALL, ALL);
        prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_KILL, 0, 0);
        put(ALL, ALL, 0);
        show_sets("no longer inheritable");
        CALL(setresuid(1000, 1000, 1000));
        show_sets("no longer root");
        run_self("executed");
    });
    CHILD({
        CALL(seteuid(1000));
        show_sets("effective user");
        CALL(seteuid(0));
        show_sets("back");
        CALL(setfsuid(1000));
        show_sets("file user");
    });
    /* Secure bits. */
    CHILD({
        CALL(prctl(PR_SET_SECUREBITS, SECBIT_NO_SETUID_FIXUP | SECBIT_NOROOT | SECBIT_NOROOT_LOCKED));
        CALL(prctl(PR_GET_SECUREBITS));
        CALL(prctl(PR_SET_SECUREBITS, 0));
        CALL(prctl(PR_SET_SECUREBITS, SECBIT_NOROOT | SECBIT_NOROOT_LOCKED | 0x1000));
        CALL(prctl(PR_SET_KEEPCAPS, 1));
        CALL(prctl(PR_GET_SECUREBITS));
        CALL(setresuid(-1, 1000, -1));
        show_sets("no fixup");
        CALL(setresuid(-1, 0, -1));
        run_self("no root");
    });
    CHILD({
        CALL(prctl(PR_SET_SECUREBITS, SECBIT_KEEP_CAPS_LOCKED | SECBIT_NO_CAP_AMBIENT_RAISE));
        CALL(prctl(PR_SET_KEEPCAPS, 1));
        put(ALL, ALL, ALL);
        CALL(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_KILL, 0, 0));
    });
    CHILD({
        CALL(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
        put(0, 0, 0);
        CALL(prctl(PR_CAPBSET_DROP, 1));
        CALL(prctl(PR_SET_SECUREBITS, 0));
        struct timeval now = {1, 0};
        CALL(settimeofday(&now, NULL));
        show_sets("no new privileges");
        run_self("executed");
    });
    leave_tmpfs();
    return 0;
}
