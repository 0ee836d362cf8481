/*
 * The host's side of the differential test: executes single instructions on the processor this program runs on, from
 * states that layout.ts describes, and returns the states they end in. Freestanding (no C library, so FS and GS belong to
 * the instructions under test) and linked to low addresses (so that registers are saved with absolute addressing).
 *
 *     native SHARED-FILE REQUEST-FIFO REPLY-FIFO
 *
 * A request is one u32 (anything but 0) on the request FIFO, a batch in the first half of the shared file; the reply is
 * one u32 on the reply FIFO and the results in the second half. The records are drawn in layout.ts.
 *
 * Each page that instructions may touch is mapped twice: at its own address with its own permissions, and in an alias
 * that is always writable, where its content is set and read whatever the permissions are.
 */
#define _GNU_SOURCE
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <linux/memfd.h>
#include <asm/prctl.h>
#include <fcntl.h>
#include <signal.h>
#include <ucontext.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;

/* Must agree with layout.ts. */
#define CODE_BASE 0x2a500000ul
#define CODE_SIZE 0x40000ul
#define DATA_PAGES 16
#define LOW_DATA 0x10000000ul
#define HIGH_DATA 0x700050000000ul
#define ALIAS 0x3c900000ul
#define HALF 0x2000000ul
/* Where the linker puts this program (-Ttext-segment): an address that no state holds by chance. */
#define IMAGE 0x35550000ul
/* The signal stack: were RSP inside it by chance, the kernel would take the signal for a nested one. */
#define SIGNAL_STACK 0x5a5a12340000ul
#define SIGNAL_STACK_SIZE 0x10000ul
#define KIND_DONE 255
#define FLAG_FLOAT 1
#define FLAG_ENDS 2
#define FLAG_PROGRAM 8

#define INT_CONTEXT 192
#define FULL_CONTEXT 640
/* Offsets of the context (src/cpu/state.ts). */
#define C_RIP 136
#define C_RFLAGS 144
#define C_MXCSR 164
#define C_FS 168
#define C_GS 176
#define C_FPU 192
#define C_X87 224
#define C_XMM 384

static long syscall6(long n, long a, long b, long c, long d, long e, long f) {
  long result;
  register long r10 asm("r10") = d;
  register long r8 asm("r8") = e;
  register long r9 asm("r9") = f;
  asm volatile("syscall" : "=a"(result) : "a"(n), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9) : "rcx", "r11", "memory");
  return result;
}
#define SYS(n, a, b, c, d, e, f) syscall6(n, (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), (long)(f))

static void die(const char *text) {
  size_t n = 0;
  while (text[n]) n++;
  SYS(SYS_write, 2, "native: ", 8, 0, 0, 0);
  SYS(SYS_write, 2, text, n, 0, 0, 0);
  SYS(SYS_write, 2, "\n", 1, 0, 0, 0);
  SYS(SYS_exit_group, 1, 0, 0, 0, 0, 0);
}

void copy(void *to, const void *from, size_t n) {
  asm volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(n) : : "memory");
}
void *memcpy(void *to, const void *from, size_t n) { copy(to, from, n); return to; }
void *memset(void *to, int value, size_t n) {
  void *p = to;
  asm volatile("rep stosb" : "+D"(p), "+c"(n) : "a"(value) : "memory");
  return to;
}

/* ── Entering and leaving one instruction ─────────────────────────────────────────────────────────────────────── */

u64 in_gpr[16], in_flags, in_rip;
u64 out_gpr[16], out_flags, out_rip;
u64 host_rsp;
static u32 out_kind, out_error;
static u64 out_address;
static u8 fx_in[512] __attribute__((aligned(16)));
static u8 fx_out[512] __attribute__((aligned(16)));
static int want_float;

void enter_guest(void);
void enter_guest_stepping(void);
void leave_guest(void);
void leave_fault(void);
asm(
    ".globl enter_guest\n"
    "enter_guest:\n"
    "  push %rbx; push %rbp; push %r12; push %r13; push %r14; push %r15\n"
    "  mov %rsp, host_rsp\n"
    "  push in_flags\n"
    "  popfq\n"
    "  mov in_gpr+0, %rax;    mov in_gpr+8, %rcx;    mov in_gpr+16, %rdx;   mov in_gpr+24, %rbx\n"
    "  mov in_gpr+32, %rsp;   mov in_gpr+40, %rbp;   mov in_gpr+48, %rsi;   mov in_gpr+56, %rdi\n"
    "  mov in_gpr+64, %r8;    mov in_gpr+72, %r9;    mov in_gpr+80, %r10;   mov in_gpr+88, %r11\n"
    "  mov in_gpr+96, %r12;   mov in_gpr+104, %r13;  mov in_gpr+112, %r14;  mov in_gpr+120, %r15\n"
    "  jmp *in_rip\n"
    /* The same with TF: only IRET sets it so that the next instruction is the one under test. */
    ".globl enter_guest_stepping\n"
    "enter_guest_stepping:\n"
    "  push %rbx; push %rbp; push %r12; push %r13; push %r14; push %r15\n"
    "  mov %rsp, host_rsp\n"
    "  mov in_gpr+0, %rax;    mov in_gpr+8, %rcx;    mov in_gpr+16, %rdx;   mov in_gpr+24, %rbx\n"
    "  mov in_gpr+40, %rbp;   mov in_gpr+48, %rsi;   mov in_gpr+56, %rdi\n"
    "  mov in_gpr+64, %r8;    mov in_gpr+72, %r9;    mov in_gpr+80, %r10;   mov in_gpr+88, %r11\n"
    "  mov in_gpr+96, %r12;   mov in_gpr+104, %r13;  mov in_gpr+112, %r14;  mov in_gpr+120, %r15\n"
    "  pushq $0x2b; push in_gpr+32; push in_flags; pushq $0x33; push in_rip\n"
    "  iretq\n"
    ".globl leave_guest\n"
    "leave_guest:\n"
    "  mov %rax, out_gpr+0;   mov %rcx, out_gpr+8;   mov %rdx, out_gpr+16;  mov %rbx, out_gpr+24\n"
    "  mov %rsp, out_gpr+32;  mov %rbp, out_gpr+40;  mov %rsi, out_gpr+48;  mov %rdi, out_gpr+56\n"
    "  mov %r8, out_gpr+64;   mov %r9, out_gpr+72;   mov %r10, out_gpr+80;  mov %r11, out_gpr+88\n"
    "  mov %r12, out_gpr+96;  mov %r13, out_gpr+104; mov %r14, out_gpr+112; mov %r15, out_gpr+120\n"
    "  mov host_rsp, %rsp\n"
    "  pushfq\n"
    "  pop out_flags\n"
    ".globl leave_fault\n"
    "leave_fault:\n"
    "  cld\n"
    "  pop %r15; pop %r14; pop %r13; pop %r12; pop %rbp; pop %rbx\n"
    "  ret\n");

static void on_signal(int number, siginfo_t *info, void *context) {
  static const int order[16] = {REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP, REG_RSI, REG_RDI,
                                REG_R8,  REG_R9,  REG_R10, REG_R11, REG_R12, REG_R13, REG_R14, REG_R15};
  (void)number;
  (void)info;
  ucontext_t *uc = context;
  greg_t *g = uc->uc_mcontext.gregs;
  u64 rip = g[REG_RIP];
  if (rip >= IMAGE && rip < IMAGE + 0x100000) die("fault in the harness itself");
  for (int i = 0; i < 16; i++) out_gpr[i] = g[order[i]];
  out_flags = g[REG_EFL];
  out_rip = rip;
  out_kind = g[REG_TRAPNO];
  /* Of a page fault: write 2, user 4, fetch 16. */
  out_error = out_kind == 14 ? g[REG_ERR] & 0x16 : 0;
  out_address = out_kind == 14 ? g[REG_CR2] : 0;
  if (want_float) copy(fx_out, uc->uc_mcontext.fpregs, 512);
  g[REG_RIP] = (u64)leave_fault;
  g[REG_RSP] = host_rsp;
  g[REG_EFL] = 0x202;
}

void restore_signal(void);
asm(".globl restore_signal\nrestore_signal:\n  mov $15, %eax\n  syscall\n");

struct kernel_sigaction {
  void *handler;
  u64 flags;
  void *restorer;
  u64 mask;
};

/* ── x87 and SSE: the context's order (physical registers) to FXSAVE's (stack order) and back ──────────────────── */

static void load_float(const u8 *c) {
  memset(fx_in, 0, 512);
  copy(fx_in, c + C_FPU, 5);
  copy(fx_in + 24, c + C_MXCSR, 4);
  int top = (c[C_FPU + 3] >> 3) & 7;
  for (int i = 0; i < 8; i++) copy(fx_in + 32 + 16 * i, c + C_X87 + 16 * ((top + i) & 7), 10);
  copy(fx_in + 160, c + C_XMM, 256);
}

static void save_float(u8 *c) {
  copy(c + C_FPU, fx_out, 5);
  copy(c + C_MXCSR, fx_out + 24, 4);
  int top = (c[C_FPU + 3] >> 3) & 7;
  for (int i = 0; i < 8; i++) copy(c + C_X87 + 16 * ((top + i) & 7), fx_out + 32 + 16 * i, 10);
  copy(c + C_XMM, fx_out + 160, 256);
}

/* ── Memory ───────────────────────────────────────────────────────────────────────────────────────────────────── */

/* Permissions by page: w writable, r read-only, - absent. As PAGES in layout.ts. */
static const char pages[DATA_PAGES + 1] = "www-wr--wrwr-rw-";

static void *map(u64 address, u64 size, int protection, int flags, int fd, u64 offset) {
  long result = SYS(SYS_mmap, address, size, protection, flags | MAP_FIXED_NOREPLACE, fd, offset);
  if ((u64)result != address) die("mmap failed");
  return (void *)result;
}

static void map_data(void) {
  int fd = SYS(SYS_memfd_create, "data", 0, 0, 0, 0, 0);
  if (fd < 0 || SYS(SYS_ftruncate, fd, 2 * DATA_PAGES * 4096, 0, 0, 0, 0) < 0) die("memfd_create failed");
  map(ALIAS, 2 * DATA_PAGES * 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  for (int i = 0; i < 2 * DATA_PAGES; i++) {
    char kind = pages[i % DATA_PAGES];
    if (kind == '-') continue;
    u64 address = (i < DATA_PAGES ? LOW_DATA : HIGH_DATA) + (u64)(i % DATA_PAGES) * 4096;
    map(address, 4096, kind == 'w' ? PROT_READ | PROT_WRITE : PROT_READ, MAP_SHARED, fd, (u64)i * 4096);
  }
}

static u8 *alias_of(u64 address) {
  if (address >= HIGH_DATA) return (u8 *)(ALIAS + DATA_PAGES * 4096 + (address - HIGH_DATA));
  return (u8 *)(ALIAS + (address - LOW_DATA));
}

/* ── Batches ──────────────────────────────────────────────────────────────────────────────────────────────────── */

struct group {
  u32 count, flags;
  u64 code;
  u32 code_length, window;
  u8 bytes[80];
};

static const u8 *run_group(const u8 *request, u8 **reply_at) {
  struct group group;
  copy(&group, request, sizeof group);
  request += sizeof group;
  u8 *reply = *reply_at;
  u8 *code = (u8 *)group.code;
  u32 n = group.code_length, context = group.flags & FLAG_FLOAT ? FULL_CONTEXT : INT_CONTEXT;
  if (group.flags & FLAG_PROGRAM) {
    copy(code, request, n);
    request += (n + 15) & ~15u;
  } else
    copy(code, group.bytes, n);
  if (!(group.flags & FLAG_ENDS)) {
    code[n] = 0xe9;
    u32 distance = (u32)((u64)leave_guest - (group.code + n + 5));
    copy(code + n + 1, &distance, 4);
  }
  want_float = group.flags & FLAG_FLOAT;
  in_rip = group.code;
  for (u32 i = 0; i < group.count; i++) {
    u64 window;
    copy(&window, request, 8);
    const u8 *c = request + 8;
    u8 *memory = alias_of(window);
    copy(memory, c + context, group.window);
    copy(in_gpr, c, 128);
    copy(&in_flags, c + C_RFLAGS, 8);
    in_flags |= 0x202;
    out_kind = KIND_DONE;
    out_error = 0;
    out_address = 0;
    out_rip = group.code + n;
    if (want_float) {
      load_float(c);
      asm volatile("fxrstor64 %0" : : "m"(fx_in));
    }
    if (in_flags & 0x100)
      enter_guest_stepping();
    else
      enter_guest();
    if (want_float && out_kind == KIND_DONE) asm volatile("fxsave64 %0" : "=m"(fx_out));
    copy(reply, &out_kind, 4);
    copy(reply + 4, &out_error, 4);
    copy(reply + 8, &out_address, 8);
    u8 *r = reply + 16;
    copy(r, c, context);
    copy(r, out_gpr, 128);
    copy(r + C_RIP, &out_rip, 8);
    copy(r + C_RFLAGS, &out_flags, 8);
    if (want_float) save_float(r);
    copy(r + context, memory, group.window);
    memset(memory, 0, group.window);
    request = c + context + group.window;
    reply = r + context + group.window;
  }
  memset(code, 0xcc, group.flags & FLAG_ENDS ? n : n + 5);
  *reply_at = reply;
  return request;
}

static void serve(const char *shared, const char *requests, const char *replies) {
  int file = SYS(SYS_open, shared, O_RDWR, 0, 0, 0, 0);
  int in = SYS(SYS_open, requests, O_RDONLY, 0, 0, 0, 0);
  int out = SYS(SYS_open, replies, O_WRONLY, 0, 0, 0, 0);
  if (file < 0 || in < 0 || out < 0) die("cannot open the files given");
  long base = SYS(SYS_mmap, 0, 2 * HALF, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  if (base < 0 && base > -4096) die("cannot map the shared file");
  u32 word = 0;
  while (SYS(SYS_read, in, &word, 4, 0, 0, 0) == 4 && word != 0) {
    const u8 *request = (const u8 *)base;
    u8 *reply = (u8 *)base + HALF;
    u32 groups;
    copy(&groups, request, 4);
    request += 8;
    for (u32 i = 0; i < groups; i++) request = run_group(request, &reply);
    /* What was written outside the windows, which is zero else. */
    copy(reply, (void *)ALIAS, 2 * DATA_PAGES * 4096);
    memset((void *)ALIAS, 0, 2 * DATA_PAGES * 4096);
    SYS(SYS_write, out, &word, 4, 0, 0, 0);
  }
}

void start(long *stack) {
  if (stack[0] < 4) die("usage: native SHARED-FILE REQUEST-FIFO REPLY-FIFO");
  map_data();
  memset(map(CODE_BASE, CODE_SIZE, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), 0xcc, CODE_SIZE);
  void *stack_base = map(SIGNAL_STACK, SIGNAL_STACK_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  stack_t alternate = {.ss_sp = stack_base, .ss_size = SIGNAL_STACK_SIZE};
  SYS(SYS_sigaltstack, &alternate, 0, 0, 0, 0, 0);
  struct kernel_sigaction action = {on_signal, SA_SIGINFO | SA_ONSTACK | SA_NODEFER | 0x04000000, restore_signal, 0};
  static const int signals[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP};
  for (unsigned i = 0; i < sizeof signals / sizeof *signals; i++) SYS(SYS_rt_sigaction, signals[i], &action, 0, 8, 0, 0);
  SYS(SYS_arch_prctl, ARCH_SET_FS, LOW_DATA + 0x800, 0, 0, 0, 0);
  SYS(SYS_arch_prctl, ARCH_SET_GS, HIGH_DATA + 0x800, 0, 0, 0, 0);
  serve((const char *)stack[2], (const char *)stack[3], (const char *)stack[4]);
  SYS(SYS_exit_group, 0, 0, 0, 0, 0, 0);
}

asm(".globl _start\n_start:\n  mov %rsp, %rdi\n  and $-16, %rsp\n  call start\n");
