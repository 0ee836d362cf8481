/* /proc: meminfo, uptime, loadavg, stat, version, filesystems, mounts, cpuinfo; listing of processes. */
#include "check.h"
#include <dirent.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>

static char buf[200000];

static int slurp(const char *path) {
    int fd = open(path, O_RDONLY), n = 0, m;
    if (fd < 0) {
        printf("%s: %s\n", path, errno_name(errno));
        return -1;
    }
    while ((m = read(fd, buf + n, sizeof buf - 1 - n)) > 0)
        n += m;
    buf[n] = 0;
    close(fd);
    return n;
}

static long kilobytes(const char *name) {
    char *at = strstr(buf, name);
    long value = -1;
    char unit[4] = "";
    if (at == NULL || sscanf(at + strlen(name), ": %ld %2s", &value, unit) != 2 || strcmp(unit, "kB") != 0)
        return -1;
    return value;
}

int main(void) {
    struct sysinfo info;
    sysinfo(&info);
    puts("-- meminfo");
    slurp("/proc/meminfo");
    HOLDS(strncmp(buf, "MemTotal:", 9) == 0);
    HOLDS(kilobytes("MemTotal") == (long)(info.totalram * info.mem_unit / 1024));
    HOLDS(kilobytes("MemFree") > 0 && kilobytes("MemFree") <= kilobytes("MemTotal"));
    HOLDS(kilobytes("MemAvailable") > 0);
    HOLDS(kilobytes("Buffers") >= 0);
    HOLDS(kilobytes("Cached") >= 0);
    HOLDS(kilobytes("SwapTotal") >= 0);
    HOLDS(kilobytes("SwapFree") >= 0);

    puts("-- uptime and loadavg");
    double up, idle, load[3];
    int running, all, last, used = 0;
    slurp("/proc/uptime");
    CALL(sscanf(buf, "%lf %lf", &up, &idle));
    HOLDS(up - info.uptime < 3 && info.uptime - up < 3);
    slurp("/proc/loadavg");
    CALL(sscanf(buf, "%lf %lf %lf %d/%d %d%n", load, load + 1, load + 2, &running, &all, &last, &used));
    HOLDS(running >= 1 && all >= running && last >= getpid());
    HOLDS(buf[used] == '\n');

    puts("-- stat");
    slurp("/proc/stat");
    HOLDS(strncmp(buf, "cpu  ", 5) == 0);
    HOLDS(strstr(buf, "\ncpu0 ") != NULL);
    const char *lines[] = {"\nintr ", "\nctxt ", "\nbtime ", "\nprocesses ", "\nprocs_running ", "\nprocs_blocked "};
    for (int i = 0; i < 6; i++)
        printf("%s: %d\n", lines[i] + 1, strstr(buf, lines[i]) != NULL);
    long btime = atol(strstr(buf, "\nbtime ") + 7);
    HOLDS(labs(time(NULL) - (long)up - btime) <= 2);

    puts("-- version");
    struct utsname name;
    uname(&name);
    slurp("/proc/version");
    HOLDS(strncmp(buf, "Linux version ", 14) == 0 && strncmp(buf + 14, name.release, strlen(name.release)) == 0);
    slurp("/proc/sys/kernel/osrelease");
    HOLDS(strncmp(buf, name.release, strlen(name.release)) == 0);
    slurp("/proc/sys/kernel/hostname");
    HOLDS(strncmp(buf, name.nodename, strlen(name.nodename)) == 0);

    puts("-- filesystems");
    slurp("/proc/filesystems");
    HOLDS(strstr(buf, "nodev\ttmpfs\n") != NULL);
    HOLDS(strstr(buf, "nodev\tproc\n") != NULL);

    puts("-- mounts");
    scratch_tmpfs("proc-system");
    char cwd[256], want[300];
    getcwd(cwd, sizeof cwd);
    slurp("/proc/mounts");
    snprintf(want, sizeof want, "tmpfs %s tmpfs rw,relatime", cwd);
    HOLDS(strstr(buf, want) != NULL);
    HOLDS(strstr(buf, " / ") != NULL);
    HOLDS(strstr(buf, " /proc proc rw") != NULL);
    slurp("/proc/self/mounts");
    HOLDS(strstr(buf, want) != NULL);
    slurp("/proc/self/mountinfo");
    snprintf(want, sizeof want, " / %s rw,relatime ", cwd);
    HOLDS(strstr(buf, want) != NULL);
    mkdir("a b", 0755);
    CALL(mount("with space", "a b", "tmpfs", MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL));
    slurp("/proc/mounts");
    snprintf(want, sizeof want, "with\\040space %s/a\\040b tmpfs ro,nosuid,nodev,noexec,relatime", cwd);
    HOLDS(strstr(buf, want) != NULL);
    CALL(umount("a b"));
    slurp("/proc/mounts");
    HOLDS(strstr(buf, "with\\040space") == NULL);

    puts("-- cpuinfo");
    slurp("/proc/cpuinfo");
    HOLDS(strncmp(buf, "processor\t: 0\n", 14) == 0);
    HOLDS(strstr(buf, "\nflags\t\t: ") != NULL);
    HOLDS(strstr(buf, " sse2 ") != NULL);

    puts("-- processes");
    DIR *d = opendir("/proc");
    struct dirent *e;
    int self = 0, init = 0, others = 0;
    char own[16];
    snprintf(own, sizeof own, "%d", getpid());
    while ((e = readdir(d))) {
        self += strcmp(e->d_name, own) == 0;
        init += strcmp(e->d_name, "1") == 0;
        others += strcmp(e->d_name, "meminfo") == 0 || strcmp(e->d_name, "self") == 0;
    }
    closedir(d);
    printf("%d %d %d\n", self, init, others);
    struct stat st;
    CALL(stat("/proc/1", &st));
    printf("%o\n", st.st_mode);
    CALL(stat("/proc/meminfo", &st));
    printf("%o %ld\n", st.st_mode, (long)st.st_size);
    int fd = open("/proc/meminfo", O_RDONLY);
    CALL(read(fd, buf, 5));
    CALL(read(fd, buf + 5, 4));
    printf("%.9s\n", buf);
    CALL(lseek(fd, 3, SEEK_SET));
    CALL(read(fd, buf, 5));
    printf("%.5s\n", buf);
    CALL(pread(fd, buf, 4, 1));
    printf("%.4s\n", buf);
    close(fd);
    leave_tmpfs();
    return 0;
}
