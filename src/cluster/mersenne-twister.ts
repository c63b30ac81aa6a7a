/**
 * MT19937 (Matsumoto & Nishimura 1998) as Python draws from it, so that a protocol written in Python gets the same samples
 * here: `random.Random(seed)` (`choices`, `sample`) and NumPy's `RandomState(seed)` (`random_sample`, `randint`, `shuffle`).
 * Both make uniform numbers of 53 bits from two words; they seed differently and draw bounded integers differently.
 */

const length = 624;
const shift = 397;

abstract class MersenneTwister {
  private readonly state: Uint32Array;
  private at = length;

  constructor(state: Uint32Array) {
    this.state = state;
  }

  /** Uniform integer in [0, 2^32). */
  uint32(): number {
    if (this.at === length) this.twist();
    let y = this.state[this.at++]!;
    y ^= y >>> 11;
    y ^= (y << 7) & 0x9d2c5680;
    y ^= (y << 15) & 0xefc60000;
    return (y ^ (y >>> 18)) >>> 0;
  }

  /** Uniform in [0, 1) with 53 random bits. */
  uniform(): number {
    const high = this.uint32() >>> 5;
    return (high * 0x4000000 + (this.uint32() >>> 6)) / 0x20000000000000;
  }

  private twist(): void {
    const { state } = this;
    for (let i = 0; i < length; i++) {
      const y = (state[i]! & 0x80000000) | (state[(i + 1) % length]! & 0x7fffffff);
      state[i] = state[(i + shift) % length]! ^ (y >>> 1) ^ (y & 1 ? 0x9908b0df : 0);
    }
    this.at = 0;
  }
}

/** Knuth's linear start from one word. */
function linearState(seed: number): Uint32Array {
  const state = new Uint32Array(length);
  state[0] = seed;
  for (let i = 1; i < length; i++) {
    const before = state[i - 1]!;
    state[i] = Math.imul(1812433253, before ^ (before >>> 30)) + i;
  }
  return state;
}

/** `random.Random(seed)` for seeds in 0 .. 2^32 - 1. */
export class PythonRandom extends MersenneTwister {
  constructor(seed: number) {
    const state = linearState(19650218);
    let i = 1;
    const next = () => {
      if (++i < length) return;
      state[0] = state[length - 1]!;
      i = 1;
    };
    for (let k = 0; k < length; k++, next())
      state[i] = (state[i]! ^ Math.imul(state[i - 1]! ^ (state[i - 1]! >>> 30), 1664525)) + seed;
    for (let k = 0; k < length - 1; k++, next())
      state[i] = (state[i]! ^ Math.imul(state[i - 1]! ^ (state[i - 1]! >>> 30), 1566083941)) - i;
    state[0] = 0x80000000;
    super(state);
  }

  /** Uniform integer in [0, bound), bound below 2^32. */
  integer(bound: number): number {
    const bits = 32 - Math.clz32(bound);
    let draw = this.uint32() >>> (32 - bits);
    while (draw >= bound) draw = this.uint32() >>> (32 - bits);
    return draw;
  }

  /** `choices(range(bound), k=count)`: with replacement. */
  choices(bound: number, count: number): Int32Array {
    return Int32Array.from({ length: count }, () => Math.floor(this.uniform() * bound));
  }

  /** `sample(range(bound), k=count)`: without replacement, in the order drawn. */
  sample(bound: number, count: number): Int32Array {
    const drawn = new Int32Array(count);
    // Python keeps a list or a set, whichever is smaller, and draws differently from them.
    const setSize = 21 + (count > 5 ? 4 ** Math.ceil(Math.log(count * 3) / Math.log(4)) : 0);
    if (bound <= setSize) {
      const pool = Int32Array.from({ length: bound }, (_, i) => i);
      for (let i = 0; i < count; i++) {
        const j = this.integer(bound - i);
        drawn[i] = pool[j]!;
        pool[j] = pool[bound - i - 1]!;
      }
      return drawn;
    }
    const taken = new Set<number>();
    for (let i = 0; i < count; i++) {
      let j = this.integer(bound);
      while (taken.has(j)) j = this.integer(bound);
      taken.add(j);
      drawn[i] = j;
    }
    return drawn;
  }
}

/** `numpy.random.RandomState(seed)` for seeds in 0 .. 2^32 - 1. */
export class NumpyRandom extends MersenneTwister {
  constructor(seed: number) {
    super(linearState(seed));
  }

  /** Uniform integer in [0, bound), bound at most 2^32; `randint` and the draws of `shuffle`. */
  integer(bound: number): number {
    if (bound === 1) return 0; // without a draw
    const mask = 0xffffffff >>> Math.clz32(bound - 1);
    let draw = (this.uint32() & mask) >>> 0;
    while (draw >= bound) draw = (this.uint32() & mask) >>> 0;
    return draw;
  }
}
