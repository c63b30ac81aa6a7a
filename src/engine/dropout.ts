/**
 * Dropout (Srivastava et al. 2014): each element is 0 with probability `rate` and x / (1 − rate) otherwise. Which ones is no
 * draw but a hash in 32-bit integer ops alone. With f MurmurHash3's finaliser (Appleby 2011), row i's key kᵢ and column j:
 *
 *   aᵢ = f(kᵢ + site · φ) | 1,   bᵢ = f(aᵢ + φ),   cⱼ = f(j · φ + 1)
 *   hᵢⱼ = aᵢ · cⱼ + bᵢ mod 2³²,   kept iff hᵢⱼ − 2³¹, a signed number, is at least rate · 2³² − 2³¹
 *
 * Multiply-shift (Dietzfelbinger 1996): any two elements of a row are independent by its theorem, rows by f; and an element
 * costs one product and one sum, a third of f itself on ONNX Runtime's CPU kernels. The same bits come out on every backend, in
 * the backward pass, in recomputation and in sub-batches: a row's key is the caller's, made of seed, step, sample and position
 * (`dropoutKeys`), so that nothing depends on what else stands in the batch.
 */
import { defineOp, fail, requireType, sameShape, showShape, type Tensor } from './graph.ts';
import type { Lowering } from './lowering.ts';
import { ndarray } from './ndarray.ts';

const golden = 0x9e3779b9;
/** Keeps the heads of one site apart. */
const headStep = 0xc2b2ae35;

export interface DropoutOptions {
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
    keys!.data.forEach((key, row) => {
      const kept = keptColumns(key, site, rate);
      for (let i = 0, at = row * width; i < width; i++, at++) if (kept(i)) result.data[at] = x!.data[at]! / (1 - rate);
    });
    return result;
  },
  lower(context, [x, keys], { rate, site }, [tensor]) {
    const width = tensor!.shape.at(-1) as number;
    // One draw for the forward and the backward pass where both stand in one program.
    const kept = context.shared(`kept ${keys} ${site} ${rate} ${width}`, () => {
      const axis = context.constant([-1], [1], 'int64');
      const key = context.shared(`dropout ${keys}`, () => context.emit('Unsqueeze', [toUint32(context, keys!), axis]));
      const columns = context.shared(`dropout columns ${width}`, () => {
        const hashes = Array.from({ length: width }, (_, column) => columnHash(column) | 0);
        return toUint32(context, context.constant(hashes, [width], 'int32'));
      });
      return lowerKept(context, lowerRows(context, key, [site]), columns, rate);
    });
    const scaled = context.emit('Mul', [x!, context.constant([1 / (1 - rate)], [])]);
    return context.emit('Mul', [scaled, lowerFactor(context, kept)]);
  },
  gradient: ({ inputs: [, keys], attributes: { rate, site } }, cotangent) => [
    dropout(cotangent, rate, { keys: keys!, site }),
    undefined,
  ],
});

/** x [..., width] with elements dropped at `rate` (0 to below 1; 0 is x itself) and the rest scaled up. */
export function dropout(x: Tensor, rate: number, { keys, site }: DropoutOptions): Tensor {
  requireRate('dropout', rate);
  return rate === 0 ? x : dropoutNode([x, keys], { rate, site });
}

export function requireRate(op: string, rate: number): void {
  if (!(rate >= 0 && rate < 1)) fail(op, `no rate of ${rate}`);
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

// The hash, in numbers ---------------------------------------------------------------------------------------------

/** Which columns a row keeps; `head`: for sites that hold several squares of rows and columns. */
export function keptColumns(key: number, site: number, rate: number, head = 0): (column: number) => boolean {
  const multiplier = finalise(key + siteOffset(site, head)) | 1;
  const offset = finalise(multiplier + golden);
  const least = threshold(rate);
  return (column) => ((Math.imul(multiplier, columnHash(column)) + offset) | 0) >= least;
}

const threshold = (rate: number) => Math.min(Math.round(rate * 2 ** 32), 2 ** 32 - 1) - 2 ** 31;
const columnHash = (column: number) => finalise(Math.imul(column, golden) + 1);
const siteOffset = (site: number, head = 0) => (Math.imul(site, golden) + Math.imul(head, headStep)) | 0;

/** fmix32 */
function finalise(value: number): number {
  let h = value >>> 0;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

// The hash, as nodes -----------------------------------------------------------------------------------------------

/** Multipliers a and offsets b, uint32. */
export interface LoweredRows {
  multipliers: string;
  offsets: string;
}

/** Of keys, uint32 [..., 1], at a site; at a site with several heads [..., heads]. */
export function lowerRows(context: Lowering, keys: string, [site, heads]: readonly [number, number?]): LoweredRows {
  const offsets = Array.from({ length: heads ?? 1 }, (_, head) => siteOffset(site, head));
  const shape = heads === undefined ? [] : [heads];
  const sites = toUint32(context, context.constant(offsets, shape, 'int32'));
  const hash = lowerFinalise(context, context.emit('Add', [keys, sites]));
  const multipliers = context.emit('BitwiseOr', [hash, number(context, 1)]);
  return {
    multipliers,
    offsets: lowerFinalise(context, context.emit('Add', [multipliers, number(context, golden)])),
  };
}

/** cⱼ of column numbers, any integers: uint32. */
export function lowerColumns(context: Lowering, columns: string): string {
  const turned = context.emit('Mul', [toUint32(context, columns), number(context, golden)]);
  return lowerFinalise(context, context.emit('Add', [turned, number(context, 1)]));
}

/** bool: whether an element is kept, for rows [..., 1] against columns. */
export function lowerKept(
  context: Lowering,
  { multipliers, offsets }: LoweredRows,
  columns: string,
  rate: number,
): string {
  const hash = context.emit('Add', [context.emit('Mul', [multipliers, columns]), offsets]);
  const signed = context.emit('Cast', [hash], { to: 6 });
  return context.emit('GreaterOrEqual', [signed, context.constant([threshold(rate)], [], 'int32')]);
}

/** 1 where kept and 0 where not: a product with it takes a quarter of the time of a choice. */
export const lowerFactor = (context: Lowering, kept: string) => context.emit('Cast', [kept], { to: 1 });

function lowerFinalise(context: Lowering, value: string): string {
  const shift = (h: string, by: number) => context.emit('BitShift', [h, number(context, by)], { direction: 'RIGHT' });
  const mix = (h: string, by: number) => context.emit('BitwiseXor', [h, shift(h, by)]);
  const times = (h: string, factor: number) => context.emit('Mul', [h, number(context, factor)]);
  return mix(times(mix(times(mix(value, 16), 0x85ebca6b), 13), 0xc2b2ae35), 16);
}

/** int32 read as uint32: the graph has no constants of that type. */
export const toUint32 = (context: Lowering, value: string) => context.emit('Cast', [value], { to: 12 });

const number = (context: Lowering, value: number) =>
  context.shared(`uint32 ${value >>> 0}`, () => toUint32(context, context.constant([value | 0], [], 'int32')));
