/**
 * Training pairs: a text (anchor) and one that should lie near it (positive). A pair names rows and views of a corpus, not
 * texts: ten million pairs are 100 MB. Pairs stand in the order in which they are to be taken: every prefix is a fair sample
 * of the whole (`recipes.ts`), so that cutting to a number is taking the first.
 */
import type { Corpus } from '../corpus/store.ts';
import { type View, viewText } from '../corpus/views.ts';
import { type MinedNegatives, negativeRows } from './negatives.ts';

/** What says that two texts belong together. */
export const signals = ['citations', 'labels', 'sections'] as const;
export type Signal = (typeof signals)[number];

/** All pairs of one kind have the same signal and views. */
export interface PairKind {
  signal: Signal;
  anchorView: View;
  positiveView: View;
}

export interface TrainingPair {
  kind: PairKind;
  /** Rows of the corpus. */
  anchor: number;
  positive: number;
}

export class PairTable {
  readonly kinds: readonly PairKind[];
  readonly anchor: Int32Array;
  readonly positive: Int32Array;
  /** Index into `kinds`. */
  readonly kind: Uint8Array;

  constructor(kinds: readonly PairKind[], anchor: Int32Array, positive: Int32Array, kind: Uint8Array) {
    this.kinds = kinds;
    this.anchor = anchor;
    this.positive = positive;
    this.kind = kind;
  }

  get length(): number {
    return this.anchor.length;
  }

  at(index: number): TrainingPair {
    if (!(index >= 0 && index < this.length)) throw new RangeError(`pair ${index} is not one of ${this.length}`);
    return {
      kind: this.kinds[this.kind[index]!]!,
      anchor: this.anchor[index]!,
      positive: this.positive[index]!,
    };
  }

  /** The first `count` pairs. */
  first(count: number): PairTable {
    return new PairTable(
      this.kinds,
      this.anchor.slice(0, count),
      this.positive.slice(0, count),
      this.kind.slice(0, count),
    );
  }

  /** Pairs of each kind, in the order of `kinds`. */
  counts(): { kind: PairKind; pairs: number }[] {
    const counts = new Array<number>(this.kinds.length).fill(0);
    for (const kind of this.kind) counts[kind]!++;
    return this.kinds.map((kind, at) => ({ kind, pairs: counts[at]! }));
  }

  /**
   * What makes two pairs the same: rows and views, whichever way round. With the rows' own numbers, so only within a corpus.
   */
  key(index: number): string {
    const { kind, anchor, positive } = this.at(index);
    const sides = [`${anchor}:${kind.anchorView}`, `${positive}:${kind.positiveView}`];
    return sides.sort().join('~');
  }
}

export interface PairText {
  anchor: string;
  positive: string;
  /** Hard negatives, read under the positive's view; '' where there is none. */
  negatives: string[];
}

/** The texts of some pairs, in the order of `indices`. Each patent is read once. */
export async function pairTexts(
  corpus: Corpus,
  pairs: PairTable,
  indices: readonly number[] | Int32Array,
  { maskCitations = false, negatives }: { maskCitations?: boolean; negatives?: MinedNegatives } = {},
): Promise<PairText[]> {
  const negativesOf = (index: number) => (negatives === undefined ? [] : [...negativeRows(negatives, [index])]);
  const rows = new Set<number>();
  for (const index of indices) {
    rows.add(pairs.anchor[index]!).add(pairs.positive[index]!);
    for (const row of negativesOf(index)) if (row >= 0) rows.add(row);
  }
  // In row order, so that the file is read from front to back.
  const patents = new Map<number, Awaited<ReturnType<Corpus['get']>>>();
  for (const row of [...rows].sort((a, b) => a - b)) patents.set(row, await corpus.get(row));
  return Array.from(indices, (index) => {
    const { kind, anchor, positive } = pairs.at(index);
    return {
      anchor: viewText(patents.get(anchor)!, kind.anchorView, { maskCitations }),
      positive: viewText(patents.get(positive)!, kind.positiveView, { maskCitations }),
      negatives: negativesOf(index).map((row) =>
        row < 0 ? '' : viewText(patents.get(row)!, kind.positiveView, { maskCitations }),
      ),
    };
  });
}

/** Grows as pairs come; `finish` gives the table. */
export class PairBuilder {
  private readonly kinds: readonly PairKind[];
  private anchors = new Int32Array(1024);
  private positives = new Int32Array(1024);
  private kind = new Uint8Array(1024);
  size = 0;

  constructor(kinds: readonly PairKind[]) {
    this.kinds = kinds;
  }

  add(anchor: number, positive: number, kind: number): void {
    if (this.size === this.anchors.length) {
      this.anchors = grown(this.anchors, Int32Array);
      this.positives = grown(this.positives, Int32Array);
      this.kind = grown(this.kind, Uint8Array);
    }
    this.anchors[this.size] = anchor;
    this.positives[this.size] = positive;
    this.kind[this.size++] = kind;
  }

  finish(): PairTable {
    const { size } = this;
    return new PairTable(
      this.kinds,
      this.anchors.slice(0, size),
      this.positives.slice(0, size),
      this.kind.slice(0, size),
    );
  }
}

function grown<A extends Int32Array | Uint8Array>(array: A, make: new (length: number) => A): A {
  const larger = new make(array.length * 2);
  larger.set(array);
  return larger;
}

/** A set of unordered pairs of rows: open addressing in typed arrays, for more pairs than a Set can hold. */
export class RowPairSet {
  private low: Int32Array;
  private high: Int32Array;
  private size = 0;

  constructor(expected = 1024) {
    let capacity = 16;
    while (capacity < expected * 2) capacity *= 2;
    this.low = new Int32Array(capacity).fill(-1);
    this.high = new Int32Array(capacity);
  }

  /** True where the pair is new. */
  add(a: number, b: number): boolean {
    if ((this.size + 1) * 2 > this.low.length) this.rehash();
    const [low, high] = a < b ? [a, b] : [b, a];
    const at = this.slot(low, high);
    if (this.low[at] !== -1) return false;
    this.low[at] = low;
    this.high[at] = high;
    this.size++;
    return true;
  }

  private slot(low: number, high: number): number {
    const mask = this.low.length - 1;
    let h = Math.imul(low, 0x9e3779b1) ^ Math.imul(high + 0x7f4a7c15, 0x85ebca6b);
    h ^= h >>> 15;
    let at = Math.imul(h, 0x2c1b3c6d) >>> 0;
    at = (at ^ (at >>> 13)) & mask;
    while (this.low[at] !== -1 && !(this.low[at] === low && this.high[at] === high)) at = (at + 1) & mask;
    return at;
  }

  private rehash(): void {
    const { low, high } = this;
    this.low = new Int32Array(low.length * 2).fill(-1);
    this.high = new Int32Array(low.length * 2);
    for (let i = 0; i < low.length; i++) {
      if (low[i] === -1) continue;
      const at = this.slot(low[i]!, high[i]!);
      this.low[at] = low[i]!;
      this.high[at] = high[i]!;
    }
  }
}
