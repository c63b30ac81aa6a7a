/**
 * The inner loops of lexical search, in WebAssembly: adding a token's scores to the documents', and picking the best.
 *
 * One memory holds the scores of the documents of one segment (the accumulator), a histogram, the documents found, and then
 * postings, up to 4 GiB. Adding postings (`scatter`) knows no SIMD, but does without bounds checks; a token that stands in
 * many documents is a column of scores, zeros and all, and adding it (`addColumn`) is SIMD.
 *
 * Picking: scores are 0 or more, so their bits order as they do. `bar` counts documents in 1,024 classes (64 an octave, down
 * from the highest score) and gives the lower end of the class that the k-th best falls into; `gather` lists the documents
 * from there on, a few more than k, and leaves the accumulator at zero.
 */
import {
  type Code, constant, doWhile, f32, f32Add, f32Mul, f32x4Add, f32x4GreaterOrEqual, f32x4Lane, f32x4Mul, f32x4Splat, get, i32, i32Add,
  i32And, i32Greater, i32GreaterOrEqual, i32LessUnsigned, i32ShiftLeft, i32ShiftRight, i32Sub, i32x4Bitmask, i32x4Lane,
  i32x4Max, i32x4ShiftLeft, i32x4ShiftRight, i32x4Splat, i32x4Sub, ifTrue, increase, instantiate, loadF32, loadI32, loadU16,
  loadV128, memoryFill, set, storeF32, storeI32, storeV128, tee, v128, v128Zero, type WasmFunction, whileTrue,
} from '../base/wasm-module.ts'; // biome-ignore format: instructions

/** Most documents of a segment: what a uint16 counts. */
export const segmentDocuments = 1 << 16;
/** Columns are padded to so many documents: the length of one turn of the loops. */
export const columnLanes = 16;

const classes = 1024;
/** Bits of a score below its class. */
const classShift = 17;

const histogramAt = segmentDocuments * 4;
const rowsAt = histogramAt + classes * 4;
const scoresAt = rowsAt + (segmentDocuments + 4) * 4;
const postingsAt = scoresAt + (segmentDocuments + 4) * 4;
const pageBytes = 1 << 16;
const mostPages = 1 << 16;

export class Bm25Kernel {
  private readonly memory = new WebAssembly.Memory({ initial: Math.ceil(postingsAt / pageBytes), maximum: mostPages });
  private readonly functions = instantiate(this.memory, kernelFunctions()) as unknown as Functions;
  private used = postingsAt;
  /** Made anew where the memory has grown. */
  private views: { accumulator: Float32Array; rows: Int32Array; scores: Float32Array } | undefined;

  /** Room for so many bytes, as its address; undefined where this memory has not got it. */
  take(bytes: number): number | undefined {
    const at = this.used;
    const wanted = Math.ceil((at + bytes) / pageBytes);
    if (wanted > mostPages) return undefined;
    const pages = this.memory.buffer.byteLength / pageBytes;
    if (wanted > pages) {
      this.memory.grow(wanted - pages);
      this.views = undefined;
    }
    this.used = Math.ceil((at + bytes) / 16) * 16;
    return at;
  }

  /** The memory as it stands: `take` makes an older answer empty. */
  get buffer(): ArrayBuffer {
    return this.memory.buffer;
  }

  /** Scores of the documents of the segment that is being searched; all zero between searches. */
  get accumulator(): Float32Array {
    return this.view().accumulator;
  }

  /** accumulator[rows[i]] += weight * scores[i] for i < count; addresses of uint16 and float32. */
  scatter(rows: number, scores: number, count: number, weight: number): void {
    this.functions.scatter(0, rows, scores, count, weight);
  }

  /** accumulator += weight * column, for so many documents; the column is padded with zeros to `columnLanes`. */
  addColumn(column: number, documents: number, weight: number): void {
    this.functions.addColumn(0, column, paddedBytes(documents), weight);
  }

  /** A score that at least k of the first `documents` documents reach, as near the k-th best as one class; above 0. */
  bar(documents: number, k: number): number {
    bits[0] = this.functions.bar(0, paddedBytes(documents), histogramAt, k);
    return asFloat[0]!;
  }

  /** The documents with scores of at least `bar` (above 0), in order; the accumulator is zero afterwards. Valid until the next. */
  gather(documents: number, bar: number): { rows: Int32Array; scores: Float32Array; count: number } {
    const count = this.functions.gather(0, paddedBytes(documents), Math.max(bar, leastScore), rowsAt, scoresAt);
    const { rows, scores } = this.view();
    return { rows, scores, count };
  }

  private view(): { accumulator: Float32Array; rows: Int32Array; scores: Float32Array } {
    this.views ??= {
      accumulator: new Float32Array(this.memory.buffer, 0, segmentDocuments),
      rows: new Int32Array(this.memory.buffer, rowsAt, segmentDocuments),
      scores: new Float32Array(this.memory.buffer, scoresAt, segmentDocuments),
    };
    return this.views;
  }
}

const bits = new Int32Array(1);
const asFloat = new Float32Array(bits.buffer);
/** The smallest float32 above zero. */
const leastScore = 2 ** -149;

function paddedBytes(documents: number): number {
  return Math.ceil(documents / columnLanes) * columnLanes * 4;
}

interface Functions {
  scatter(accumulator: number, rows: number, scores: number, count: number, weight: number): void;
  addColumn(accumulator: number, column: number, bytes: number, weight: number): void;
  bar(accumulator: number, bytes: number, histogram: number, k: number): number;
  gather(accumulator: number, bytes: number, bar: number, rows: number, scores: number): number;
}

function kernelFunctions(): Record<keyof Functions, WasmFunction> {
  return { scatter: scatterFunction(), addColumn: addColumnFunction(), bar: barFunction(), gather: gatherFunction() };
}

function scatterFunction(): WasmFunction {
  const [accumulator, rows, scores, count, weight, place] = [0, 1, 2, 3, 4, 5];
  const one = (i: number) => [
    [get(accumulator), get(rows), loadU16(2 * i), constant(2), i32ShiftLeft, i32Add, tee(place)],
    [get(place), loadF32(), get(scores), loadF32(4 * i), get(weight), f32Mul, f32Add, storeF32()],
  ];
  const several = (by: number) =>
    whileTrue(
      [get(count), constant(by), i32GreaterOrEqual],
      [
        Array.from({ length: by }, (_, i) => one(i)),
        increase(rows, 2 * by),
        increase(scores, 4 * by),
        increase(count, -by),
      ],
    );
  return { parameters: [i32, i32, i32, i32, f32], locals: [i32], body: [several(8), several(1)] };
}

function addColumnFunction(): WasmFunction {
  const [accumulator, column, bytes, weight, factor] = [0, 1, 2, 3, 4];
  const vector = (offset: number) => [
    [get(accumulator), get(accumulator), loadV128(offset)],
    [get(column), loadV128(offset), get(factor), f32x4Mul, f32x4Add, storeV128(offset)],
  ];
  return {
    parameters: [i32, i32, i32, f32],
    locals: [v128],
    body: [
      [get(weight), f32x4Splat, set(factor)],
      whileTrue(
        [get(bytes), constant(0), i32Greater],
        [[0, 16, 32, 48].map(vector), increase(accumulator, 64), increase(column, 64), increase(bytes, -64)],
      ),
    ],
  };
}

function barFunction(): WasmFunction {
  const [accumulator, bytes, histogram, k, at, base, place, most, vector, bases] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9];
  const vectors = (body: Code) => [
    [constant(0), set(at)],
    whileTrue([get(at), get(bytes), i32LessUnsigned], [body, increase(at, 16)]),
  ];
  const load = [get(accumulator), get(at), i32Add, loadV128()];
  const larger = (lane: number) => [
    [get(vector), i32x4Lane(lane), tee(place)],
    ifTrue([get(most), i32Greater], [get(place), set(most)]),
  ];
  const count = (lane: number) => [
    [get(histogram), get(vector), i32x4Lane(lane), i32Add, tee(place)],
    [get(place), loadI32(), constant(1), i32Add, storeI32()],
  ];
  return {
    parameters: [i32, i32, i32, i32],
    result: i32,
    locals: [i32, i32, i32, i32, v128, v128],
    body: [
      vectors([load, get(vector), i32x4Max, set(vector)]),
      [0, 1, 2, 3].map(larger),
      // The class of the highest score is the last one.
      [
        get(most),
        constant(classShift),
        i32ShiftRight,
        constant(classes - 1),
        i32Sub,
        tee(base),
        i32x4Splat,
        set(bases),
      ],
      [get(histogram), constant(0), constant(classes * 4), memoryFill],
      vectors([
        [load, constant(classShift), i32x4ShiftRight, get(bases), i32x4Sub, v128Zero, i32x4Max],
        [constant(2), i32x4ShiftLeft, set(vector)],
        [0, 1, 2, 3].map(count),
      ]),
      // Down from the highest class until k are reached, or the lowest class is.
      [constant(classes * 4), set(at)],
      doWhile(
        [get(k), constant(0), i32Greater, get(at), constant(0), i32Greater, i32And],
        [increase(at, -4), [get(k), get(histogram), get(at), i32Add, loadI32(), i32Sub, set(k)]],
      ),
      [constant(1), set(most)],
      ifTrue(
        [get(at), constant(0), i32Greater],
        [
          [get(at), constant(2), i32ShiftRight, get(base), i32Add, constant(classShift), i32ShiftLeft, tee(place)],
          ifTrue([get(most), i32Greater], [get(place), set(most)]),
        ],
      ),
      get(most),
    ],
  };
}

function gatherFunction(): WasmFunction {
  const [accumulator, bytes, bar, rows, scores, row, found, vector, bars, mask] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9];
  // Written whether or not it is wanted; what is not wanted is overwritten by the next.
  const lane = (i: number) => [
    [get(rows), get(found), i32Add, get(row), constant(i), i32Add, storeI32()],
    [get(scores), get(found), i32Add, get(vector), f32x4Lane(i), storeF32()],
    [
      get(found),
      get(mask),
      constant(i),
      i32ShiftRight,
      constant(1),
      i32And,
      constant(2),
      i32ShiftLeft,
      i32Add,
      set(found),
    ],
  ];
  return {
    parameters: [i32, i32, f32, i32, i32],
    result: i32,
    locals: [i32, i32, v128, v128, i32],
    body: [
      [get(bar), f32x4Splat, set(bars)],
      whileTrue(
        [get(bytes), constant(0), i32Greater],
        [
          [get(accumulator), loadV128(), tee(vector), get(bars), f32x4GreaterOrEqual, i32x4Bitmask, set(mask)],
          ifTrue(get(mask), [0, 1, 2, 3].map(lane)),
          [get(accumulator), v128Zero, storeV128()],
          increase(accumulator, 16),
          increase(row, 4),
          increase(bytes, -16),
        ],
      ),
      [get(found), constant(2), i32ShiftRight],
    ],
  };
}
