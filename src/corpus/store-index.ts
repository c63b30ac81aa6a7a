/**
 * Names to rows in typed arrays: open addressing over 64-bit hashes, rows of one name chained. Two names are held equal when
 * their
 * hashes are: among a million names the chance that any two different ones meet is 3e-8.
 *
 * Memory: 16 bytes an entry (hash, row, link) and 8 to 16 bytes of slots, kept at most half full; nothing on the V8 heap.
 * An import holds one entry a patent (24–32 bytes), an open corpus two or three.
 */

const none = -1;

export class NameIndex {
  /** Entries in the order added. */
  size = 0;
  private low: Uint32Array;
  private high: Uint32Array;
  private rows: Int32Array;
  /** Next entry of the same name, in the order added. */
  private next: Int32Array;
  private slots: Int32Array;
  private used = 0;
  private hashLow = 0;
  private hashHigh = 0;

  constructor(expected = 1024) {
    const capacity = Math.max(16, expected);
    this.low = new Uint32Array(capacity);
    this.high = new Uint32Array(capacity);
    this.rows = new Int32Array(capacity);
    this.next = new Int32Array(capacity);
    this.slots = new Int32Array(powerOfTwo(capacity * 2)).fill(none);
  }

  /** The first row of a name, or -1. */
  first(name: string): number {
    const entry = this.head(name);
    return entry === none ? none : this.rows[entry]!;
  }

  /** All rows of a name in the order added; a row added twice under one name appears once. */
  all(name: string): number[] {
    const found: number[] = [];
    for (let entry = this.head(name); entry !== none; entry = this.next[entry]!) found.push(this.rows[entry]!);
    return found;
  }

  /** Adds a name of a row; returns the row that had the name first, or -1. */
  add(name: string, row: number): number {
    const entry = this.head(name);
    if (entry !== none) {
      let last = entry;
      for (let at = entry; at !== none; at = this.next[at]!) {
        if (this.rows[at] === row) return this.rows[entry]!;
        last = at;
      }
      this.next[last] = this.append(row);
      return this.rows[entry]!;
    }
    const added = this.append(row);
    if (++this.used * 2 > this.slots.length) this.rehash();
    else this.slots[this.slot(this.hashLow, this.hashHigh)] = added;
    return none;
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

  private append(row: number): number {
    if (this.size === this.rows.length) this.grow();
    const entry = this.size++;
    this.low[entry] = this.hashLow;
    this.high[entry] = this.hashHigh;
    this.rows[entry] = row;
    this.next[entry] = none;
    return entry;
  }

  private grow(): void {
    // By a half, so that little is held in vain; the old arrays are freed at once (`transfer`).
    const capacity = this.rows.length + (this.rows.length >> 1) + 16;
    this.low = new Uint32Array((this.low.buffer as ArrayBuffer).transfer(capacity * 4));
    this.high = new Uint32Array((this.high.buffer as ArrayBuffer).transfer(capacity * 4));
    this.rows = new Int32Array((this.rows.buffer as ArrayBuffer).transfer(capacity * 4));
    this.next = new Int32Array((this.next.buffer as ArrayBuffer).transfer(capacity * 4));
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
