/*
 * Mixed work of eight processes, each of which checks every byte and count that it expects. What it prints does not depend on
 * how the processes take turns. Run as `workload ROUNDS` in an empty folder; `workload echo TEXT` is what it executes itself.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <dirent.h>
#include <mqueue.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define WORKERS 8
#define CHECK(what) \
  do { \
    if (!(what)) { \
      dprintf(2, "worker %d round %d line %d: %s (errno %d)\n", me, now, __LINE__, #what, errno); \
      exit(99); \
    } \
  } while (0)

static int me = -1, now, rounds;
static int shm, sem, queue;
static volatile long *shared;

static unsigned char byte(int worker, int round, long at) { return (worker * 31 + round * 7 + at * 13 + (at >> 8)) & 0xff; }
static void fill(unsigned char *to, long count, long at) {
  for (long i = 0; i < count; i++) to[i] = byte(me, now, at + i);
}
static int same(const unsigned char *from, long count, long at) {
  for (long i = 0; i < count; i++)
    if (from[i] != byte(me, now, at + i)) return 0;
  return 1;
}
static int ended(pid_t child) {
  int status = -1;
  pid_t got;
  while ((got = waitpid(child, &status, 0)) < 0 && errno == EINTR) {}
  return got == child ? status : -1;
}
static long readAll(int fd, unsigned char *to, long count) {
  long have = 0, got;
  while (have < count && (got = read(fd, to + have, count - have)) > 0) have += got;
  return have;
}

static void files(void) {
  static unsigned char data[20000], back[20001];
  char name[64], other[64], target[64];
  snprintf(name, sizeof name, "d%d/new", me);
  snprintf(other, sizeof other, "d%d/f%d", me, now % 5);
  fill(data, sizeof data, 0);
  int fd = open(name, O_RDWR | O_CREAT | O_EXCL, 0640);
  CHECK(fd >= 0);
  CHECK(write(fd, data, 5000) == 5000);
  struct iovec parts[2] = {{data + 5000, 3000}, {data + 8000, 2000}};
  CHECK(writev(fd, parts, 2) == 5000);
  CHECK(pwrite(fd, data + 15000, 5000, 15000) == 5000);
  CHECK(lseek(fd, 0, SEEK_CUR) == 10000);
  CHECK(write(fd, data + 10000, 5000) == 5000);
  CHECK(fsync(fd) == 0);
  struct stat st;
  CHECK(fstat(fd, &st) == 0 && st.st_size == 20000 && st.st_nlink == 1);
  CHECK(rename(name, other) == 0);
  CHECK(access(name, F_OK) < 0 && errno == ENOENT);
  CHECK(close(fd) == 0);
  fd = open(other, O_RDONLY);
  CHECK(fd >= 3);
  CHECK(readAll(fd, back, sizeof back) == 20000 && same(back, 20000, 0));
  CHECK(pread(fd, back, 100, 19950) == 50);
  CHECK(close(fd) == 0);
  CHECK(close(fd) < 0 && errno == EBADF);
  snprintf(target, sizeof target, "d%d/link", me);
  CHECK(link(other, target) == 0 && stat(other, &st) == 0 && st.st_nlink == 2);
  CHECK(unlink(target) == 0 && stat(other, &st) == 0 && st.st_nlink == 1);
  CHECK(symlink("nowhere", target) == 0);
  CHECK(readlink(target, (char *)back, 100) == 7 && memcmp(back, "nowhere", 7) == 0);
  CHECK(unlink(target) == 0);
  CHECK(mkdir(target, 0700) == 0 && mkdir(target, 0700) < 0 && errno == EEXIST);
  CHECK(rmdir(target) == 0);
  CHECK(truncate(other, 12345) == 0 && stat(other, &st) == 0 && st.st_size == 12345);
  snprintf(name, sizeof name, "d%d", me);
  DIR *dir = opendir(name);
  int entries = 0;
  while (readdir(dir) != NULL) entries++;
  closedir(dir);
  CHECK(entries == 2 + (now < 5 ? now + 1 : 5));
  /* A record for everybody's log: each must be there once in the end. */
  char record[33];
  snprintf(record, sizeof record, "worker %02d round %06d ..........\n", me, now);
  fd = open("log", O_WRONLY | O_APPEND | O_CREAT, 0644);
  CHECK(fd >= 0 && write(fd, record, 32) == 32 && fdatasync(fd) == 0 && close(fd) == 0);
}

static void pipes(void) {
  static unsigned char data[70000];
  int ends[2], pair[2];
  CHECK(pipe2(ends, O_CLOEXEC) == 0);
  CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
  pid_t child = fork();
  CHECK(child >= 0);
  if (child == 0) {
    close(ends[0]);
    close(pair[0]);
    fill(data, sizeof data, 0);
    CHECK(write(ends[1], data, sizeof data) == sizeof data);
    close(ends[1]);
    CHECK(readAll(pair[1], data, 1000) == 1000 && same(data, 1000, 77));
    CHECK(write(pair[1], data, 1000) == 1000);
    _exit((me * 10 + now) % 90);
  }
  close(ends[1]);
  close(pair[1]);
  CHECK(readAll(ends[0], data, sizeof data) == sizeof data && same(data, sizeof data, 0));
  unsigned char end;
  CHECK(read(ends[0], &end, 1) == 0);
  fill(data, 1000, 77);
  CHECK(write(pair[0], data, 1000) == 1000);
  CHECK(readAll(pair[0], data, 1001) == 1000 && same(data, 1000, 77));
  int status = ended(child);
  CHECK(WIFEXITED(status) && WEXITSTATUS(status) == (me * 10 + now) % 90);
  CHECK(close(ends[0]) == 0 && close(pair[0]) == 0);
  CHECK(waitpid(child, NULL, WNOHANG) < 0 && errno == ECHILD);
}

static void maps(void) {
  char name[64];
  snprintf(name, sizeof name, "d%d/f%d", me, now % 5);
  int fd = open(name, O_RDWR);
  CHECK(fd >= 0);
  unsigned char *file = mmap(NULL, 12345, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  CHECK(file != MAP_FAILED && same(file, 12345, 0));
  unsigned char *copy = mmap(NULL, 12345, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
  CHECK(copy != MAP_FAILED);
  copy[1] = 'p';
  file[0] = 'x';
  file[12000] = 'y';
  CHECK(msync(file, 12345, MS_SYNC) == 0);
  unsigned char back[2];
  CHECK(pread(fd, back, 1, 0) == 1 && pread(fd, back + 1, 1, 12000) == 1 && back[0] == 'x' && back[1] == 'y');
  CHECK(copy[1] == 'p' && file[1] == byte(me, now, 1));
  CHECK(munmap(file, 12345) == 0 && munmap(copy, 12345) == 0 && close(fd) == 0);
  unsigned char *all = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  CHECK(all != MAP_FAILED && all[500000] == 0);
  all[500000] = 1;
  pid_t child = fork();
  CHECK(child >= 0);
  if (child == 0) {
    all[500000] = 2;
    for (int i = 0; i < 100; i++) __sync_fetch_and_add(&shared[0], 1);
    _exit(all[500000] == 2 ? 0 : 1);
  }
  CHECK(ended(child) == 0 && all[500000] == 1);
  all = mremap(all, 1 << 20, 2 << 20, MREMAP_MAYMOVE);
  CHECK(all != MAP_FAILED && all[500000] == 1 && all[(2 << 20) - 1] == 0);
  CHECK(mprotect(all, 4096, PROT_READ) == 0 && munmap(all, 2 << 20) == 0);
  char *heap = sbrk(40000);
  CHECK(heap != (void *)-1);
  heap[39999] = 1;
  CHECK(sbrk(-40000) == heap + 40000);
}

static void ipc(void) {
  struct sembuf lock = {0, -1, SEM_UNDO}, unlock = {0, 1, SEM_UNDO};
  CHECK(semop(sem, &lock, 1) == 0);
  long value = shared[1];
  sched_yield();
  shared[1] = value + 1;
  CHECK(semop(sem, &unlock, 1) == 0);
  struct { long type; char text[40]; } sent = {me + 1, ""}, got;
  snprintf(sent.text, sizeof sent.text, "message %d of %d", now, me);
  CHECK(msgsnd(queue, &sent, sizeof sent.text, 0) == 0);
  CHECK(msgrcv(queue, &got, sizeof got.text, me + 1, 0) == sizeof got.text && strcmp(got.text, sent.text) == 0);
  CHECK(msgrcv(queue, &got, sizeof got.text, me + 1, IPC_NOWAIT) < 0 && errno == ENOMSG);
  char name[32];
  snprintf(name, sizeof name, "/q%d", me);
  struct mq_attr attr = {.mq_maxmsg = 4, .mq_msgsize = 64};
  mqd_t mq = mq_open(name, O_RDWR | O_CREAT | O_EXCL, 0600, &attr);
  CHECK(mq != (mqd_t)-1);
  CHECK(mq_send(mq, "low", 4, 1) == 0 && mq_send(mq, "high", 5, 9) == 0);
  char text[64];
  unsigned priority;
  CHECK(mq_receive(mq, text, 64, &priority) == 5 && priority == 9 && strcmp(text, "high") == 0);
  CHECK(mq_receive(mq, text, 64, &priority) == 4 && priority == 1);
  CHECK(mq_close(mq) == 0 && mq_unlink(name) == 0);
}

static void signals(void) {
  sigset_t set;
  siginfo_t info;
  sigemptyset(&set);
  sigaddset(&set, SIGRTMIN);
  CHECK(sigprocmask(SIG_BLOCK, &set, NULL) == 0);
  pid_t child = fork();
  CHECK(child >= 0);
  if (child == 0) {
    for (int i = 0; i < 5; i++) CHECK(sigqueue(getppid(), SIGRTMIN, (union sigval){.sival_int = i}) == 0);
    pause();
    _exit(1);
  }
  for (int i = 0; i < 5; i++) {
    int got;
    while ((got = sigwaitinfo(&set, &info)) < 0 && errno == EINTR) {}
    CHECK(got == SIGRTMIN && info.si_value.sival_int == i && info.si_pid == child);
  }
  struct timespec none = {0, 0};
  CHECK(sigtimedwait(&set, &info, &none) < 0 && errno == EAGAIN);
  CHECK(kill(child, SIGKILL) == 0);
  int status = ended(child);
  CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

static void *add(void *count) {
  for (int i = 0; i < 50; i++) __sync_fetch_and_add((long *)count, 1);
  return count;
}

static void events(void) {
  int epoll = epoll_create1(0), counter = eventfd(0, 0), timer = timerfd_create(CLOCK_MONOTONIC, 0);
  CHECK(epoll >= 0 && counter >= 0 && timer >= 0);
  struct epoll_event event = {.events = EPOLLIN, .data.u32 = 1};
  CHECK(epoll_ctl(epoll, EPOLL_CTL_ADD, counter, &event) == 0);
  event.data.u32 = 2;
  CHECK(epoll_ctl(epoll, EPOLL_CTL_ADD, timer, &event) == 0);
  CHECK(epoll_wait(epoll, &event, 1, 0) == 0);
  struct itimerspec soon = {{0, 0}, {0, 1000000}};
  CHECK(timerfd_settime(timer, 0, &soon, NULL) == 0);
  CHECK(epoll_wait(epoll, &event, 1, -1) == 1 && event.data.u32 == 2);
  uint64_t value;
  CHECK(read(timer, &value, 8) == 8 && value == 1);
  value = 3;
  CHECK(write(counter, &value, 8) == 8 && write(counter, &value, 8) == 8);
  CHECK(epoll_wait(epoll, &event, 1, -1) == 1 && event.data.u32 == 1);
  CHECK(read(counter, &value, 8) == 8 && value == 6);
  CHECK(close(epoll) == 0 && close(counter) == 0 && close(timer) == 0);
  pthread_t threads[2];
  long count = 0;
  for (int i = 0; i < 2; i++) CHECK(pthread_create(&threads[i], NULL, add, &count) == 0);
  for (int i = 0; i < 2; i++) CHECK(pthread_join(threads[i], NULL) == 0);
  CHECK(count == 100);
}

static void programs(void) {
  int ends[2];
  char text[32], back[64];
  snprintf(text, sizeof text, "%d-%d", me, now);
  CHECK(pipe(ends) == 0);
  pid_t child = now % 2 ? fork() : vfork();
  CHECK(child >= 0);
  if (child == 0) {
    dup2(ends[1], 1);
    close(ends[0]);
    close(ends[1]);
    execl("/proc/self/exe", "workload", "echo", text, NULL);
    _exit(98);
  }
  close(ends[1]);
  long got = readAll(ends[0], (unsigned char *)back, 63);
  CHECK(got == (long)strlen(text) + 5 && memcmp(back, "said ", 5) == 0 && memcmp(back + 5, text, got - 5) == 0);
  CHECK(ended(child) == 7 << 8 && close(ends[0]) == 0);
}

static void sockets(void) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  snprintf(address.sun_path, sizeof address.sun_path, "d%d.sock", me);
  int listener = socket(AF_UNIX, SOCK_STREAM, 0);
  CHECK(listener >= 0 && bind(listener, (void *)&address, sizeof address) == 0 && listen(listener, 4) == 0);
  pid_t child = fork();
  CHECK(child >= 0);
  if (child == 0) {
    int fd = socket(AF_UNIX, SOCK_STREAM, 0), ends[2];
    CHECK(connect(fd, (void *)&address, sizeof address) == 0 && pipe(ends) == 0 && write(ends[1], "inside", 6) == 6);
    char control[CMSG_SPACE(sizeof(int))] = {0};
    struct iovec part = {"fd", 2};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
    struct cmsghdr *head = CMSG_FIRSTHDR(&message);
    head->cmsg_level = SOL_SOCKET;
    head->cmsg_type = SCM_RIGHTS;
    head->cmsg_len = CMSG_LEN(sizeof(int));
    memcpy(CMSG_DATA(head), &ends[0], sizeof(int));
    CHECK(sendmsg(fd, &message, 0) == 2);
    _exit(0);
  }
  int fd = accept(listener, NULL, NULL), passed = -1;
  CHECK(fd >= 0);
  char control[CMSG_SPACE(sizeof(int))], text[8];
  struct iovec part = {text, 8};
  struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
  CHECK(recvmsg(fd, &message, 0) == 2 && CMSG_FIRSTHDR(&message) != NULL);
  memcpy(&passed, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof(int));
  CHECK(ended(child) == 0 && read(passed, text, 8) == 6 && memcmp(text, "inside", 6) == 0 && read(passed, text, 8) == 0);
  CHECK(recv(fd, text, 8, 0) == 0 && close(passed) == 0 && close(fd) == 0 && close(listener) == 0 && unlink(address.sun_path) == 0);
}

static void work(void) {
  char name[16];
  snprintf(name, sizeof name, "d%d", me);
  CHECK(mkdir(name, 0755) == 0);
  int lowest = dup(0);
  close(lowest);
  for (now = 0; now < rounds; now++) {
    files();
    pipes();
    maps();
    ipc();
    signals();
    events();
    programs();
    sockets();
    int again = dup(0);
    CHECK(again == lowest && close(again) == 0);
    __sync_fetch_and_add(&shared[2], 1);
  }
  exit(10 + me);
}

int main(int argc, char **argv) {
  if (argc == 3) return printf("said %s", argv[2]), fflush(stdout), 7;
  rounds = argc > 1 ? atoi(argv[1]) : 1;
  shm = shmget(IPC_PRIVATE, 4096, IPC_CREAT | 0600);
  sem = semget(IPC_PRIVATE, 1, IPC_CREAT | 0600);
  queue = msgget(IPC_PRIVATE, IPC_CREAT | 0600);
  CHECK(shm >= 0 && sem >= 0 && queue >= 0 && semctl(sem, 0, SETVAL, 1) == 0);
  shared = shmat(shm, NULL, 0);
  CHECK(shared != (void *)-1);
  for (int i = 0; i < WORKERS; i++) {
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
      me = i;
      work();
    }
  }
  int codes = 0, status, children = 0;
  pid_t got;
  while ((got = wait(&status)) > 0 || errno == EINTR)
    if (got > 0) children++, codes += WIFEXITED(status) ? WEXITSTATUS(status) : 1000;
  CHECK(errno == ECHILD && children == WORKERS);
  printf("codes %d counts %ld %ld %ld\n", codes, shared[0], shared[1], shared[2]);
  static int seen[WORKERS][100000];
  FILE *log = fopen("log", "r");
  char record[33];
  int records = 0, wrong = 0;
  while (log != NULL && fread(record, 32, 1, log) == 1) {
    int worker, round;
    if (sscanf(record, "worker %02d round %06d ..........", &worker, &round) != 2 || seen[worker][round]++ > 0) wrong++;
    records++;
  }
  printf("records %d wrong %d\n", records, wrong);
  struct shmid_ds ds;
  CHECK(shmctl(shm, IPC_STAT, &ds) == 0);
  printf("attached %ld\n", (long)ds.shm_nattch);
  CHECK(shmdt((void *)shared) == 0 && shmctl(shm, IPC_RMID, NULL) == 0);
  CHECK(semctl(sem, 0, GETVAL) == 1 && semctl(sem, 0, IPC_RMID) == 0 && msgctl(queue, IPC_RMID, NULL) == 0);
  unlink("log");
  return 0;
}
