/**
 * Layout of one decoded instruction in the decode cache. Records of a run lie in order, so that falling through is adding
 * `RECORD_SIZE`. Register fields hold linear addresses of register slots, which spares handlers a variant per register.
 *
 *     0   u32  handler: index in the function table
 *     4   u32  ModRM.reg or opcode register: address of its slot
 *     8   u32  ModRM.rm register, or base register of the memory operand
 *     12  u32  index register
 *     16  i64  displacement; absolute address for `AddressKind.Absolute`
 *     24  i64  immediate, sign-extended; target of a relative transfer
 *     32  u32  segment base's address; record of a relative transfer's target, 0 while unknown
 *     36  u8   log2 of the scale     37  u8  instruction length     38  u16  second immediate
 *     40  u64  address of the instruction; all ones once the record was dropped (then `IMMEDIATE` holds the address)
 */
export const RECORD_SIZE = 48;
/** Handler of records that only lead on to another run; they are in no table. */
export const CONTINUE_HANDLER = 2;
export const HANDLER = 0;
export const REG = 4;
export const RM = 8;
export const INDEX = 12;
export const DISPLACEMENT = 16;
export const IMMEDIATE = 24;
export const SEGMENT = 32;
export const LINK = 32;
export const SCALE = 36;
export const LENGTH = 37;
export const IMMEDIATE2 = 38;
export const ADDRESS = 40;
