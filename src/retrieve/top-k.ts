/**
 * The k best of a stream of (row, score), in constant memory: score down, ties by tieRank up (by row where none is given).
 *
 * A reservoir of at least 2k places: whatever is not below the k-th best so far is appended; when the reservoir is full,
 * quickselect keeps the best k. Each offer costs O(1) on average whatever k is, where a heap would cost O(log k), and the
 * common case (below the threshold) is one comparison in the caller's own loop.
 *
 * Scores are compared as float32, as they are handed out: what looks equal outside is a tie inside. NaN is refused.
 */
import { workError } from '../base/errors.ts';
import type { RowRanking } from './candidates.ts';

export class TopK {
  private readonly rows: Int32Array;
  private readonly scores: Float32Array;
  private length = 0;
  private sorter: Sorter | undefined;
  /** Scores below this cannot be among the best; equal ones can, by their tie rank. Offers below it are ignored. */
  threshold = Number.NEGATIVE_INFINITY;
  readonly k: number;
  readonly tieRank: Uint32Array | undefined;

  constructor(k: number, tieRank?: Uint32Array) {
    if (!Number.isInteger(k) || k < 1) throw new RangeError(`k must be a positive integer, got ${k}`);
    this.k = k;
    this.tieRank = tieRank;
    const capacity = Math.max(2 * k, 64);
    this.rows = new Int32Array(capacity);
    this.scores = new Float32Array(capacity);
  }

  /** Takes a document in if it can be among the best; true when the threshold has risen. */
  offer(row: number, score: number): boolean {
    const rounded = Math.fround(score);
    if (rounded < this.threshold) return false;
    if (Number.isNaN(rounded)) throw workError(`score of row ${row} is not a number`, { code: 'search.nan' });
    this.rows[this.length] = row;
    this.scores[this.length] = rounded;
    if (++this.length < this.rows.length) return false;
    this.shrink();
    return true;
  }

  /** The ranking so far; the collector is empty afterwards. */
  take(): RowRanking {
    this.sorter ??= new Sorter(this.rows.length);
    const { rows, scores } = this.sorter.descending(this.rows, this.scores, this.length);
    this.orderTies(rows, scores);
    this.length = 0;
    this.threshold = Number.NEGATIVE_INFINITY;
    return rows.length > this.k ? { rows: rows.slice(0, this.k), scores: scores.slice(0, this.k) } : { rows, scores };
  }

  private before(a: number, b: number): boolean {
    return this.tieRank === undefined ? a < b : this.tieRank[a]! < this.tieRank[b]!;
  }

  private orderTies(rows: Int32Array, scores: Float32Array): void {
    for (let from = 0; from < rows.length && from < this.k; ) {
      let to = from + 1;
      while (to < rows.length && scores[to] === scores[from]) to++;
      if (to - from > 1) rows.subarray(from, to).sort((a, b) => (this.before(a, b) ? -1 : 1));
      from = to;
    }
  }

  /** Quickselect: the best k to the front, and the threshold to the worst of them. */
  private shrink(): void {
    const { rows, scores, k } = this;
    let low = 0;
    let high = this.length - 1;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const pivotRow = rows[middle]!;
      const pivotScore = scores[middle]!;
      let i = low;
      let j = high;
      while (i <= j) {
        while (this.better(rows[i]!, scores[i]!, pivotRow, pivotScore)) i++;
        while (this.better(pivotRow, pivotScore, rows[j]!, scores[j]!)) j--;
        if (i > j) break;
        const row = rows[i]!;
        const score = scores[i]!;
        rows[i] = rows[j]!;
        scores[i] = scores[j]!;
        rows[j] = row;
        scores[j] = score;
        i++;
        j--;
      }
      if (k - 1 <= j) high = j;
      else if (k - 1 >= i) low = i;
      else break;
    }
    let worst = scores[0]!;
    for (let i = 1; i < k; i++) if (scores[i]! < worst) worst = scores[i]!;
    this.threshold = worst;
    this.length = k;
  }

  private better(rowA: number, scoreA: number, rowB: number, scoreB: number): boolean {
    return scoreA > scoreB || (scoreA === scoreB && rowA !== rowB && this.before(rowA, rowB));
  }
}

/** Most bits of a key that one pass of the radix sort looks at. */
const passBits = 10;

/** Sorts by radix, in memory kept between calls: several times faster here than sorting by comparison. */
class Sorter {
  private readonly floats: Float32Array;
  private readonly bits: Int32Array;
  private readonly keys: readonly [Int32Array, Int32Array];
  private readonly rows: readonly [Int32Array, Int32Array];
  private readonly places = new Int32Array(1 << passBits);

  constructor(capacity: number) {
    this.floats = new Float32Array(capacity);
    this.bits = new Int32Array(this.floats.buffer);
    this.keys = [new Int32Array(capacity), new Int32Array(capacity)];
    this.rows = [new Int32Array(capacity), new Int32Array(capacity)];
  }

  /** The first `length` rows with their scores, best score first, equal scores in the order given. */
  descending(rows: Int32Array, scores: Float32Array, length: number): RowRanking {
    const { floats, bits } = this;
    let [keys, newKeys] = this.keys;
    let [newRows, spareRows] = this.rows;
    // Bits of a float32, turned so that larger scores are smaller integers, counted from the best one's.
    let least = 0x7fffffff;
    let most = -0x80000000;
    for (let i = 0; i < length; i++) {
      floats[i] = scores[i]! + 0; // makes one of -0 and 0
      const key = bits[i]! < 0 ? bits[i]! & 0x7fffffff : ~bits[i]!;
      keys[i] = key;
      if (key < least) least = key;
      if (key > most) most = key;
    }
    for (let i = 0; i < length; i++) keys[i]! -= least; // wraps: an unsigned number
    const needed = length === 0 ? 0 : 32 - Math.clz32(most - least);
    const passes = Math.ceil(needed / passBits);
    const width = Math.ceil(needed / passes);
    let source = rows;
    for (let pass = 0; pass < passes; pass++) {
      countingPass(keys, source, newKeys, newRows, length, this.places, pass * width, 1 << width);
      source = newRows;
      [keys, newKeys, newRows, spareRows] = [newKeys, keys, spareRows, newRows];
    }
    for (let i = 0; i < length; i++) {
      const key = (keys[i]! + least) | 0;
      bits[i] = key < 0 ? ~key : key | 0x80000000;
    }
    return { rows: source.slice(0, length), scores: floats.slice(0, length) };
  }
}

/** Moves keys and rows to where `classes` values of the keys' bits from `shift` on send them, keeping the order of equals. */
function countingPass(
  keys: Int32Array,
  rows: Int32Array,
  newKeys: Int32Array,
  newRows: Int32Array,
  length: number,
  places: Int32Array,
  shift: number,
  classes: number,
): void {
  places.fill(0, 0, classes);
  const mask = classes - 1;
  for (let i = 0; i < length; i++) places[(keys[i]! >>> shift) & mask]!++;
  let sum = 0;
  for (let c = 0; c < classes; c++) {
    const count = places[c]!;
    places[c] = sum;
    sum += count;
  }
  for (let i = 0; i < length; i++) {
    const key = keys[i]!;
    const place = places[(key >>> shift) & mask]!++;
    newKeys[place] = key;
    newRows[place] = rows[i]!;
  }
}
