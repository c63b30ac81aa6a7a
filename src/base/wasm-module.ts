/**
 * A WebAssembly module put together from instructions written as lists of bytes: for the few inner loops that want SIMD or
 * that JavaScript's bounds checks slow down. A module imports one memory and exports functions by name; names of
 * instructions are those of the specification (https://webassembly.github.io/spec/core/), in JavaScript's spelling.
 */

export type Code = readonly (number | Code)[];

export const i32 = 0x7f;
export const f32 = 0x7d;
export const f64 = 0x7c;
export const v128 = 0x7b;

export interface WasmFunction {
  parameters: readonly number[];
  result?: number;
  /** Types of further locals; they are numbered after the parameters. */
  locals?: readonly number[];
  body: Code;
}

/** Functions over one memory, ready to call. */
export function instantiate(
  memory: WebAssembly.Memory,
  functions: Readonly<Record<string, WasmFunction>>,
): WebAssembly.Exports {
  return new WebAssembly.Instance(new WebAssembly.Module(moduleBytes(functions)), { m: { m: memory } }).exports;
}

function moduleBytes(functions: Readonly<Record<string, WasmFunction>>): Uint8Array<ArrayBuffer> {
  const list = Object.entries(functions);
  const vector = (items: Code[]) => [...unsigned(items.length), ...items];
  const sized = (code: Code) => {
    const bytes = (code as readonly unknown[]).flat(Number.POSITIVE_INFINITY) as number[];
    return [...unsigned(bytes.length), ...bytes];
  };
  const types = list.map(([, { parameters, result }]) => [
    0x60,
    vector([...parameters].map((type) => [type])),
    result === undefined ? [0] : [1, result],
  ]);
  const names = list.map(([name], i) => [
    vector([...new TextEncoder().encode(name)].map((byte) => [byte])),
    0,
    unsigned(i),
  ]);
  const bodies = list.map(([, { locals = [], body }]) => sized([vector(locals.map((type) => [1, type])), body, 0x0b]));
  const section = (id: number, code: Code) => [id, sized(code)];
  const module: Code = [
    [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    section(1, vector(types)),
    section(2, [1, 1, 0x6d, 1, 0x6d, 2, 0, 1]), // memory "m" "m", of one page or more
    section(3, vector(list.map((_, i) => unsigned(i)))),
    section(7, vector(names)),
    section(10, vector(bodies)),
  ];
  return Uint8Array.from((module as readonly unknown[]).flat(Number.POSITIVE_INFINITY) as number[]);
}

// Instructions ------------------------------------------------------------------------------------------------------

export const get = (local: number): Code => [0x20, unsigned(local)];
export const set = (local: number): Code => [0x21, unsigned(local)];
export const tee = (local: number): Code => [0x22, unsigned(local)];
export const constant = (value: number): Code => [0x41, signed(value)];

const block = 0x02;
const loop = 0x03;
const end = 0x0b;
const noResult = 0x40;

/** do { body } while (condition) */
export const doWhile = (condition: Code, body: Code): Code => [loop, noResult, body, condition, 0x0d, 0, end];
/** while (condition) { body } */
export const whileTrue = (condition: Code, body: Code): Code => [
  [block, noResult, loop, noResult],
  [condition, 0x45, 0x0d, 1], // br_if out, where it is zero
  [body, 0x0c, 0, end, end],
];
export const ifTrue = (condition: Code, body: Code): Code => [condition, 0x04, noResult, body, end];

export const increase = (local: number, by: number): Code => [get(local), constant(by), i32Add, set(local)];

export const returnValue = 0x0f;

export const i32Equal0 = 0x45;
export const i32Add = 0x6a;
export const i32Sub = 0x6b;
export const i32Mul = 0x6c;
export const i32And = 0x71;
export const i32ShiftLeft = 0x74;
export const i32ShiftRight = 0x76; // unsigned
export const i32Greater = 0x4a; // signed, as the next
export const i32GreaterOrEqual = 0x4e;
export const i32LessUnsigned = 0x49;
export const f32Add = 0x92;
export const f32Mul = 0x94;
export const f64Add = 0xa0;

/** Loads and stores: address (and value) on the stack, `offset` bytes on. */
export const loadI32 = (offset = 0): Code => [0x28, 2, unsigned(offset)];
export const loadU16 = (offset = 0): Code => [0x2f, 1, unsigned(offset)];
export const loadF32 = (offset = 0): Code => [0x2a, 2, unsigned(offset)];
export const loadV128 = (offset = 0): Code => [0xfd, 0x00, 2, unsigned(offset)];
export const loadSplat32 = (offset = 0): Code => [0xfd, 0x09, 2, unsigned(offset)];
export const loadSplat64 = (offset = 0): Code => [0xfd, 0x0a, 3, unsigned(offset)];
export const storeI32 = (offset = 0): Code => [0x36, 2, unsigned(offset)];
export const storeF32 = (offset = 0): Code => [0x38, 2, unsigned(offset)];
export const storeV128 = (offset = 0): Code => [0xfd, 0x0b, 2, unsigned(offset)];
/** Stack: address, byte, length. */
export const memoryFill: Code = [0xfc, 0x0b, 0];

const simd = (code: number): Code => [0xfd, unsigned(code)];
export const v128Zero: Code = [simd(0x0c), new Array<number>(16).fill(0)];
export const v128And = simd(0x4e);
export const v128AndNot = simd(0x4f);
/** Lanes 2 and 3 of the 32-bit lanes of a vector, twice; the other operand is a second copy of it. */
export const upperHalf: Code = [simd(0x0d), [8, 9, 10, 11, 12, 13, 14, 15, 8, 9, 10, 11, 12, 13, 14, 15]];
export const i32x4Splat = simd(0x11);
export const i32x4AllTrue = simd(0xa3);
export const i32x4Bitmask = simd(0xa4);
export const i32x4ShiftLeft = simd(0xab);
export const i32x4ShiftRight = simd(0xad); // unsigned
export const i32x4Sub = simd(0xb1);
export const i32x4Max = simd(0xb8); // signed
export const i32x4Lane = (lane: number): Code => [simd(0x1b), lane];
export const f32x4Splat = simd(0x13);
export const f32x4Lane = (lane: number): Code => [simd(0x1f), lane];
export const f32x4Less = simd(0x43);
export const f32x4GreaterOrEqual = simd(0x46);
export const f32x4Abs = simd(0xe0);
export const f32x4Sqrt = simd(0xe3);
export const f32x4Add = simd(0xe4);
export const f32x4Sub = simd(0xe5);
export const f32x4Mul = simd(0xe6);
export const f32x4Div = simd(0xe7);
export const f64x2PromoteLow = simd(0x5f);
export const f64x2Lane = (lane: number): Code => [simd(0x21), lane];
export const f64x2Add = simd(0xf0);
export const f64x2Mul = simd(0xf2);

function unsigned(value: number): number[] {
  return value < 128 ? [value] : [(value & 127) | 128, ...unsigned(value >>> 7)];
}

function signed(value: number): number[] {
  const rest = value >> 7;
  const last = (rest === 0 && (value & 64) === 0) || (rest === -1 && (value & 64) !== 0);
  return last ? [value & 127] : [(value & 127) | 128, ...signed(rest)];
}
