/**
 * The draws of `numpy.random.default_rng(seed)` that a stratified sample of Hugging Face's `datasets` needs, number for
 * number: permutations and choices without replacement. Generator: PCG64 (O'Neill 2014, XSL-RR 128/64), seeded by numpy's
 * SeedSequence. numpy shuffles by masked rejection what a caller hands it, and by Lemire's rejection what it chose itself.
 */
const bits64 = 0xffffffffffffffffn;
const bits128 = (1n << 128n) - 1n;
const multiplier = 0x2360ed051fc65da44385df649fccf645n;

export class NumpyGenerator {
  private state = 0n;
  private readonly increment: bigint;
  /** The upper half of the last 64 bits, where only the lower has been used. */
  private spare: number | undefined;

  /** `seed` is a whole number below 2^32. */
  constructor(seed: number) {
    const [a, b, c, d] = seedWords(seed) as [bigint, bigint, bigint, bigint];
    this.increment = ((((c << 64n) | d) << 1n) | 1n) & bits128;
    this.step();
    this.state = (this.state + ((a << 64n) | b)) & bits128;
    this.step();
  }

  /** `permutation(items)`: a shuffled copy. */
  permutation(items: ArrayLike<number>): Int32Array {
    const result = Int32Array.from(items);
    fisherYates(result, (most) => this.masked(most));
    return result;
  }

  /** `choice(items, size=count, replace=False)`; at most 10,000 items, where numpy takes Floyd's algorithm. */
  choice(items: ArrayLike<number>, count: number): Int32Array {
    if (items.length > 10_000) throw new RangeError(`a choice among ${items.length} items is drawn otherwise by numpy`);
    const chosen = new Set<number>();
    for (let last = items.length - count; last < items.length; last++) {
      const draw = this.upTo(last);
      chosen.add(chosen.has(draw) ? last : draw);
    }
    const places = Int32Array.from(chosen);
    fisherYates(places, (most) => this.upTo(most));
    return places.map((place) => items[place]!);
  }

  /** Uniform in 0 .. most, by Lemire's rejection. */
  private upTo(most: number): number {
    if (most === 0) return 0;
    const range = most + 1;
    const threshold = (0xffffffff - most) % range;
    for (;;) {
      const product = BigInt(this.uint32()) * BigInt(range);
      if (Number(product & 0xffffffffn) >= threshold) return Number(product >> 32n);
    }
  }

  /** Uniform in 0 .. most, by rejection of masked bits. */
  private masked(most: number): number {
    const mask = 0xffffffff >>> Math.clz32(most);
    let draw = (this.uint32() & mask) >>> 0;
    while (draw > most) draw = (this.uint32() & mask) >>> 0;
    return draw;
  }

  private uint32(): number {
    if (this.spare !== undefined) {
      const value = this.spare;
      this.spare = undefined;
      return value;
    }
    this.step();
    const folded = (this.state >> 64n) ^ (this.state & bits64);
    const turn = this.state >> 122n;
    const value = ((folded >> turn) | (folded << ((64n - turn) & 63n))) & bits64;
    this.spare = Number(value >> 32n);
    return Number(value & 0xffffffffn);
  }

  private step(): void {
    this.state = (this.state * multiplier + this.increment) & bits128;
  }
}

/** Shuffles in place, from the last item down, as numpy and Python do; `upTo` draws from 0 .. most. */
export function fisherYates(items: Int32Array, upTo: (most: number) => number): void {
  for (let i = items.length - 1; i > 0; i--) {
    const j = upTo(i);
    const kept = items[i]!;
    items[i] = items[j]!;
    items[j] = kept;
  }
}

/** `SeedSequence(seed).generate_state(4, uint64)`. */
function seedWords(seed: number): bigint[] {
  if (!Number.isInteger(seed) || seed < 0 || seed > 0xffffffff)
    throw new RangeError(`seed ${seed} is not in 0..2^32-1`);
  let constant = 0x43b0d7e5;
  const hash = (value: number) => {
    const mixed = value ^ constant;
    constant = Math.imul(constant, 0x931e8875);
    const product = Math.imul(mixed, constant);
    return product ^ (product >>> 16);
  };
  const pool = [seed, 0, 0, 0].map(hash);
  for (let from = 0; from < 4; from++) {
    for (let to = 0; to < 4; to++) {
      if (from === to) continue;
      const mixed = Math.imul(0xca01f9dd, pool[to]!) - Math.imul(0x4973f715, hash(pool[from]!));
      pool[to] = mixed ^ (mixed >>> 16);
    }
  }
  let last = 0x8b51f9dd;
  const words = Array.from({ length: 8 }, (_, i) => {
    const mixed = pool[i % 4]! ^ last;
    last = Math.imul(last, 0x58f38ded);
    const product = Math.imul(mixed, last);
    return BigInt((product ^ (product >>> 16)) >>> 0);
  });
  return [0, 2, 4, 6].map((i) => words[i]! | (words[i + 1]! << 32n));
}
