/**
 * The two inner loops of LSA, in WebAssembly SIMD. A sum of weighted rows of a dense float32 matrix,
 *
 *   out[c] += sum over i < count of values[i] * dense[indices[i], c],   c < width
 *
 * is sparse times dense for every row, and dense times dense, and the encoding of a text; four rows go at once, so that
 * `out` is loaded and stored once for four multiplications. And a sum of outer products in float64,
 *
 *   out[i, j] += sum over r < rows of a[r, i] * b[r, j],   i, j < width,  in tiles of 4 x 4 on and above the diagonal
 *
 * Lanes are independent and no fused multiply-add is used: the result has the same bytes on every machine.
 *
 * Matrices live in one memory, taken from its front (`floats`, `integers`) and never given back but with the whole.
 */
import { workError } from '../base/errors.ts';
import {
  type Code, constant, doWhile, f32x4Add, f32x4Mul, f64x2Add, f64x2Mul, get, i32, i32Add, i32GreaterOrEqual,
  i32LessUnsigned, i32Mul, i32ShiftRight, increase, instantiate, loadI32, loadSplat32, loadSplat64, loadV128, set, storeV128,
  v128, type WasmFunction, whileTrue,
} from '../base/wasm-module.ts'; // biome-ignore format: instructions

/** Values in the kernel's memory, and where they lie (bytes). */
export interface Placed<View> {
  view: View;
  at: number;
}

/** Lanes of a vector: widths of dense matrices are rounded up to a multiple of it. */
export const lanes = 4;

const pageBytes = 65536;

export class RowKernel {
  private readonly memory: WebAssembly.Memory;
  private readonly functions: Functions;
  private used = 0;

  /** `capacity`: bytes of everything that will be placed here. */
  constructor(capacity: number) {
    const pages = Math.ceil((capacity + 1024) / pageBytes);
    if (pages > 65536)
      throw workError('the matrix is too large for one WebAssembly memory', {
        code: 'lsa.memory',
        expected: 'at most 4 GiB',
        found: `${(capacity / 2 ** 30).toFixed(1)} GiB`,
        hint: 'Lower maxTerms or maxPostings.',
      });
    this.memory = new WebAssembly.Memory({ initial: pages, maximum: pages });
    this.functions = instantiate(this.memory, {
      addRows: addRowsFunction(),
      addOuter: addOuterFunction(),
    }) as unknown as Functions;
  }

  floats(length: number): Placed<Float32Array> {
    const at = this.take(length * 4);
    return { view: new Float32Array(this.memory.buffer, at, length), at };
  }

  doubles(length: number): Placed<Float64Array> {
    const at = this.take(length * 8);
    return { view: new Float64Array(this.memory.buffer, at, length), at };
  }

  integers(length: number): Placed<Int32Array> {
    const at = this.take(length * 4);
    return { view: new Int32Array(this.memory.buffer, at, length), at };
  }

  /** `width` is a multiple of `lanes`; offsets are bytes within this memory. */
  addRows(out: number, dense: number, indices: number, values: number, count: number, width: number): void {
    this.functions.addRows(out, dense, indices, values, count, width * 4);
  }

  /** All in float64: out [width, width], a and b [rows, width], rows 1 or more; `width` is a multiple of `lanes`. */
  addOuter(out: number, a: number, b: number, rows: number, width: number): void {
    this.functions.addOuter(out, a, b, rows, width * 8);
  }

  private take(bytes: number): number {
    const at = this.used;
    this.used = (at + bytes + 15) & ~15;
    if (this.used < at || at + bytes > this.memory.buffer.byteLength)
      throw new RangeError('RowKernel: capacity exceeded');
    return at;
  }
}

interface Functions {
  addRows(out: number, dense: number, indices: number, values: number, count: number, stride: number): void;
  addOuter(out: number, a: number, b: number, rows: number, stride: number): void;
}

function addRowsFunction(): WasmFunction {
  const [out, dense, indices, values, count, stride, k] = [0, 1, 2, 3, 4, 5, 6];
  const pointers = [7, 8, 9, 10];
  const factors = [11, 12, 13, 14];
  const several = (by: number) => {
    const each = (code: (i: number) => Code) => Array.from({ length: by }, (_, i) => code(i));
    return whileTrue(
      [get(count), constant(by), i32GreaterOrEqual],
      [
        each((i) => [
          [get(dense), get(indices), loadI32(4 * i), get(stride), i32Mul, i32Add, set(pointers[i]!)],
          [get(values), loadSplat32(4 * i), set(factors[i]!)],
        ]),
        [constant(0), set(k)],
        doWhile(
          [get(k), get(stride), i32LessUnsigned],
          [
            [get(out), get(k), i32Add],
            [get(out), get(k), i32Add, loadV128()],
            each((i) => [get(pointers[i]!), get(k), i32Add, loadV128(), get(factors[i]!), f32x4Mul, f32x4Add]),
            [storeV128(), increase(k, 16)],
          ],
        ),
        [increase(indices, 4 * by), increase(values, 4 * by), increase(count, -by)],
      ],
    );
  };
  return {
    parameters: [i32, i32, i32, i32, i32, i32],
    locals: [i32, i32, i32, i32, i32, v128, v128, v128, v128],
    body: [several(4), several(1)],
  };
}

function addOuterFunction(): WasmFunction {
  const [out, a, b, rows, stride, i, j, left, p, q, target, low, high, factor] = [
    0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13,
  ];
  const sums = Array.from({ length: 8 }, (_, n) => 14 + n);
  const lines = [0, 1, 2, 3];
  /** Goes over the tile's lines in `out`. */
  const tile = (line: (n: number) => Code) => [
    [get(out), get(i), constant(3), i32ShiftRight, get(stride), i32Mul, i32Add, get(j), i32Add, set(target)],
    lines.map((n) => [line(n), get(target), get(stride), i32Add, set(target)]),
  ];
  const column = (n: number) => [
    [get(p), loadSplat64(8 * n), set(factor)],
    [get(sums[2 * n]!), get(low), get(factor), f64x2Mul, f64x2Add, set(sums[2 * n]!)],
    [get(sums[2 * n + 1]!), get(high), get(factor), f64x2Mul, f64x2Add, set(sums[2 * n + 1]!)],
  ];
  return {
    parameters: [i32, i32, i32, i32, i32],
    locals: [...new Array<number>(6).fill(i32), ...new Array<number>(11).fill(v128)],
    // i and j count bytes along a row: elements i / 8 to i / 8 + 3.
    body: whileTrue(
      [get(i), get(stride), i32LessUnsigned],
      [
        [get(i), set(j)],
        doWhile(
          [get(j), get(stride), i32LessUnsigned],
          [
            tile((n) => [
              [get(target), loadV128(), set(sums[2 * n]!)],
              [get(target), loadV128(16), set(sums[2 * n + 1]!)],
            ]),
            [get(a), get(i), i32Add, set(p), get(b), get(j), i32Add, set(q), get(rows), set(left)],
            doWhile(get(left), [
              [get(q), loadV128(), set(low), get(q), loadV128(16), set(high)],
              lines.map(column),
              [get(p), get(stride), i32Add, set(p), get(q), get(stride), i32Add, set(q)],
              increase(left, -1),
            ]),
            tile((n) => [
              [get(target), get(sums[2 * n]!), storeV128()],
              [get(target), get(sums[2 * n + 1]!), storeV128(16)],
            ]),
            increase(j, 32),
          ],
        ),
        increase(i, 32),
      ],
    ),
  };
}
