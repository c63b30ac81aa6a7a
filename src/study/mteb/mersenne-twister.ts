/**
 * The draws of Python's `random.Random(seed)` and numpy's `RandomState(seed)`, number for number: MTEB samples with both, and
 * only the same sample can give the same score. Generator: MT19937 (Matsumoto & Nishimura 1998).
 */

const size = 624;
const middle = 397;

class MersenneTwister {
  private readonly words = new Uint32Array(size);
  private next = size;

  /** `python` seeds by `init_by_array`, `numpy` by `init_genrand`, as these two do for a whole number below 2^32. */
  constructor(seed: number, seeding: 'python' | 'numpy') {
    if (!Number.isInteger(seed) || seed < 0 || seed > 0xffffffff)
      throw new RangeError(`seed ${seed} is not in 0..2^32-1`);
    this.fill(seeding === 'python' ? 19650218 : seed);
    if (seeding === 'python') this.mixIn(seed);
  }

  uint32(): number {
    if (this.next === size) this.turn();
    let y = this.words[this.next++]!;
    y ^= y >>> 11;
    y ^= (y << 7) & 0x9d2c5680;
    y ^= (y << 15) & 0xefc60000;
    return (y ^ (y >>> 18)) >>> 0;
  }

  private fill(seed: number): void {
    const { words } = this;
    words[0] = seed;
    for (let i = 1; i < size; i++) words[i] = Math.imul(1812433253, words[i - 1]! ^ (words[i - 1]! >>> 30)) + i;
  }

  /** `init_by_array` with a key of one word. */
  private mixIn(key: number): void {
    const { words } = this;
    let i = 1;
    const step = (multiplier: number, added: number) => {
      words[i] = (words[i]! ^ Math.imul(words[i - 1]! ^ (words[i - 1]! >>> 30), multiplier)) + added;
      if (++i < size) return;
      words[0] = words[size - 1]!;
      i = 1;
    };
    for (let k = 0; k < size; k++) step(1664525, key);
    for (let k = 1; k < size; k++) step(1566083941, -i);
    words[0] = 0x80000000;
  }

  private turn(): void {
    const { words } = this;
    for (let k = 0; k < size; k++) {
      const y = (words[k]! & 0x80000000) | (words[(k + 1) % size]! & 0x7fffffff);
      words[k] = words[(k + middle) % size]! ^ (y >>> 1) ^ (y & 1 ? 0x9908b0df : 0);
    }
    this.next = 0;
  }
}

/** Python's `random.Random(seed)`. */
export class PythonRandom {
  private readonly generator: MersenneTwister;

  constructor(seed: number) {
    this.generator = new MersenneTwister(seed, 'python');
  }

  /** `random()`: in [0, 1), 53 bits. */
  random(): number {
    const high = this.generator.uint32() >>> 5;
    return (high * 0x4000000 + (this.generator.uint32() >>> 6)) / 0x20000000000000;
  }

  /** `choices(range(population), k=count)`: with replacement. */
  choices(population: number, count: number): Int32Array {
    return Int32Array.from({ length: count }, () => Math.floor(this.random() * population));
  }

  /** `sample(range(population), k=count)`: without replacement. */
  sample(population: number, count: number): Int32Array {
    const result = new Int32Array(count);
    // Python's own rule: a pool where it is smaller than a set of the chosen.
    const setSize = 21 + (count > 5 ? 4 ** Math.ceil(Math.log(count * 3) / Math.log(4)) : 0);
    if (population <= setSize) {
      const pool = Int32Array.from({ length: population }, (_, i) => i);
      for (let i = 0; i < count; i++) {
        const j = this.below(population - i);
        result[i] = pool[j]!;
        pool[j] = pool[population - i - 1]!;
      }
      return result;
    }
    const chosen = new Set<number>();
    for (let i = 0; i < count; i++) {
      let j = this.below(population);
      while (chosen.has(j)) j = this.below(population);
      chosen.add(j);
      result[i] = j;
    }
    return result;
  }

  private below(bound: number): number {
    const bits = 32 - Math.clz32(bound);
    let draw = this.generator.uint32() >>> (32 - bits);
    while (draw >= bound) draw = this.generator.uint32() >>> (32 - bits);
    return draw;
  }
}

/** `numpy.random.RandomState(seed).shuffle(items)`, in place. */
export function numpyShuffle(items: Int32Array, seed: number): void {
  const generator = new MersenneTwister(seed, 'numpy');
  fisherYates(items, (most) => {
    const mask = 0xffffffff >>> Math.clz32(most);
    let draw = (generator.uint32() & mask) >>> 0;
    while (draw > most) draw = (generator.uint32() & mask) >>> 0;
    return draw;
  });
}

/** Shuffles in place, from the last item down; `upTo` draws from 0 .. most. */
export function fisherYates(items: Int32Array, upTo: (most: number) => number): void {
  for (let i = items.length - 1; i > 0; i--) {
    const j = upTo(i);
    const kept = items[i]!;
    items[i] = items[j]!;
    items[j] = kept;
  }
}
