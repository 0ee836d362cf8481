/* /proc/PID/task and other files of /proc/PID (proc(5)): threads as folders, auxv, statm, smaps, fdinfo. */
#include "check.h"
#include <dirent.h>
#include <elf.h>
#include <pthread.h>
#include <sys/auxv.h>
#include <sys/mman.h>

static pthread_barrier_t barrier;
static pid_t tids[3];

static char *content(const char *path, char *into, size_t room) {
    int fd = open(path, O_RDONLY);
    if (fd < 0)
        return NULL;
    long got = 0, n;
    while ((n = read(fd, into + got, room - 1 - got)) > 0)
        got += n;
    into[got] = 0;
    close(fd);
    return into;
}

/* The value of a line of a file, as a number. */
static long value(const char *path, const char *key) {
    static char text[200000];
    if (!content(path, text, sizeof text))
        return -1;
    for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n"))
        if (strncmp(line, key, strlen(key)) == 0 && line[strlen(key)] == ':')
            return strtol(line + strlen(key) + 1, NULL, 10);
    return -2;
}

static void *thread(void *argument) {
    tids[(long)argument] = gettid();
    pthread_barrier_wait(&barrier);
    pthread_barrier_wait(&barrier);
    return NULL;
}

static int entries(const char *path) {
    DIR *folder = opendir(path);
    if (folder == NULL)
        return -1;
    int count = 0;
    for (struct dirent *entry; (entry = readdir(folder));)
        if (entry->d_name[0] != '.')
            count++;
    closedir(folder);
    return count;
}

int main(void) {
    pthread_t threads[2];
    pthread_barrier_init(&barrier, NULL, 3);
    for (long i = 1; i <= 2; i++)
        pthread_create(&threads[i - 1], NULL, thread, (void *)i);
    tids[0] = getpid();
    pthread_barrier_wait(&barrier);
    printf("tasks: %d, threads: %ld\n", entries("/proc/self/task"), value("/proc/self/status", "Threads"));
    char path[100], text[4096];
    for (int i = 0; i < 3; i++) {
        snprintf(path, sizeof path, "/proc/self/task/%d/status", tids[i]);
        HOLDS(value(path, "Pid") == tids[i] && value(path, "Tgid") == getpid());
        snprintf(path, sizeof path, "/proc/self/task/%d/stat", tids[i]);
        HOLDS(atoi(content(path, text, sizeof text)) == tids[i]);
        snprintf(path, sizeof path, "/proc/%d/status", tids[i]);
        HOLDS(value(path, "Tgid") == getpid());
        snprintf(path, sizeof path, "/proc/self/task/%d/fd/1", tids[i]);
        struct stat st;
        CALL(stat(path, &st));
        snprintf(path, sizeof path, "/proc/self/task/%d/task", tids[i]);
        CALL(access(path, F_OK));
        snprintf(path, sizeof path, "/proc/self/task/%d/..", tids[i]);
        HOLDS(entries(path) == 3);
    }
    CALL(access("/proc/self/task/1", F_OK));
    CALL(access("/proc/self/task/abc", F_OK));
    pthread_barrier_wait(&barrier);
    pthread_join(threads[0], NULL);
    pthread_join(threads[1], NULL);
    while (entries("/proc/self/task") > 1)
        usleep(100);
    printf("tasks: %d\n", entries("/proc/self/task"));
    snprintf(path, sizeof path, "/proc/self/task/%d/status", tids[1]);
    CALL(access(path, F_OK));

    Elf64_auxv_t vector[64];
    int fd = open("/proc/self/auxv", O_RDONLY);
    long bytes = read(fd, vector, sizeof vector);
    close(fd);
    HOLDS(bytes > 0 && bytes % sizeof vector[0] == 0);
    int agree = 0, last = bytes / sizeof vector[0] - 1;
    for (int i = 0; i < last; i++)
        if (getauxval(vector[i].a_type) == vector[i].a_un.a_val)
            agree++;
    HOLDS(agree > 15 && vector[last].a_type == AT_NULL);

    long size, resident, shared, code, library, data, dirty;
    sscanf(content("/proc/self/statm", text, sizeof text), "%ld %ld %ld %ld %ld %ld %ld", &size, &resident, &shared,
           &code, &library, &data, &dirty);
    HOLDS(size > resident && resident > shared && code > 0 && library == 0 && data > 0 && dirty == 0);
    HOLDS(value("/proc/self/status", "VmRSS") > 0);
    HOLDS(value("/proc/self/status", "RssAnon") > 0 && value("/proc/self/status", "RssFile") > 0);

    /* What is touched is resident. */
    char *memory = mmap((void *)0x600000000000, 64 << 12, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
    memset(memory, 1, 16 << 12);
    char line[300];
    FILE *file = fopen("/proc/self/smaps", "r");
    int inside = 0;
    while (fgets(line, sizeof line, file)) {
        if (strncmp(line, "600000000000", 12) == 0)
            inside = 1;
        if (inside && (strncmp(line, "Size", 4) == 0 || strncmp(line, "Rss", 3) == 0 || strncmp(line, "Anon", 4) == 0 ||
                       strncmp(line, "Private_Dirty", 13) == 0 || strncmp(line, "Kernel", 6) == 0))
            fputs(line, stdout);
        if (strncmp(line, "VmFlags", 7) == 0)
            inside = 0;
    }
    fclose(file);
    HOLDS(value("/proc/self/smaps_rollup", "Rss") >= 64);
    printf("%s", content("/proc/self/coredump_filter", text, sizeof text));
    printf("%s", content("/proc/self/setgroups", text, sizeof text));
    fd = open("/dev/null", O_RDWR | O_APPEND | O_CLOEXEC);
    snprintf(path, sizeof path, "/proc/self/fdinfo/%d", fd);
    content(path, text, sizeof text);
    HOLDS(strncmp(text, "pos:\t0\nflags:\t0", 15) == 0 && strstr(text, "\nmnt_id:\t") && strstr(text, "\nino:\t"));
    HOLDS(value(path, "ino") > 0);
    return 0;
}
