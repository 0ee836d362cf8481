/* Core dumps (core(5)): which deaths leave a file, what limits and prctl say, what kind of file it is. */
#include "check.h"
#include <elf.h>
#include <sys/prctl.h>
#include <sys/resource.h>

static void limit(rlim_t bytes) {
    struct rlimit r = {bytes, RLIM_INFINITY};
    setrlimit(RLIMIT_CORE, &r);
}

/* How a child ended that does `body`, and whether it left a file. */
#define DIES(what, ...)                                                                                                \
    do {                                                                                                               \
        unlink("core");                                                                                                \
        fflush(stdout);                                                                                                \
        pid_t child = fork();                                                                                          \
        if (child == 0) {                                                                                              \
            __VA_ARGS__;                                                                                               \
            _exit(0);                                                                                                  \
        }                                                                                                              \
        siginfo_t info;                                                                                                \
        waitid(P_PID, child, &info, WEXITED | WNOWAIT);                                                                \
        int status;                                                                                                    \
        waitpid(child, &status, 0);                                                                                    \
        struct stat st;                                                                                                \
        int file = stat("core", &st) == 0;                                                                             \
        printf("%s: signal %d, dumped %d, code %d, file %d\n", what, WTERMSIG(status), !!WCOREDUMP(status),            \
               info.si_code, file);                                                                                    \
        if (file)                                                                                                      \
            printf("  mode %o, owner %d, regular %d, large %d\n", st.st_mode & 07777, st.st_uid, S_ISREG(st.st_mode),  \
                   st.st_size > 10000);                                                                                \
    } while (0)

static void look(void) {
    int fd = open("core", O_RDONLY);
    Elf64_Ehdr header;
    read(fd, &header, sizeof header);
    HOLDS(memcmp(header.e_ident, "\177ELF\2\1\1", 7) == 0);
    HOLDS(header.e_type == ET_CORE && header.e_machine == EM_X86_64 && header.e_phentsize == sizeof(Elf64_Phdr));
    HOLDS(header.e_phoff == sizeof header && header.e_phnum > 4);
    Elf64_Phdr notes;
    read(fd, &notes, sizeof notes);
    HOLDS(notes.p_type == PT_NOTE);
    char *bytes = malloc(notes.p_filesz);
    pread(fd, bytes, notes.p_filesz, notes.p_offset);
    int seen = 0;
    for (char *at = bytes; at < bytes + notes.p_filesz;) {
        Elf64_Nhdr *note = (void *)at;
        unsigned char *contents = (void *)(at + sizeof *note + (note->n_namesz + 3 & ~3));
        if (memcmp(at + sizeof *note, "CORE", 5) == 0 && note->n_type != NT_X86_XSTATE) {
            int fixed = note->n_type != NT_AUXV && note->n_type != NT_FILE;
            printf("note %x, %d bytes\n", note->n_type, fixed ? note->n_descsz : 0);
        }
        if (note->n_type == NT_PRPSINFO)
            printf("  %.4s\n", contents + 40);
        if (note->n_type == NT_PRSTATUS && !seen++)
            printf("  signal %d\n", *(short *)(contents + 12));
        if (note->n_type == NT_SIGINFO)
            printf("  signal %d code %d address %lx\n", ((siginfo_t *)contents)->si_signo,
                   ((siginfo_t *)contents)->si_code, (long)((siginfo_t *)contents)->si_addr);
        at = (char *)contents + (note->n_descsz + 3 & ~3);
    }
    free(bytes);
    close(fd);
}

static volatile char marked[10000] = "marked by the program";

/* The contents of an address in the file. */
static void find(const char *expected, unsigned long address) {
    int fd = open("core", O_RDONLY);
    Elf64_Ehdr header;
    read(fd, &header, sizeof header);
    for (int i = 0; i < header.e_phnum; i++) {
        Elf64_Phdr p;
        pread(fd, &p, sizeof p, header.e_phoff + i * sizeof p);
        if (p.p_type != PT_LOAD || address < p.p_vaddr || address >= p.p_vaddr + p.p_filesz)
            continue;
        char found[40] = "";
        pread(fd, found, strlen(expected), p.p_offset + address - p.p_vaddr);
        printf("found [%s]\n", found);
    }
    close(fd);
}

int main(void) {
    scratch("core");
    limit(0);
    DIES("no limit set", abort());
    limit(RLIM_INFINITY);
    DIES("SIGSEGV", *(volatile int *)0x1234 = 1);
    look();
    find("marked by the program", (unsigned long)marked);
    DIES("changed", {
        strcpy((char *)marked, "changed");
        raise(SIGQUIT);
    });
    find("changed", (unsigned long)marked);
    DIES("SIGABRT", abort());
    DIES("SIGFPE", raise(SIGFPE));
    DIES("SIGILL", __asm__ volatile("ud2"));
    DIES("SIGBUS", raise(SIGBUS));
    DIES("SIGTRAP", raise(SIGTRAP));
    DIES("SIGSYS", raise(SIGSYS));
    DIES("SIGXCPU", raise(SIGXCPU));
    DIES("SIGTERM", raise(SIGTERM));
    DIES("SIGKILL", raise(SIGKILL));
    DIES("exit", _exit(3));
    DIES("not dumpable", {
        prctl(PR_SET_DUMPABLE, 0);
        abort();
    });
    DIES("another user", {
        chmod(".", 0777);
        setuid(1234);
        abort();
    });
    DIES("another user, dumpable", {
        setuid(1234);
        prctl(PR_SET_DUMPABLE, 1);
        abort();
    });
    DIES("no permission", {
        chmod(".", 0755);
        setuid(1234);
        prctl(PR_SET_DUMPABLE, 1);
        abort();
    });
    DIES("a small limit", {
        limit(100);
        abort();
    });
    DIES("a limit that is too low", {
        limit(8192);
        abort();
    });
    struct stat st;
    stat("core", &st);
    HOLDS(st.st_size > 0 && st.st_size <= 8192);
    DIES("a folder is in the way", {
        mkdir("core", 0755);
        abort();
    });
    rmdir("core");
    DIES("a link is in the way", {
        symlink("elsewhere", "core");
        abort();
    });
    printf("elsewhere: %d\n", access("elsewhere", F_OK));
    DIES("umask", {
        umask(0077);
        abort();
    });
    return 0;
}
