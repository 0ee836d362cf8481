/* Code that is written, rewritten and executed: the function being executed, code across two pages, many versions in a loop. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

#define PAGE 4096

static uint8_t *area;

static uint8_t *put(uint8_t *at, const void *bytes, size_t n) {
  memcpy(at, bytes, n);
  return at + n;
}

/* mov eax, value; ret */
static void constant(uint8_t *at, uint32_t value) {
  uint8_t code[] = {0xb8, 0, 0, 0, 0, 0xc3};
  memcpy(code + 1, &value, 4);
  put(at, code, sizeof code);
}

static int call(uint8_t *at) {
  return ((int (*)(void))at)();
}

static int call1(uint8_t *at, long a) {
  return ((int (*)(long))at)(a);
}

/* loop of n rounds: xor eax, eax; mov ecx, n; again: add eax, step; dec ecx; jnz again; ret */
static void loop(uint8_t *at, uint32_t n, uint8_t step) {
  uint8_t code[] = {0x31, 0xc0, 0xb9, 0, 0, 0, 0, 0x83, 0xc0, step, 0xff, 0xc9, 0x75, 0xf9, 0xc3};
  memcpy(code + 3, &n, 4);
  put(at, code, sizeof code);
}

static void many_versions(void) {
  unsigned long sum = 0;
  for (uint32_t i = 0; i < 3000; i++) {
    constant(area, i * 7);
    sum += call(area);
  }
  printf("3000 versions: %lu\n", sum);
  sum = 0;
  for (int round = 0; round < 12; round++) {
    loop(area, 60000, 1 + round % 5);
    sum += call(area);
    sum += call(area);
  }
  printf("hot loops rewritten: %lu\n", sum);
}

/* A loop that changes the constant it adds: mov [rip + x], cl writes into the ADD that follows. */
static void changes_itself(void) {
  uint8_t code[] = {
      0x31, 0xc0,                         /* xor eax, eax */
      0xb9, 0x10, 0x27, 0, 0,             /* mov ecx, 10000 */
      0x88, 0x0d, 2, 0, 0, 0,             /* again: mov [rip + 2], cl */
      0x83, 0xc0, 0,                      /* add eax, imm8, which was just written */
      0xff, 0xc9,                         /* dec ecx */
      0x75, 0xf3,                         /* jnz again */
      0xc3};
  put(area + 512, code, sizeof code);
  printf("changes itself: %d\n", call(area + 512));
  printf("once more: %d\n", call(area + 512));
}

/* The function that is being executed is overwritten behind the return address of its callee. */
static void rewrites_caller(void) {
  /* call rdi; mov eax, 1; ret — the callee changes the 1 */
  uint8_t caller[] = {0xff, 0xd7, 0xb8, 1, 0, 0, 0, 0xc3};
  /* inc byte [rax + 3] is done by the callee with RAX = rsi */
  uint8_t callee[] = {0xfe, 0x46, 0x03, 0xc3};
  uint8_t *at = area + 1024;
  put(at, caller, sizeof caller);
  put(area + PAGE + 256, callee, sizeof callee);
  long sum = 0;
  for (int i = 0; i < 200; i++) {
    int result;
    __asm__ volatile("call *%1" : "=a"(result) : "r"(at), "D"(area + PAGE + 256), "S"(at) : "memory", "cc");
    sum += result;
  }
  printf("caller rewritten: %ld\n", sum);
}

/* add rax, imm32 across the page boundary; then the part on the second page is changed. */
static void across_pages(void) {
  uint8_t code[] = {0x31, 0xc0, 0xb9, 0x50, 0xc3, 0, 0, 0x48, 0x05, 3, 0, 0, 0, 0xff, 0xc9, 0x75, 0xf6, 0xc3};
  uint8_t *at = area + PAGE - 11;
  put(at, code, sizeof code);
  printf("across pages: %d\n", call(at));
  area[PAGE] = 1;
  printf("second page changed: %d\n", call(at));
  area[PAGE - 1] = 0;
  area[PAGE - 2] = 4;
  printf("first page changed: %d\n", call(at));
}

static void toggling(void) {
  uint8_t *at = area + 3 * PAGE;
  long sum = 0;
  for (int i = 0; i < 300; i++) {
    if (mprotect(at, PAGE, PROT_READ | PROT_WRITE)) perror("mprotect");
    if (i % 10 == 0)
      loop(at, 5000, 1 + i / 10);
    else
      constant(at, i);
    if (mprotect(at, PAGE, PROT_READ | PROT_EXEC)) perror("mprotect");
    sum += call(at);
  }
  printf("mprotect toggling: %ld\n", sum);
}

/* Through another mapping of the same memory. */
static void aliased(void) {
  int fd = open("/tmp/code-changes", O_RDWR | O_CREAT | O_TRUNC, 0700);
  if (fd < 0 || ftruncate(fd, PAGE)) perror("/tmp/code-changes");
  unlink("/tmp/code-changes");
  uint8_t *write = mmap(0, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  uint8_t *execute = mmap(0, PAGE, PROT_READ | PROT_EXEC, MAP_SHARED, fd, 0);
  long sum = 0;
  for (int i = 0; i < 500; i++) {
    if (i % 50 == 0)
      loop(write, 20000, 1 + i / 50);
    else
      constant(write, i);
    sum += call(execute);
  }
  printf("aliased: %ld\n", sum);
  munmap(write, PAGE);
  munmap(execute, PAGE);
  close(fd);
}

/* Unmapped and mapped again with other code at the same place. */
static void mapped_again(void) {
  long sum = 0;
  uint8_t *at = area + 8 * PAGE;
  for (int i = 0; i < 50; i++) {
    if (mmap(at, PAGE, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) != at) perror("mmap");
    loop(at, 8000, 1 + i);
    sum += call(at);
  }
  printf("mapped again: %ld\n", sum);
}

/* A string instruction that overwrites itself and what follows. */
static void string_over_itself(void) {
  /* mov rdi, target; mov ecx, 40; mov al, 0x90; rep stosb; then 40 bytes that become NOPs; mov eax, 77; ret */
  uint8_t *at = area + 2 * PAGE + 100, *p = at;
  uint8_t head[] = {0x48, 0xbf};
  p = put(p, head, 2);
  uint8_t *target = at + 10 + 5 + 2 + 2;
  p = put(p, &target, 8);
  uint8_t rest[] = {0xb9, 40, 0, 0, 0, 0xb0, 0x90, 0xf3, 0xaa};
  p = put(p, rest, sizeof rest);
  memset(p, 0xcc, 40);
  p += 40;
  uint8_t end[] = {0xb8, 77, 0, 0, 0, 0xc3};
  put(p, end, sizeof end);
  printf("string over what follows: %d\n", call(at));
}

/* A fault in the middle of a hot loop: the handler opens the page, or steps over, and the loop goes on. */
static uint8_t *guarded;
static volatile int faults;

static void repair(int number, siginfo_t *info, void *context) {
  (void)number;
  uint8_t *address = info->si_addr;
  ucontext_t *uc = context;
  if (address < guarded || address >= guarded + 64 * PAGE) {
    static const char text[] = "fault elsewhere\n";
    if (write(1, text, sizeof text - 1)) _exit(3);
  }
  /* The counter and the sum at the fault belong together. */
  if ((uint64_t)uc->uc_mcontext.gregs[REG_RAX] != (uint64_t)(address - guarded) * 3) _exit(4);
  faults++;
  mprotect((void *)((uintptr_t)address & -PAGE), PAGE, PROT_READ | PROT_WRITE);
}

static void faults_in_a_loop(void) {
  struct sigaction action = {.sa_sigaction = repair, .sa_flags = SA_SIGINFO};
  sigaction(SIGSEGV, &action, 0);
  guarded = mmap(0, 64 * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  /* RAX counts three for each byte written. */
  uint8_t code[] = {
      0x31, 0xc0,                   /* xor eax, eax */
      0xb9, 0, 0, 4, 0,             /* mov ecx, 64 * 4096 */
      0x88, 0x07,                   /* again: mov [rdi], al */
      0x48, 0xff, 0xc7,             /* inc rdi */
      0x83, 0xc0, 0x03,             /* add eax, 3 */
      0xff, 0xc9,                   /* dec ecx */
      0x75, 0xf4,                   /* jnz again */
      0xc3};
  put(area, code, sizeof code);
  int result = call1(area, (long)guarded);
  printf("faults in a loop: %d, %d faults\n", result, faults);
  unsigned long sum = 0;
  for (int i = 0; i < 64 * PAGE; i++) sum += guarded[i];
  printf("written: %lu\n", sum);
}

static int depth(int n, long *sum) {
  *sum += n;
  if (n == 0) return 0;
  return depth(n - 1, sum) + 1 + (int)(*sum & 1) - (int)(*sum & 1);
}

int main(void) {
  setvbuf(stdout, 0, _IOLBF, 0);
  area = mmap(0, 16 * PAGE, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (area == MAP_FAILED) perror("mmap");
  many_versions();
  changes_itself();
  rewrites_caller();
  across_pages();
  toggling();
  aliased();
  mapped_again();
  string_over_itself();
  faults_in_a_loop();
  long sum = 0;
  int (*volatile deep)(int, long *) = depth;
  for (int i = 0; i < 3; i++) printf("recursion: %d", deep(100000, &sum)), printf(" %ld\n", sum);
  return 0;
}
