/**
 * Dropout (Srivastava et al. 2014): each element is 0 with probability `rate` and x / (1 − rate) otherwise. Which ones is no
 * draw but a hash of (row's key, site, column), by MurmurHash3's 32-bit finaliser f (Appleby 2011) in integer ops alone:
 *
 *   h = f(f(key + site · φ) + f(column · φ + 1)),   dropped iff the upper 24 bits of h lie below rate · 2²⁴
 *
 * with the last xor of the outer f left out: the product's upper bits are its best mixed ones. The same bits come out on every backend, in
 * the backward pass, in recomputation and in sub-batches: a row's key is the caller's, made of seed, step, sample and position
 * (`dropoutKeys`), so that nothing depends on what else stands in the batch.
 */
import { defineOp, fail, requireType, sameShape, showShape, type Tensor } from './graph.ts';
import type { Lowering } from './lowering.ts';
import { ndarray } from './ndarray.ts';

const golden = 0x9e3779b9;
const bits = 24;

interface DropoutOptions {
  /** int32, one key for each row of x: [...] for x [..., width]. */
  keys: Tensor;
  /** Tells the places of a network apart: equal keys and sites drop the same elements. */
  site: number;
}

const dropoutNode = defineOp<{ rate: number; site: number }>({
  name: 'dropout',
  infer([x, keys]) {
    requireType('dropout', x!, 'float32');
    requireType('dropout', keys!, 'int32');
    if (typeof x!.shape.at(-1) !== 'number') fail('dropout', `the last axis of ${showShape(x!.shape)} needs a number`);
    if (!sameShape(keys!.shape, x!.shape.slice(0, -1)))
      fail('dropout', `keys ${showShape(keys!.shape)} for x ${showShape(x!.shape)}`);
    return { dtype: 'float32', shape: x!.shape };
  },
  evaluate([x, keys], { rate, site }, shape) {
    const result = ndarray(shape);
    const width = shape.at(-1)!;
    const columns = Uint32Array.from({ length: width }, (_, column) => columnHash(column));
    keys!.data.forEach((key, row) => {
      const own = finalise(key + Math.imul(site, golden));
      for (let i = 0; i < width; i++) {
        const at = row * width + i;
        if (finalise(own + columns[i]!, false) >>> (32 - bits) >= threshold(rate))
          result.data[at] = x!.data[at]! / (1 - rate);
      }
    });
    return result;
  },
  lower(context, [x, keys], { rate, site }, [tensor]) {
    const width = tensor!.shape.at(-1) as number;
    const axis = context.constant([-1], [1], 'int64');
    const key = context.shared(`dropout ${keys}`, () => context.emit('Unsqueeze', [toUint32(context, keys!), axis]));
    const own = lowerFinalise(context, context.emit('Add', [key, number(context, Math.imul(site, golden))])); // [..., 1]
    const columns = context.shared(`dropout columns ${width}`, () => {
      const hashes = Array.from({ length: width }, (_, column) => columnHash(column) | 0);
      return toUint32(context, context.constant(hashes, [width], 'int32'));
    });
    const hash = lowerFinalise(context, context.emit('Add', [own, columns]), false);
    const upper = context.emit('Cast', [shiftRight(context, hash, 32 - bits)], { to: 6 });
    const dropped = context.emit('Less', [upper, context.constant([threshold(rate)], [], 'int32')]);
    const scaled = context.emit('Mul', [x!, context.constant([1 / (1 - rate)], [])]);
    return context.emit('Where', [dropped, context.constant([0], []), scaled]);
  },
  gradient: ({ inputs: [, keys], attributes: { rate, site } }, cotangent) => [
    dropout(cotangent, rate, { keys: keys!, site }),
    undefined,
  ],
});

/** x [..., width] with elements dropped at `rate` (0 to below 1; 0 is x itself) and the rest scaled up. */
export function dropout(x: Tensor, rate: number, { keys, site }: DropoutOptions): Tensor {
  if (!(rate >= 0 && rate < 1)) fail('dropout', `no rate of ${rate}`);
  return rate === 0 ? x : dropoutNode([x, keys], { rate, site });
}

/**
 * The keys of a batch's rows for one step: for each sample its rows' keys by position, whatever the batch is made of.
 * `samples` are numbers of the samples; a sample that stands twice in a batch draws the same.
 */
export function dropoutKeys({
  seed,
  step,
  samples,
  lengths,
}: {
  seed: number;
  step: number;
  samples: ArrayLike<number>;
  lengths: ArrayLike<number>;
}): Int32Array {
  const total = Array.from(lengths).reduce((a, b) => a + b, 0);
  const keys = new Int32Array(total);
  const start = finalise(finalise(seed + golden) + Math.imul(step, golden));
  for (let i = 0, at = 0; i < lengths.length; i++) {
    const sample = finalise(start + Math.imul(samples[i]!, 0x85ebca6b) + 1);
    for (let position = 0; position < lengths[i]!; position++)
      keys[at++] = finalise(sample + Math.imul(position, golden));
  }
  return keys;
}

const threshold = (rate: number) => Math.round(rate * 2 ** bits);
const columnHash = (column: number) => finalise(Math.imul(column, golden) + 1);

/** fmix32; `last`: with its last xor. */
function finalise(value: number, last = true): number {
  let h = value >>> 0;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (last ? h ^ (h >>> 16) : h) >>> 0;
}

function lowerFinalise(context: Lowering, value: string, last = true): string {
  const mix = (h: string, by: number) => context.emit('BitwiseXor', [h, shiftRight(context, h, by)]);
  const times = (h: string, factor: number) => context.emit('Mul', [h, number(context, factor)]);
  const h = times(mix(times(mix(value, 16), 0x85ebca6b), 13), 0xc2b2ae35);
  return last ? mix(h, 16) : h;
}

const shiftRight = (context: Lowering, value: string, by: number) =>
  context.emit('BitShift', [value, number(context, by)], { direction: 'RIGHT' });

/** int32 read as uint32: the graph has no constants of that type. */
const toUint32 = (context: Lowering, value: string) => context.emit('Cast', [value], { to: 12 });

const number = (context: Lowering, value: number) =>
  context.shared(`uint32 ${value >>> 0}`, () => toUint32(context, context.constant([value | 0], [], 'int32')));
