/** Spelling of the disassembler, each line as `objdump -M intel` prints it. */
import { expect, test } from 'vitest';
import { disassembleBytes } from './disassembler.ts';

const AT = 0x401000;

// biome-ignore format: a table
test.each([
  ['50', 'push rax'],
  ['4157', 'push r15'],
  ['4883ec18', 'sub rsp,0x18'],
  ['4883c4e8', 'add rsp,0xffffffffffffffe8'],
  ['897c240c', 'mov DWORD PTR [rsp+0xc],edi'],
  ['4a8d7c2500', 'lea rdi,[rbp+r12*1]'],
  ['488b05f9ffffff', 'mov rax,QWORD PTR [rip+0xfffffffffffffff9]        # 0x401000'],
  ['64488b042528000000', 'mov rax,QWORD PTR fs:0x28'],
  ['48b80102030405060708', 'movabs rax,0x807060504030201'],
  ['a10807060504030201', 'movabs eax,ds:0x102030405060708'],
  ['88e1', 'mov cl,ah'],
  ['4088e1', 'mov cl,spl'],
  ['e8fbffffff', 'call 0x401000'],
  ['74fe', 'je 0x401000'],
  ['67e3fd', 'jecxz 0x401000'],
  ['c3', 'ret'],
  ['f348a5', 'rep movs QWORD PTR es:[rdi],QWORD PTR ds:[rsi]'],
  ['f2ae', 'repnz scas al,BYTE PTR es:[rdi]'],
  ['f0480fb10f', 'lock cmpxchg QWORD PTR [rdi],rcx'],
  ['480fc70f', 'cmpxchg16b XMMWORD PTR [rdi]'],
  ['48d3e2', 'shl rdx,cl'],
  ['4898', 'cdqe'],
  ['4899', 'cqo'],
  ['0fb6f0', 'movzx esi,al'],
  ['4863c6', 'movsxd rax,esi'],
  ['0f95c2', 'setne dl'],
  ['c8100001', 'enter 0x10,0x1'],
  ['f30f6f06', 'movdqu xmm0,XMMWORD PTR [rsi]'],
  ['660f70c14e', 'pshufd xmm0,xmm1,0x4e'],
  ['f20fc2e901', 'cmpltsd xmm5,xmm1'],
  ['66490f6ec7', 'movq xmm0,r15'],
  ['d8c1', 'fadd st,st(1)'],
  ['dec1', 'faddp st(1),st'],
  ['db2c24', 'fld TBYTE PTR [rsp]'],
  ['dfe0', 'fnstsw ax'],
  ['0fae0424', 'fxsave [rsp]'],
  ['0f05', 'syscall'],
  ['06', '(bad)'],
  ['48', '(bad)'],
])('%s is %s', (hex, text) => {
  expect(disassembleBytes(Uint8Array.from(Buffer.from(hex, 'hex')), AT)).toBe(text);
});
