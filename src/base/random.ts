/**
 * Seeded random streams. A stream is named by a seed and a path of names (`stream(7, 'bootstrap', 'ndcg@10')`), so that
 * adding a draw in one place never shifts another place, and no stream depends on which worker runs it.
 *
 * Generator: xoshiro128** (Blackman & Vigna 2018), 128 bits of state, seeded from the path by MurmurHash3's 32-bit
 * mixing. The state can be saved and restored, so that resumed work continues the same sequence.
 */

type RandomState = readonly [number, number, number, number];

export class RandomStream {
  private a: number;
  private b: number;
  private c: number;
  private d: number;

  constructor(state: RandomState) {
    [this.a, this.b, this.c, this.d] = state;
    if ((this.a | this.b | this.c | this.d) === 0) this.d = 1; // the all-zero state is a fixed point
  }

  get state(): RandomState {
    return [this.a, this.b, this.c, this.d];
  }

  /** Uniform integer in [0, 2^32). */
  uint32(): number {
    const product = Math.imul(this.b, 5);
    const result = Math.imul((product << 7) | (product >>> 25), 9) >>> 0;
    const t = this.b << 9;
    this.c ^= this.a;
    this.d ^= this.b;
    this.b ^= this.c;
    this.a ^= this.d;
    this.c ^= t;
    this.d = (this.d << 11) | (this.d >>> 21);
    return result;
  }

  /** What `out.length` calls of uint32() would give, several times faster: the state stays in local variables. */
  fill(out: Uint32Array): void {
    let { a, b, c, d } = this;
    for (let i = 0; i < out.length; i++) {
      const product = Math.imul(b, 5);
      out[i] = Math.imul((product << 7) | (product >>> 25), 9);
      const t = b << 9;
      c ^= a;
      d ^= b;
      b ^= c;
      a ^= d;
      c ^= t;
      d = (d << 11) | (d >>> 21);
    }
    [this.a, this.b, this.c, this.d] = [a, b, c, d];
  }

  /** Uniform in [0, 1) with 53 random bits. */
  uniform(): number {
    return ((this.uint32() >>> 5) * 0x4000000 + (this.uint32() >>> 6)) / 0x20000000000000;
  }

  /** Uniform integer in [0, bound), without modulo bias (Lemire 2019 by rejection). */
  integer(bound: number): number {
    if (!(bound >= 1 && bound <= 0x100000000)) throw new RangeError(`bound must lie in 1..2^32, got ${bound}`);
    const limit = 0x100000000 - (0x100000000 % bound);
    let draw = this.uint32();
    while (draw >= limit) draw = this.uint32();
    return draw % bound;
  }

  /** Standard normal (Box–Muller, one value a call so that the state alone determines the rest). */
  normal(): number {
    const radius = Math.sqrt(-2 * Math.log(1 - this.uniform()));
    return radius * Math.cos(2 * Math.PI * this.uniform());
  }

  /** Fisher–Yates, in place. */
  shuffle<T extends { length: number; [index: number]: unknown }>(items: T): T {
    for (let i = items.length - 1; i > 0; i--) {
      const j = this.integer(i + 1);
      const kept = items[i];
      items[i] = items[j];
      items[j] = kept;
    }
    return items;
  }

  pick<T>(items: readonly T[]): T {
    return items[this.integer(items.length)]!;
  }
}

/** The stream named by a seed and a path of names; equal arguments give equal streams. */
export function stream(seed: number, ...path: (string | number)[]): RandomStream {
  const text = [seed, ...path].map((part) => `${typeof part === 'number' ? '#' : '$'}${part}`).join('\u0000');
  const state = [0, 1, 2, 3].map((lane) => murmur3(text, 0x9e3779b9 * (lane + 1))) as unknown as RandomState;
  return new RandomStream(state);
}

/** MurmurHash3 (x86, 32 bit) over UTF-16 code units: for seeding and hash tables, not for identity. */
export function murmur3(text: string, seed = 0): number {
  let h = seed | 0;
  for (let i = 0; i < text.length; i++) {
    let k = Math.imul(text.charCodeAt(i), 0xcc9e2d51);
    k = (k << 15) | (k >>> 17);
    h ^= Math.imul(k, 0x1b873593);
    h = Math.imul((h << 13) | (h >>> 19), 5) + 0xe6546b64;
  }
  h ^= text.length;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}
