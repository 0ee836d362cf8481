/** NOPs, fences, hints, CPUID, time-stamp counter, and privileged instructions, which are #GP in user mode. */
import { Trap } from '../engine.ts';
import { type Form, type FormOptions, form, type Lift } from '../forms.ts';

const nothing: Lift = () => {};
const protection: Lift = (u) => u.trap(Trap.GeneralProtection);

const PRIVILEGED: FormOptions = { ends: true };
const CONTROL_REGISTER: FormOptions = { ends: true, untested: 'which control registers exist differs' };
const HINT: FormOptions = { feature: 'base' };

/** PREFETCH and CLFLUSH touch nothing that a program could see; CLFLUSH alone checks that it may read the line. */
const flush: Lift = (u) => {
  u.load(u.address(0), 8);
};

export const forms: readonly Form[] = [
  form('90', 'nop', '', nothing),
  form('F3 90', 'pause', '', nothing),
  form('0F 1F /r', 'nop', 'Ev', nothing),
  ...[0x19, 0x1a, 0x1b, 0x1c, 0x1d, 0x1e].map((byte) => form(`0F ${byte.toString(16)} /r`, 'nop', 'Ev', nothing)),
  form('0F 0D /r', 'prefetchw', 'Mb', nothing, HINT),
  form('0F 18 /r', 'prefetch', 'Eb', nothing, HINT),
  form('0F AE E8+i', 'lfence', '', nothing, { feature: 'sse2' }),
  form('0F AE F0+i', 'mfence', '', nothing, { feature: 'sse2' }),
  form('0F AE F8+i', 'sfence', '', nothing, { feature: 'sse' }),
  form('NP 0F AE /7', 'clflush', 'M', flush, { feature: 'sse2' }),
  form('0F A2', 'cpuid', '', (u) => void u.helper('cpu.identify'), { untested: 'differs between processors' }),
  form('0F 31', 'rdtsc', '', (u) => void u.helper('cpu.timestamp'), { untested: 'time passes' }),
  form('F4', 'hlt', '', protection, PRIVILEGED),
  form('FA', 'cli', '', protection, PRIVILEGED),
  form('FB', 'sti', '', protection, PRIVILEGED),
  form('0F 00 /2', 'lldt', 'Ew', protection, PRIVILEGED),
  form('0F 00 /3', 'ltr', 'Ew', protection, PRIVILEGED),
  form('0F 01 /2', 'lgdt', 'M', protection, PRIVILEGED),
  form('0F 01 /3', 'lidt', 'M', protection, PRIVILEGED),
  form('0F 01 /6', 'lmsw', 'Ew', protection, PRIVILEGED),
  form('0F 01 /7', 'invlpg', 'M', protection, PRIVILEGED),
  form('0F 01 F8', 'swapgs', '', protection, PRIVILEGED),
  form('0F 06', 'clts', '', protection, PRIVILEGED),
  form('0F 07', 'sysret', '', protection, PRIVILEGED),
  form('0F 08', 'invd', '', protection, PRIVILEGED),
  form('0F 09', 'wbinvd', '', protection, PRIVILEGED),
  form('0F 20 /r', 'mov', 'Rq,Gq', protection, CONTROL_REGISTER),
  form('0F 21 /r', 'mov', 'Rq,Gq', protection, CONTROL_REGISTER),
  form('0F 22 /r', 'mov', 'Gq,Rq', protection, CONTROL_REGISTER),
  form('0F 23 /r', 'mov', 'Gq,Rq', protection, CONTROL_REGISTER),
  form('0F 30', 'wrmsr', '', protection, PRIVILEGED),
  form('0F 32', 'rdmsr', '', protection, PRIVILEGED),
  form('0F 33', 'rdpmc', '', protection, PRIVILEGED),
  form('E4', 'in', 'AL,Ib', protection, PRIVILEGED),
  form('E5', 'in', 'eAX,Ib', protection, PRIVILEGED),
  form('E6', 'out', 'Ib,AL', protection, PRIVILEGED),
  form('E7', 'out', 'Ib,eAX', protection, PRIVILEGED),
  form('EC', 'in', 'AL,DX', protection, PRIVILEGED),
  form('ED', 'in', 'eAX,DX', protection, PRIVILEGED),
  form('EE', 'out', 'DX,AL', protection, PRIVILEGED),
  form('EF', 'out', 'DX,eAX', protection, PRIVILEGED),
  form('6C', 'ins', 'Yb,DX', protection, PRIVILEGED),
  form('6D', 'ins', 'Yz,DX', protection, PRIVILEGED),
  form('6E', 'outs', 'DX,Xb', protection, PRIVILEGED),
  form('6F', 'outs', 'DX,Xz', protection, PRIVILEGED),
];
