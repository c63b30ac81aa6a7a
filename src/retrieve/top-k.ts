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
    if (this.length > this.k) this.shrink();
    const { rows, scores, length } = this;
    const order = descending(scores.subarray(0, length));
    const found: RowRanking = { rows: new Int32Array(length), scores: new Float32Array(length) };
    for (let i = 0; i < length; i++) {
      found.rows[i] = rows[order[i]!]!;
      found.scores[i] = scores[order[i]!]!;
    }
    this.orderTies(found);
    this.length = 0;
    this.threshold = Number.NEGATIVE_INFINITY;
    return found;
  }

  private before(a: number, b: number): boolean {
    return this.tieRank === undefined ? a < b : this.tieRank[a]! < this.tieRank[b]!;
  }

  private orderTies({ rows, scores }: RowRanking): void {
    for (let from = 0; from < rows.length; ) {
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

const bitsPerPass = 11;
const buckets = 1 << bitsPerPass;

/** Places of scores, best first: radix sort, several times faster here than sorting by comparison. */
function descending(scores: Float32Array): Uint32Array {
  const length = scores.length;
  const floats = new Float32Array(length);
  for (let i = 0; i < length; i++) floats[i] = scores[i]! + 0; // makes one of -0 and 0
  const keys = new Uint32Array(floats.buffer);
  // Bits of a float32, turned so that larger scores are smaller unsigned integers.
  for (let i = 0; i < length; i++) keys[i] = keys[i]! >= 0x80000000 ? keys[i]! : keys[i]! ^ 0x7fffffff;
  let order = new Uint32Array(length);
  for (let i = 0; i < length; i++) order[i] = i;
  let next = new Uint32Array(length);
  for (let shift = 0; shift < 32; shift += bitsPerPass) {
    const ends = new Uint32Array(buckets);
    for (let i = 0; i < length; i++) ends[(keys[i]! >>> shift) & (buckets - 1)]++;
    for (let bucket = 1; bucket < buckets; bucket++) ends[bucket]! += ends[bucket - 1]!;
    for (let i = length - 1; i >= 0; i--) {
      const place = order[i]!;
      next[--ends[(keys[place]! >>> shift) & (buckets - 1)]!] = place;
    }
    [order, next] = [next, order];
  }
  return order;
}
