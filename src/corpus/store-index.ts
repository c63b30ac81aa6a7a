/**
 * Names to rows in typed arrays: open addressing over 64-bit hashes, rows of one name chained. Two names are held equal when
 * their hashes are: among a million names the chance that any two different ones meet is 3e-8.
 *
 * Memory: 8 bytes an entry (its hash), 4 each for row and link where they are needed, and 8 to 16 bytes of slots, kept at most
 * half full; nothing on the V8 heap. An import holds one entry a patent, an open corpus two or three.
 */

const none = -1;

export class NameIndex {
  /** Entries in the order added. */
  size = 0;
  private low: Uint32Array;
  private high: Uint32Array;
  /** Rows of the entries; none while the i-th entry is of row i, as where every row has one name of its own. */
  private rows = new Int32Array(0);
  /** Next entry of the same name, in the order added; none before a name has a second one. */
  private next = new Int32Array(0);
  private slots: Int32Array;
  private used = 0;
  private hashLow = 0;
  private hashHigh = 0;

  constructor(expected = 1024) {
    const capacity = Math.max(16, expected);
    this.low = new Uint32Array(capacity);
    this.high = new Uint32Array(capacity);
    this.slots = new Int32Array(powerOfTwo(capacity * 2)).fill(none);
  }

  /** The first row of a name, or -1. */
  first(name: string): number {
    const entry = this.head(name);
    return entry === none ? none : this.row(entry);
  }

  /** All rows of a name in the order added; a row added twice under one name appears once. */
  all(name: string): number[] {
    const found: number[] = [];
    for (let entry = this.head(name); entry !== none; entry = this.after(entry)) found.push(this.row(entry));
    return found;
  }

  /** Adds a name of a row; returns the row that had the name first, or -1. */
  add(name: string, row: number): number {
    const entry = this.head(name);
    if (entry !== none) {
      let last = entry;
      for (let at = entry; at !== none; at = this.after(at)) {
        if (this.row(at) === row) return this.row(entry);
        last = at;
      }
      const added = this.append(row); // may replace the arrays
      if (this.next.length === 0) this.next = new Int32Array(this.low.length).fill(none);
      this.next[last] = added;
      return this.row(entry);
    }
    const added = this.append(row);
    if (++this.used * 2 > this.slots.length) this.rehash();
    else this.slots[this.slot(this.hashLow, this.hashHigh)] = added;
    return none;
  }

  /** Frees the memory at once, not when the collector comes by; the index is empty and of no use after that. */
  release(): void {
    for (const array of [this.low, this.high, this.rows, this.next, this.slots])
      (array.buffer as ArrayBuffer).transfer(0);
    this.size = 0;
  }

  private head(name: string): number {
    this.hash(name);
    return this.slots[this.slot(this.hashLow, this.hashHigh)]!;
  }

  /** The slot that holds this hash, or the free one where it belongs. */
  private slot(low: number, high: number): number {
    const mask = this.slots.length - 1;
    let at = low & mask;
    for (;;) {
      const entry = this.slots[at]!;
      if (entry === none || (this.low[entry] === low && this.high[entry] === high)) return at;
      at = (at + 1) & mask;
    }
  }

  private row(entry: number): number {
    return this.rows.length === 0 ? entry : this.rows[entry]!;
  }

  private after(entry: number): number {
    return this.next.length === 0 ? none : this.next[entry]!;
  }

  private append(row: number): number {
    if (this.size === this.low.length) this.grow();
    if (this.rows.length === 0 && row !== this.size) {
      this.rows = new Int32Array(this.low.length);
      for (let entry = 0; entry < this.size; entry++) this.rows[entry] = entry;
    }
    const entry = this.size++;
    this.low[entry] = this.hashLow;
    this.high[entry] = this.hashHigh;
    if (this.rows.length > 0) this.rows[entry] = row;
    if (this.next.length > 0) this.next[entry] = none;
    return entry;
  }

  private grow(): void {
    // By a quarter, so that little is held in vain; the old arrays are freed at once (`transfer`).
    const capacity = this.low.length + (this.low.length >> 2) + 16;
    this.low = new Uint32Array((this.low.buffer as ArrayBuffer).transfer(capacity * 4));
    this.high = new Uint32Array((this.high.buffer as ArrayBuffer).transfer(capacity * 4));
    if (this.rows.length > 0) this.rows = new Int32Array((this.rows.buffer as ArrayBuffer).transfer(capacity * 4));
    if (this.next.length > 0) this.next = new Int32Array((this.next.buffer as ArrayBuffer).transfer(capacity * 4));
  }

  private rehash(): void {
    const heads = this.slots.filter((entry) => entry !== none);
    this.slots = new Int32Array(this.slots.length * 2).fill(none);
    for (const entry of heads) this.slots[this.slot(this.low[entry]!, this.high[entry]!)] = entry;
    const newest = this.size - 1;
    this.slots[this.slot(this.low[newest]!, this.high[newest]!)] = newest;
  }

  /** Two lanes of MurmurHash3 with constants of their own, over UTF-16 code units. */
  private hash(text: string): void {
    let low = 0x2f0b4c47;
    let high = 0x5bd1e995;
    for (let i = 0; i < text.length; i++) {
      const unit = text.charCodeAt(i);
      let k = Math.imul(unit, 0xcc9e2d51);
      k = (k << 15) | (k >>> 17);
      low ^= Math.imul(k, 0x1b873593);
      low = Math.imul((low << 13) | (low >>> 19), 5) + 0xe6546b64;
      let m = Math.imul(unit + 0x9e37, 0x239b961b);
      m = (m << 16) | (m >>> 16);
      high ^= Math.imul(m, 0x38b34ae5);
      high = Math.imul((high << 17) | (high >>> 15), 9) + 0x561ccd1b;
    }
    this.hashLow = finish(low ^ text.length);
    this.hashHigh = finish(high ^ text.length);
  }
}

function finish(h: number): number {
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

function powerOfTwo(value: number): number {
  let power = 16;
  while (power < value) power *= 2;
  return power;
}
