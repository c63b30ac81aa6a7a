/**
 * Attention's work one sequence at a time: a Scan over the batch, as training does it in both directions. So the squares
 * [heads, length, length] of one sequence stay in the cache, and a sequence costs what its own length asks for, not what the
 * longest of its batch does.
 *
 * ONNX's Scan takes slices of one shape. What it takes is therefore where a sequence's heads stand, int32 [heads, seq]: cut to
 * the sequence's length, it picks the values themselves. What it gives is padded with zeros to the longest length. On other
 * devices than the CPU, where a length that is only known on the device would hold up each step, sequences stay padded, and
 * `hidden` and `real` keep their padding out.
 */
import { type AttentionAttributes, type HeadPieces, headPlaces, int64, placesOf } from './attention-parts.ts';
import type { Lowering } from './lowering.ts';
import type { ElementType, OnnxValue } from './onnx.ts';

/** A batch's heads, [batch, count, seq, size], as pieces that are picked sequence by sequence. */
export interface Heads extends HeadPieces {
  count: number;
  size: number;
  type: ElementType;
}

/** One sequence within the Scan. */
export interface Sequence<Names extends string, Optional extends string = never> {
  /** [count, length, size] */
  heads: Readonly<Record<Names, string> & Partial<Record<Optional, string>>>;
  /** int64 [1] */
  length: string;
  /** Added to scores to hide padding, [length]; none where there is no padding. */
  hidden: readonly string[];
  /** A value of rows [..., length, size] with its padding zeroed. */
  real(value: string): string;
  /** Of a value that is as long as the longest sequence along these axes, this one's part. */
  cut(value: string, ...axes: number[]): string;
}

export interface Made {
  value: string;
  shape: readonly (number | string)[];
  /** Axes along which it is as long as the sequence; what the Scan gives is as long as the longest. */
  axes: readonly number[];
}

/**
 * Emits the Scan and returns what it gives: `sum` as it is at the end where there is one, then each of what `work` made, by
 * sequence. `lengths` int64 [batch], `seq` int64 [1]. `sum.initial` takes up `work`'s first value sequence by sequence.
 */
export function scanSequences<Names extends string, Optional extends string>(
  context: Lowering,
  heads: Readonly<Record<Names, Heads> & Partial<Record<Optional, Heads>>>,
  lengths: string,
  seq: string,
  work: (inner: Lowering, sequence: Sequence<Names, Optional>) => readonly Made[],
  sum?: { initial: string },
): string[] {
  const isCut = context.device === 'cpu';
  const named = Object.entries(heads) as [string, Heads][];
  const tables = [...new Map(named.map(([, { places, count }]) => [places, count]))];
  const scanned: { value: OnnxValue; given: string }[] = isCut
    ? tables.map(([given, count], i) => ({
        value: { name: `places ${i}`, type: 'int32', shape: [count, 'seq'] },
        given,
      }))
    : named.map(([name, { pieces, places, count, size, type }]) => ({
        value: { name, type, shape: [count, 'seq', size] },
        given: context.emit('Gather', [pieces, places], { axis: 0 }),
      }));
  scanned.push({ value: { name: 'length', type: 'int64', shape: [] }, given: lengths });
  const columns = isCut ? '' : placesOf(context, seq);
  let made: readonly Made[] = [];
  const body = context.subgraph(
    [
      ...(sum ? [{ name: 'sum', type: 'float32', shape: ['heads', 'rows', 'keys'] } as const] : []),
      ...scanned.map(({ value }) => value),
    ],
    (inner) => {
      const sequence = isCut
        ? cutSequence<Names>(inner, named, tables)
        : paddedSequence<Names>(inner, named, columns, seq);
      made = work(inner, sequence);
      const missing = isCut ? inner.emit('Sub', [seq, sequence.length]) : '';
      return made.map(({ value, shape, axes }, i): OnnxValue => {
        const zeros = int64(inner, ...axes.map(() => 0));
        const pads = isCut ? inner.emit('Concat', [zeros, ...axes.map(() => missing)], { axis: 0 }) : '';
        const whole = isCut ? inner.emit('Pad', [value, pads, '', int64(inner, ...axes)]) : value;
        return { name: sum && i === 0 ? inner.emit('Add', ['sum', whole]) : whole, type: 'float32', shape };
      });
    },
  );
  return context.emitMany('Scan', [...(sum ? [sum.initial] : []), ...scanned.map(({ given }) => given)], made.length, {
    body,
    num_scan_inputs: scanned.length,
  });
}

function cutSequence<Names extends string>(
  inner: Lowering,
  named: readonly [string, Heads][],
  tables: readonly [string, number][],
): Sequence<Names> {
  const length = inner.emit('Unsqueeze', ['length', int64(inner, 0)]);
  const cut = (value: string, ...axes: number[]) =>
    inner.emit('Slice', [
      value,
      int64(inner, ...axes.map(() => 0)),
      inner.emit('Concat', Array<string>(axes.length).fill(length), { axis: 0 }),
      int64(inner, ...axes),
    ]);
  const places = new Map(tables.map(([table], i) => [table, cut(`places ${i}`, 1)]));
  const heads = named.map(([name, of]) => [
    name,
    inner.emit('Gather', [of.pieces, places.get(of.places)!], { axis: 0 }),
  ]);
  return {
    heads: Object.fromEntries(heads) as Sequence<Names>['heads'],
    length,
    hidden: [],
    real: (value) => value,
    cut,
  };
}

function paddedSequence<Names extends string>(
  inner: Lowering,
  named: readonly [string, Heads][],
  columns: string,
  seq: string,
): Sequence<Names> {
  const real = inner.emit('Less', [columns, 'length']); // [seq]
  const rows = inner.emit('Unsqueeze', [inner.emit('Cast', [real], { to: 1 }), int64(inner, 1)]); // [seq, 1]
  return {
    heads: Object.fromEntries(named.map(([name]) => [name, name])) as Sequence<Names>['heads'],
    length: seq,
    hidden: [inner.emit('Where', [real, inner.constant([0], []), inner.constant([-1e30], [])])],
    real: (value) => inner.emit('Mul', [value, rows]),
    cut: (value) => value,
  };
}

/** What is scanned of query, key and value. */
export const headsOf = (
  { heads, keyHeads, size, valueSize }: AttentionAttributes,
  query: HeadPieces,
  key: HeadPieces,
  value: HeadPieces,
) => ({
  query: { ...query, count: heads, size, type: 'float32' } satisfies Heads,
  key: { ...key, count: keyHeads, size, type: 'float32' } satisfies Heads,
  value: { ...value, count: keyHeads, size: valueSize, type: 'float32' } satisfies Heads,
});

/** One number a head, [tokens, heads]. */
export const numberOfHeads = (
  context: Lowering,
  value: string,
  rows: string,
  heads: number,
  type: ElementType,
): Heads => ({
  pieces: context.emit('Reshape', [value, int64(context, -1, 1)]),
  places: headPlaces(context, rows, heads, 0, heads),
  count: heads,
  size: 1,
  type,
});
