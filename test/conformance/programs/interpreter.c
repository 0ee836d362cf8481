/* execve of programs that name a dynamic loader (PT_INTERP) which is missing, refused or damaged. */
#include "check.h"
#include <elf.h>

struct file {
    Elf64_Ehdr header;
    Elf64_Phdr segments[2];
    unsigned char code[16];
    char name[4200];
};

/* A program whose loader has this name, of so many bytes. */
static struct file program(const char *name, unsigned long bytes) {
    struct file f;
    memset(&f, 0, sizeof f);
    memcpy(f.header.e_ident, "\177ELF\2\1\1", 7);
    f.header.e_type = ET_EXEC;
    f.header.e_machine = EM_X86_64;
    f.header.e_version = 1;
    f.header.e_entry = 0x400000 + offsetof(struct file, code);
    f.header.e_phoff = offsetof(struct file, segments);
    f.header.e_ehsize = sizeof f.header;
    f.header.e_phentsize = sizeof f.segments[0];
    f.header.e_phnum = 2;
    f.segments[0] = (Elf64_Phdr){PT_INTERP, PF_R, offsetof(struct file, name), 0, 0, bytes, bytes, 1};
    f.segments[1] = (Elf64_Phdr){PT_LOAD, PF_R | PF_X, 0, 0x400000, 0x400000, sizeof f, sizeof f, 4096};
    strcpy(f.name, name);
    return f;
}

static void store(const char *path, const void *data, unsigned long bytes, int mode) {
    int fd = open(path, O_CREAT | O_TRUNC | O_WRONLY, 0700);
    write(fd, data, bytes);
    fchmod(fd, mode);
    close(fd);
}

static void start(const char *what, struct file f, unsigned long bytes) {
    store("program", &f, bytes, 0755);
    pid_t child = fork();
    if (child == 0) {
        char *argv[] = {"program", NULL};
        execv("./program", argv);
        _exit(errno);
    }
    int status;
    waitpid(child, &status, 0);
    if (WIFSIGNALED(status))
        printf("%s: signal %d\n", what, WTERMSIG(status));
    else
        printf("%s: %s\n", what, strerror(WEXITSTATUS(status)));
}

static void named(const char *what, const char *name) {
    start(what, program(name, strlen(name) + 1), sizeof(struct file));
}

int main(void) {
    scratch("interpreter");
    named("missing", "/nowhere/ld.so");
    named("a relative name", "ld.so");
    mkdir("folder", 0755);
    named("a folder", "./folder");
    store("plain", "x", 1, 0644);
    named("not executable", "./plain");
    named("below a file", "./plain/x");
    store("empty", "", 0, 0755);
    named("empty", "./empty");
    store("short", "\177ELF\2\1\1", 7, 0755);
    named("short", "./short");
    char text[200];
    memset(text, 'x', sizeof text);
    store("text", text, sizeof text, 0755);
    named("no ELF file", "./text");
    memcpy(text, "#!/bin/sh\n", 10);
    store("script", text, sizeof text, 0755);
    named("a script", "./script");
    symlink("loop", "loop");
    named("a loop of links", "./loop");
    struct file loader = program("", 1);
    loader.header.e_machine = EM_386;
    store("other", &loader, sizeof loader, 0755);
    named("another machine", "./other");
    loader = program("", 1);
    loader.header.e_phoff = 1 << 20;
    store("cut", &loader, sizeof loader, 0755);
    named("no program headers", "./cut");

    start("no name", program("", 1), sizeof(struct file));
    start("no end of the name", program("./text", 6), sizeof(struct file));
    start("a long name", program("./text", 4097), sizeof(struct file));
    start("the longest name", program("./missing", 4096), sizeof(struct file));
    start("the name cut off", program("./text", 7), offsetof(struct file, name) + 3);
    struct file twice = program("./missing", 10);
    twice.segments[1] = (Elf64_Phdr){PT_INTERP, PF_R, offsetof(struct file, code), 0, 0, 1, 1, 1};
    start("two names", twice, sizeof twice);
    return 0;
}
