# PID 1 of the default root: reaps orphans for ever. It blocks SIGCHLD, so that a child's end stays pending until it is
# fetched with rt_sigtimedwait and no end can be missed. Its bytes stand in src/system/init.ts; a test compares them.
	.intel_syntax noprefix
	.globl _start
	.text
_start:
	sub	rsp, 16
	mov	qword ptr [rsp], 0x10000	# the set {SIGCHLD}
	mov	eax, 14				# rt_sigprocmask(SIG_BLOCK, set, NULL, 8)
	xor	edi, edi
	mov	rsi, rsp
	xor	edx, edx
	mov	r10d, 8
	syscall
reap:
	mov	eax, 61				# wait4(-1, NULL, WNOHANG, NULL)
	mov	rdi, -1
	xor	esi, esi
	mov	edx, 1
	xor	r10d, r10d
	syscall
	test	eax, eax
	jg	reap
	mov	eax, 128			# rt_sigtimedwait(set, NULL, NULL, 8)
	mov	rdi, rsp
	xor	esi, esi
	xor	edx, edx
	mov	r10d, 8
	syscall
	jmp	reap
