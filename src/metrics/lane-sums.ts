/**
 * Sums of small whole weights over lists of places, for several assignments of weights (lanes: resamples, swaps) side by side:
 *
 *   sum[list, lane] = Σ_{place in list} weight[place, lane]
 *
 * Weights of a place lie next to one another, so that one index serves all lanes. Where no sum can exceed 65,535 two lanes share
 * a 32-bit word, and one addition serves both; the caller says what the largest sum can be.
 */

/** Lists of places, one after another; a place may occur several times. */
export interface Lists {
  /** [lists + 1] */
  readonly starts: Uint32Array;
  readonly places: Int32Array;
}

export function listsOf(entries: readonly (readonly [list: number, place: number])[], count: number): Lists {
  const starts = new Uint32Array(count + 1);
  for (const [list] of entries) starts[list + 1]!++;
  for (let i = 0; i < count; i++) starts[i + 1]! += starts[i]!;
  const places = new Int32Array(entries.length);
  const filled = starts.slice();
  for (const [list, place] of entries) places[filled[list]!++] = place;
  return { starts, places };
}

/** Words a place: eight sums fit the processor's registers. */
const words = 8;

/** Whole weights of places in several lanes, counted up from 0. */
export class LaneWeights {
  readonly lanes: number;
  readonly packed: boolean;
  /** [words][places] as they are counted: near one another, so that scattered additions stay in the cache. */
  private readonly columns: readonly Int32Array[];
  /** [places, words], as they were last taken. */
  private readonly rows: Int32Array;

  /** `largest`: no sum of a list in one lane exceeds it. */
  constructor(places: number, largest: number) {
    this.packed = largest <= 0xffff;
    this.lanes = this.packed ? 2 * words : words;
    this.columns = Array.from({ length: words }, () => new Int32Array(places));
    this.rows = new Int32Array(places * words);
  }

  /** Adds 1 to the weight of each of `places`. */
  add(lane: number, places: Int32Array): void {
    const column = this.columns[lane % words]!;
    const unit = lane < words ? 1 : 0x10000;
    for (let i = 0; i < places.length; i++) column[places[i]!]! += unit;
  }

  /** Adds 1 to the weights of random places: that of each `number` of 32 bits is ⌊number · places / 2³²⌋. */
  addDrawn(lane: number, numbers: Uint32Array): void {
    const column = this.columns[lane % words]!;
    const unit = lane < words ? 1 : 0x10000;
    const scale = column.length / 0x100000000;
    for (let i = 0; i < numbers.length; i++) column[(numbers[i]! * scale) | 0]! += unit;
  }

  /** [places, words] all weights, which are 0 again from then on; valid until the next call. */
  take(): Int32Array {
    const { columns, rows } = this;
    const [c0, c1, c2, c3, c4, c5, c6, c7] = columns;
    const places = c0!.length;
    for (let place = 0, at = 0; place < places; place++, at += words) {
      rows[at] = c0![place]!;
      rows[at + 1] = c1![place]!;
      rows[at + 2] = c2![place]!;
      rows[at + 3] = c3![place]!;
      rows[at + 4] = c4![place]!;
      rows[at + 5] = c5![place]!;
      rows[at + 6] = c6![place]!;
      rows[at + 7] = c7![place]!;
    }
    for (const column of columns) column.fill(0);
    return rows;
  }
}

/** Sums over lists, of the weights last given. */
export class LaneSums {
  private readonly lists: Lists;
  private readonly packed: boolean;
  /** [lists, words] */
  private readonly sums: Int32Array;

  constructor(lists: Lists, { packed }: LaneWeights) {
    this.lists = lists;
    this.packed = packed;
    this.sums = new Int32Array((lists.starts.length - 1) * words);
  }

  /** Computes all sums anew, of weights [places, words] as `LaneWeights` gives them. */
  compute(weights: Int32Array): void {
    const { sums } = this;
    const { starts, places } = this.lists;
    for (let list = 0; list + 1 < starts.length; list++) {
      let [s0, s1, s2, s3, s4, s5, s6, s7] = [0, 0, 0, 0, 0, 0, 0, 0];
      const end = starts[list + 1]!;
      for (let i = starts[list]!; i < end; i++) {
        const at = places[i]! * words;
        s0 = (s0 + weights[at]!) | 0;
        s1 = (s1 + weights[at + 1]!) | 0;
        s2 = (s2 + weights[at + 2]!) | 0;
        s3 = (s3 + weights[at + 3]!) | 0;
        s4 = (s4 + weights[at + 4]!) | 0;
        s5 = (s5 + weights[at + 5]!) | 0;
        s6 = (s6 + weights[at + 6]!) | 0;
        s7 = (s7 + weights[at + 7]!) | 0;
      }
      const out = list * words;
      sums[out] = s0;
      sums[out + 1] = s1;
      sums[out + 2] = s2;
      sums[out + 3] = s3;
      sums[out + 4] = s4;
      sums[out + 5] = s5;
      sums[out + 6] = s6;
      sums[out + 7] = s7;
    }
  }

  /** Sum of one list in one lane. */
  at(list: number, lane: number): number {
    const word = this.sums[list * words + (lane % words)]!;
    return this.packed ? (lane < words ? word & 0xffff : word >>> 16) : word;
  }
}
