/**
 * Which examples stand in which batch. The order of an epoch is a shuffle by the stream (seed, 'sampler', epoch), so that
 * it depends on nothing but seed and epoch: a training that was stopped asks for the same epoch again and goes on at
 * its batch.
 *
 * With keys (the hash of a text, a family, a patent), no batch holds two examples that share one, since an in-batch negative
 * would then be a positive. First fit: examples are taken in shuffled order; one that shares a key with the open batch waits
 * and comes first, in order, in the batches after it. What at the end fits into no batch without a conflict stands
 * in smaller batches of its own, which `last` then keeps or leaves out by name.
 *
 *   invariants: an example stands in one batch or among the left-out ones, once; without keys all batches but
 *   the last are full; equal arguments give equal batches.
 */
import { inputError } from '../base/errors.ts';
import { stream } from '../base/random.ts';

export interface SamplerOptions {
  /** Number of examples. */
  examples: number;
  batchSize: number;
  seed: number;
  /** Default true; false keeps the order of the examples. */
  shuffle?: boolean;
  /** Keys of an example that no other example of its batch may have. Numbers or strings, none or several. */
  keys?: (example: number) => Iterable<number | string>;
  /**
   * Batches that are not full: `keep` all, `drop` all, or keep those of at least `fewest` examples. Default `drop`, since
   * a loss over in-batch negatives changes with their number.
   */
  last?: 'keep' | 'drop' | { fewest: number };
}

export interface Epoch {
  readonly batches: readonly Int32Array[];
  /** Examples that stand in no batch, in the order in which they would have come. */
  readonly leftOut: Int32Array;
}

export class BatchSampler {
  readonly options: Readonly<SamplerOptions>;
  private readonly keys: readonly (readonly (number | string)[])[] | undefined;
  private cached: { epoch: number; value: Epoch } | undefined;

  constructor(options: SamplerOptions) {
    const { examples, batchSize, keys, last } = options;
    const check = (field: string, value: number, smallest: number) => {
      if (!(Number.isInteger(value) && value >= smallest))
        throw inputError(`the sampler's ${field} is wrong`, {
          code: 'train.sampler',
          field,
          expected: `a whole number from ${smallest}`,
          found: String(value),
        });
    };
    check('batchSize', batchSize, 1);
    check('examples', examples, 1);
    if (typeof last === 'object') check('last.fewest', last.fewest, 1);
    if (last !== 'keep' && examples < smallestBatch(options))
      throw inputError('there are fewer examples than one batch holds', {
        code: 'train.few-examples',
        field: 'examples',
        expected: `at least ${smallestBatch(options)}`,
        found: String(examples),
        hint: 'Lower the batch size, or give more examples.',
      });
    this.options = options;
    this.keys = keys && Array.from({ length: examples }, (_, example) => [...new Set(keys(example))]);
  }

  /** The batches of an epoch, counted from 0. */
  epoch(epoch: number): Epoch {
    if (this.cached?.epoch !== epoch) this.cached = { epoch, value: this.make(epoch) };
    return this.cached.value;
  }

  /**
   * Batch `index` (from 0) of the whole training, epoch after epoch: what update `index` + 1 learns from, also after an interruption.
   * Epochs may differ in length where keys are given, so earlier ones are counted first.
   */
  batch(index: number): { epoch: number; index: number; examples: Int32Array } {
    let [epoch, rest] = [0, index];
    for (;;) {
      const count = this.count(epoch);
      if (count === 0)
        throw inputError('no batch can be filled without two examples that share a key', {
          code: 'train.few-examples',
          field: 'batchSize',
          found: `${this.options.examples} examples, batches of ${this.options.batchSize}`,
          hint: 'Lower the batch size, or keep smaller batches (last: keep).',
        });
      if (rest < count) return { epoch, index: rest, examples: this.epoch(epoch).batches[rest]! };
      rest -= count;
      epoch++;
    }
  }

  private readonly counts: number[] = [];

  private count(epoch: number): number {
    this.counts[epoch] ??= this.epoch(epoch).batches.length;
    return this.counts[epoch];
  }

  private make(epoch: number): Epoch {
    const { examples, batchSize, seed, shuffle = true } = this.options;
    const order = Int32Array.from({ length: examples }, (_, example) => example);
    if (shuffle) stream(seed, 'sampler', epoch).shuffle(order);
    const fewest = smallestBatch(this.options);
    const batches: Int32Array[] = [];
    const leftOut: number[] = [];
    for (const batch of this.keys ? firstFit(order, this.keys, batchSize) : cut(order, batchSize))
      if (batch.length >= fewest) batches.push(batch);
      else leftOut.push(...batch);
    return { batches, leftOut: Int32Array.from(leftOut) };
  }
}

function smallestBatch({ batchSize, last = 'drop' }: SamplerOptions): number {
  return last === 'keep' ? 1 : last === 'drop' ? batchSize : Math.min(last.fewest, batchSize);
}

function cut(order: Int32Array, size: number): Int32Array[] {
  return Array.from({ length: Math.ceil(order.length / size) }, (_, i) => order.slice(i * size, (i + 1) * size));
}

function firstFit(order: Int32Array, keys: readonly (readonly (number | string)[])[], size: number): Int32Array[] {
  const batches: Int32Array[] = [];
  let waiting: number[] = [];
  let next = 0;
  while (waiting.length > 0 || next < order.length) {
    const batch: number[] = [];
    const taken = new Set<number | string>();
    const still: number[] = [];
    const offer = (example: number) => {
      if (keys[example]!.some((key) => taken.has(key))) still.push(example);
      else {
        batch.push(example);
        for (const key of keys[example]!) taken.add(key);
      }
    };
    let used = 0;
    while (used < waiting.length && batch.length < size) offer(waiting[used++]!);
    still.push(...waiting.slice(used));
    while (next < order.length && batch.length < size) offer(order[next++]!);
    waiting = still;
    batches.push(Int32Array.from(batch));
  }
  return batches;
}
