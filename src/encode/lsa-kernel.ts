/**
 * The one inner loop of LSA, in WebAssembly SIMD: a sum of weighted rows of a dense float32 matrix,
 *
 *   out[c] += sum over i < count of values[i] * dense[indices[i], c],   c < stride / 4
 *
 * Sparse times dense is this for every row, and so are dense times dense and the encoding of a text. Four rows go at once,
 * so that `out` is loaded and stored once for four multiplications. Lanes are independent and no fused multiply-add is
 * used: the result has the same bytes on every machine.
 *
 * Matrices live in one memory, taken from its front (`floats`, `integers`) and never given back but with the whole.
 */
import { workError } from '../base/errors.ts';

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
  private readonly addRowsAt: (
    out: number,
    dense: number,
    indices: number,
    values: number,
    count: number,
    stride: number,
  ) => void;
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
    const instance = new WebAssembly.Instance(new WebAssembly.Module(moduleBytes()), { m: { m: this.memory } });
    this.addRowsAt = instance.exports.f as typeof this.addRowsAt;
  }

  floats(length: number): Placed<Float32Array> {
    const at = this.take(length * 4);
    return { view: new Float32Array(this.memory.buffer, at, length), at };
  }

  integers(length: number): Placed<Int32Array> {
    const at = this.take(length * 4);
    return { view: new Int32Array(this.memory.buffer, at, length), at };
  }

  /** `width` is a multiple of `lanes`; offsets are bytes within this memory. */
  addRows(out: number, dense: number, indices: number, values: number, count: number, width: number): void {
    this.addRowsAt(out, dense, indices, values, count, width * 4);
  }

  private take(bytes: number): number {
    const at = this.used;
    this.used = (at + bytes + 15) & ~15;
    if (this.used < at || at + bytes > this.memory.buffer.byteLength)
      throw new RangeError('RowKernel: capacity exceeded');
    return at;
  }
}

/** The module, assembled: (import "m" "m" (memory 1)) (export "f" (func addRows)). */
function moduleBytes(): Uint8Array<ArrayBuffer> {
  const [out, dense, indices, values, count, stride, k, p, q, r, s, a, b, c, d] = Array.from({ length: 15 }, (_, i) => i) as [
    number, number, number, number, number, number, number, number, number, number, number, number, number, number, number,
  ]; // biome-ignore format: locals in order
  const get = (local: number) => [0x20, local];
  const set = (local: number) => [0x21, local];
  const constant = (value: number) => [0x41, value];
  const add = 0x6a;
  const increase = (local: number, by: number) => [...get(local), ...constant(by), add, ...set(local)];
  const loadInteger = (offset: number) => [0x28, 2, offset];
  const loadVector = [0xfd, 0x00, 2, 0];
  const storeVector = [0xfd, 0x0b, 2, 0];
  const splat = (offset: number) => [0xfd, 0x09, 2, offset];
  const vectorAdd = [0xfd, 0xe4, 0x01];
  const vectorMultiply = [0xfd, 0xe6, 0x01];
  const row = (target: number, offset: number) => [
    ...get(dense), ...get(indices), ...loadInteger(offset), ...get(stride), 0x6c, add, ...set(target),
  ]; // biome-ignore format: one expression
  const term = (pointer: number, factor: number) => [
    ...get(pointer), ...get(k), add, ...loadVector, ...get(factor), ...vectorMultiply, ...vectorAdd,
  ]; // biome-ignore format: one expression
  /** for (k = 0; k < stride; k += 16) out[k] += ... */
  const columns = (terms: number[]) => [
    ...constant(0), ...set(k),
    0x03, 0x40, // loop
    ...get(out), ...get(k), add,
    ...get(out), ...get(k), add, ...loadVector, ...terms, ...storeVector,
    ...increase(k, 16), ...get(k), ...get(stride), 0x49, 0x0d, 0, // br_if k < stride
    0x0b,
  ]; // biome-ignore format: laid out as the loop is
  /** while (count >= by) { ...; count -= by } */
  const rows = (by: number, body: number[]) => [
    0x02, 0x40, 0x03, 0x40, // block, loop
    ...get(count), ...constant(by), 0x48, 0x0d, 1, // br_if count < by
    ...body,
    ...increase(indices, 4 * by), ...increase(values, 4 * by), ...get(count), ...constant(by), 0x6b, ...set(count),
    0x0c, 0, 0x0b, 0x0b,
  ]; // biome-ignore format: laid out as the loop is
  const factor = (local: number, offset: number) => [...get(values), ...splat(offset), ...set(local)];
  const code = [
    2, 5, 0x7f, 4, 0x7b, // locals: k p q r s: i32, a b c d: v128
    ...rows(4, [
      ...row(p, 0), ...row(q, 4), ...row(r, 8), ...row(s, 12),
      ...factor(a, 0), ...factor(b, 4), ...factor(c, 8), ...factor(d, 12),
      ...columns([...term(p, a), ...term(q, b), ...term(r, c), ...term(s, d)]),
    ]),
    ...rows(1, [...row(p, 0), ...factor(a, 0), ...columns(term(p, a))]),
    0x0b,
  ]; // biome-ignore format: laid out as the loop is
  const unsigned = (value: number): number[] =>
    value < 128 ? [value] : [(value & 127) | 128, ...unsigned(value >>> 7)];
  const section = (id: number, bytes: number[]) => [id, ...unsigned(bytes.length), ...bytes];
  return Uint8Array.from([
    0, 0x61, 0x73, 0x6d, 1, 0, 0, 0,
    ...section(1, [1, 0x60, 6, 0x7f, 0x7f, 0x7f, 0x7f, 0x7f, 0x7f, 0]),
    ...section(2, [1, 1, 0x6d, 1, 0x6d, 2, 0, 1]), // memory "m" "m"
    ...section(3, [1, 0]),
    ...section(7, [1, 1, 0x66, 0, 0]), // export "f"
    ...section(10, [1, ...unsigned(code.length), ...code]),
  ]); // biome-ignore format: a module
}
