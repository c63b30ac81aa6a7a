/**
 * Looks through a row of scores for those that reach a bar, 16 at a time, in WebAssembly SIMD: for exact search, where of
 * thousands of scores a few do. The row is copied into the scanner's own memory, which costs less than it saves: in all a
 * third of a plain loop's time.
 */
import {
  f32, f32x4Less, f32x4Splat, get, i32, i32Equal0, i32LessUnsigned, i32x4AllTrue, ifTrue, increase, instantiate,
  loadV128, returnValue, set, v128, v128And, whileTrue,
} from '../base/wasm-module.ts'; // biome-ignore format: instructions

const group = 16;
const pageBytes = 1 << 16;

export class ScoreScan {
  private readonly memory = new WebAssembly.Memory({ initial: 1 });
  private readonly next = instantiate(this.memory, { next: nextFunction() }).next as (
    at: number,
    end: number,
    bar: number,
  ) => number;
  private floats = new Float32Array(this.memory.buffer);
  /** Bytes of the row, whole groups. */
  private end = 0;

  /** The row to look through; ends with -Infinity up to whole groups. */
  load(scores: Float32Array): void {
    const padded = Math.ceil(scores.length / group) * group;
    if (padded > this.floats.length) {
      this.memory.grow(Math.ceil((padded * 4 - this.floats.byteLength) / pageBytes));
      this.floats = new Float32Array(this.memory.buffer);
    }
    this.floats.set(scores);
    if (padded > scores.length) this.floats.fill(Number.NEGATIVE_INFINITY, scores.length, padded);
    this.end = padded * 4;
  }

  /**
   * Calls `found` with places and scores that are not below the bar, in order; NaN is not below. `found` gives the bar from
   * there on. The bar is above -Infinity.
   */
  each(bar: number, found: (place: number, score: number) => number): void {
    let least = bar;
    const { floats, end } = this;
    for (let at = this.next(0, end, least); at < end; at = this.next(at + group * 4, end, least))
      for (let place = at / 4; place < at / 4 + group; place++) {
        const score = floats[place]!;
        if (!(score < least)) least = found(place, score);
      }
  }
}

/** Address of the first group in [at, end) with a score that is not below the bar, or `end`. */
function nextFunction() {
  const [at, end, bar, bars] = [0, 1, 2, 3] as const;
  const below = (offset: number) => [get(at), loadV128(offset), get(bars), f32x4Less];
  return {
    parameters: [i32, i32, f32],
    result: i32,
    locals: [v128],
    body: [
      [get(bar), f32x4Splat, set(bars)],
      whileTrue(
        [get(at), get(end), i32LessUnsigned],
        [
          [below(0), below(16), v128And, below(32), v128And, below(48), v128And, i32x4AllTrue, i32Equal0],
          ifTrue([], [get(at), returnValue]),
          increase(at, group * 4),
        ],
      ),
      get(end),
    ],
  };
}
