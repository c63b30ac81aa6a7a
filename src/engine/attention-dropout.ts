/**
 * Dropout of attention's probabilities (Vaswani et al. 2017, as transformers trains): what both passes draw.
 *
 *   O = (M ∘ P) V / (1 − rate),   M[head, i, j] = 1 where row i's key keeps column j (dropout.ts; j counts from the
 *   sequence's first row)
 *
 * M depends on the row's key, the site, the head and j alone: not on the batch, its padding or the block of queries, and the
 * gradient (attention-gradient.ts) draws it again instead of keeping it.
 */
import { type AttentionAttributes, int64, placesOf } from './attention-parts.ts';
import { type Heads, numberOfHeads, type Sequence } from './attention-sequences.ts';
import { type LoweredRows, lowerColumns, lowerFactor, lowerKept, lowerRows, toUint32 } from './dropout.ts';
import type { Lowering } from './lowering.ts';

/** What masks are made of: rows' numbers [heads, rows, 1] and columns' [keys], uint32. */
export interface LoweredDraw extends LoweredRows {
  columns: string;
}

export type DrawnRows = keyof LoweredRows;

/** A batch's: `keys` int32 [tokens], `rows` the layout's [batch, seq]; `seq` its length, int64 [1]. Shared by both passes. */
export function lowerDraw(
  context: Lowering,
  keys: string,
  rows: string,
  seq: string,
  { heads, dropout }: AttentionAttributes,
): { rows: Record<DrawnRows, Heads>; columns: string } {
  const site = dropout!.site;
  const column = context.shared(`dropout ${keys}`, () =>
    context.emit('Unsqueeze', [toUint32(context, keys), int64(context, -1)]),
  );
  const shared = context.shared(`draw ${keys} ${site} ${heads}`, () => {
    const { multipliers, offsets } = lowerRows(context, column, [site, heads]);
    return `${multipliers}\n${offsets}`;
  });
  const [multipliers, offsets] = shared.split('\n') as [string, string]; // [tokens, heads]
  return {
    rows: {
      multipliers: numberOfHeads(context, multipliers, rows, heads, 'uint32'),
      offsets: numberOfHeads(context, offsets, rows, heads, 'uint32'),
    },
    columns: context.shared(`columns ${seq}`, () => lowerColumns(context, placesOf(context, seq))),
  };
}

/** One sequence's. */
export const drawOf = ({ heads, cut }: Sequence<never, DrawnRows>, columns: string): LoweredDraw => ({
  multipliers: heads.multipliers!,
  offsets: heads.offsets!,
  columns: cut(columns, 0),
});

/** 1 where kept, 0 where dropped, float32 [heads, rows, keys]. */
export const keptFactor = (context: Lowering, draw: LoweredDraw, rate: number): string =>
  lowerFactor(context, lowerKept(context, draw, draw.columns, rate));

/** The draw of queries from `start` to `stop` against keys from `first` to `end`. */
export function cutDraw(
  context: Lowering,
  { multipliers, offsets, columns }: LoweredDraw,
  { start, stop, first, end }: { start: string; stop: string; first: string; end: string },
): LoweredDraw {
  const rows = (value: string) => context.emit('Slice', [value, start, stop, int64(context, 1)]);
  return {
    multipliers: rows(multipliers),
    offsets: rows(offsets),
    columns: context.emit('Slice', [columns, first, end, int64(context, 0)]),
  };
}
