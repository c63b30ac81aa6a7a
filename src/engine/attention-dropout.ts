/**
 * Attention with dropout of its probabilities (Vaswani et al. 2017, as transformers trains): forward pass.
 *
 *   O = (M ∘ P) V / (1 − rate),   M[head, i, j] = 1 where row i's key keeps column j (dropout.ts; j counts from the
 *   sequence's first row)
 *
 * M depends on the row's key, the site, the head and j alone: not on the batch, its padding or the block of queries, and the
 * gradient (attention-gradient.ts) draws it again instead of keeping it. ONNX's own Attention drops nothing, so this is written
 * out, one sequence at a time (a Scan over the batch), and sequences longer than two blocks take their queries block by block.
 */
import {
  type AttentionAttributes,
  attendedRange,
  int64,
  maskBetween,
  type Padded,
  placesOf,
  product,
  type Range,
  scalarOf,
  spreadHeads,
} from './attention-parts.ts';
import { type LoweredRows, lowerColumns, lowerFactor, lowerKept, lowerRows, toUint32 } from './dropout.ts';
import type { Lowering } from './lowering.ts';
import type { OnnxValue } from './onnx.ts';

/** What a batch's masks are made of: rows' numbers [batch, heads, seq] and columns' [seq], uint32. */
export interface LoweredDraw extends LoweredRows {
  columns: string;
}

/** `keys` int32 [tokens], `rows` the layout's [batch, seq]; `seq` its length, int64 [1]. Shared by both passes. */
export function lowerDraw(
  context: Lowering,
  keys: string,
  rows: string,
  seq: string,
  { heads, dropout }: AttentionAttributes,
): LoweredDraw {
  const site = dropout!.site;
  const padded = context.shared(`keys ${keys} of ${rows}`, () => {
    const picked = context.emit('Gather', [keys, rows], { axis: 0 }); // [batch, seq]
    return context.emit('Unsqueeze', [toUint32(context, picked), int64(context, 1)]);
  });
  const shared = context.shared(`draw ${keys} ${rows} ${site} ${heads}`, () => {
    const { multipliers, offsets } = lowerRows(context, padded, [site, heads]);
    return `${multipliers}\n${offsets}`;
  });
  const [multipliers, offsets] = shared.split('\n') as [string, string];
  const columns = context.shared(`columns ${seq}`, () => lowerColumns(context, placesOf(context, seq)));
  return { multipliers, offsets, columns };
}

/** What a Scan body calls one sequence's rows of a draw, [heads, seq], and their types. */
export const drawValues = (heads: number): OnnxValue[] =>
  ['multipliers', 'offsets'].map((name) => ({ name, type: 'uint32', shape: [heads, 'seq'] }));

/** Rows [heads, rows] against columns [keys]: 1 where kept, 0 where dropped, float32 [heads, rows, keys]. */
export function keptFactor(context: Lowering, { multipliers, offsets, columns }: LoweredDraw, rate: number): string {
  const column = (value: string) => context.emit('Unsqueeze', [value, int64(context, -1)]);
  const kept = lowerKept(context, { multipliers: column(multipliers), offsets: column(offsets) }, columns, rate);
  return lowerFactor(context, kept);
}

/** The output [batch, heads, seq, size]. `seq` stands outside as int64 [1], `bias` [heads, seq, seq]. */
export function attendWithDropout(
  context: Lowering,
  { query, key, value, visible }: Padded,
  draw: LoweredDraw,
  seq: string,
  bias: string | undefined,
  attributes: AttentionAttributes,
): string {
  const { heads, keyHeads, size, valueSize, block } = attributes;
  const places = placesOf(context, seq);
  const float = (name: string, ...shape: (number | string)[]) => ({ name, type: 'float32' as const, shape });
  const scan = (
    outer: Lowering,
    work: (inner: Lowering, piece: Piece, masks: readonly string[]) => string,
    masks: readonly string[],
  ) => {
    const body = outer.subgraph(
      [
        float('query', heads, 'seq', size),
        float('key', keyHeads, 'seq', size),
        float('value', keyHeads, 'seq', valueSize),
        ...drawValues(heads),
        { name: 'length', type: 'int64', shape: [] },
      ],
      (inner) => {
        const real = inner.emit('Less', [places, 'length']); // [seq]
        const hidden = inner.emit('Where', [real, inner.constant([0], []), inner.constant([-1e30], [])]);
        const piece: Piece = {
          query: 'query',
          key: spreadHeads(inner, 'key', heads, keyHeads),
          value: spreadHeads(inner, 'value', heads, keyHeads),
          draw: { multipliers: 'multipliers', offsets: 'offsets', columns: draw.columns },
          hidden,
        };
        return [float(work(inner, piece, masks), heads, 'seq', valueSize)];
      },
    );
    const scanned = [query, key, value, draw.multipliers, draw.offsets, visible];
    return outer.emit('Scan', scanned, { body, num_scan_inputs: scanned.length });
  };
  const short = (outer: Lowering) => {
    const whole: Range = { start: int64(outer, 0), length: seq };
    const masks = maskBetween(outer, attributes, whole, whole).map((mask) =>
      outer.emit('Squeeze', [mask, int64(outer, 0)]),
    );
    const all = bias === undefined ? masks : [...masks, bias];
    const added = all.length === 0 ? [] : [all.reduce((a, b) => outer.emit('Add', [a, b]))];
    return scan(outer, (inner, piece, made) => attendPiece(inner, piece, made, attributes), added);
  };
  const long = (outer: Lowering) =>
    scan(outer, (middle, piece) => attendPieceByBlocks(middle, piece, seq, attributes), []);
  if (bias !== undefined) return short(context);
  const isLong = context.shared(`${seq} > ${2 * block}`, () =>
    scalarOf(context, context.emit('Greater', [seq, int64(context, 2 * block)])),
  );
  const branch = (work: (inner: Lowering) => string) =>
    context.subgraph([], (inner) => [float(work(inner), 'batch', heads, 'seq', valueSize)]);
  return context.emit('If', [isLong], { then_branch: branch(long), else_branch: branch(short) });
}

/** One sequence's values: [heads, rows, size], its draw [heads, rows] and [keys], what hides padding [keys]. */
interface Piece {
  query: string;
  key: string;
  value: string;
  draw: LoweredDraw;
  hidden: string;
}

function attendPiece(
  context: Lowering,
  { query, key, value, draw, hidden }: Piece,
  masks: readonly string[],
  { scale, dropout }: AttentionAttributes,
): string {
  const { rate } = dropout!;
  const mask = [...masks, hidden].reduce((a, b) => context.emit('Add', [a, b]));
  const scores = context.emit('Add', [product(context, query, key, { transB: true, alpha: scale }), mask]);
  const weights = context.emit('Softmax', [scores], { axis: -1 });
  const left = context.emit('Mul', [weights, keptFactor(context, draw, rate)]);
  return product(context, left, value, { alpha: 1 / (1 - rate) });
}

/** The same by a loop over blocks of queries, each against the keys that its rows may see. */
function attendPieceByBlocks(context: Lowering, piece: Piece, seq: string, attributes: AttentionAttributes): string {
  const { heads, valueSize, block } = attributes;
  const count = context.emit('Div', [context.emit('Add', [seq, int64(context, block - 1)]), int64(context, block)]);
  const body = context.subgraph(
    [
      { name: 'block', type: 'int64', shape: [] },
      { name: 'goes on', type: 'bool', shape: [] },
    ],
    (inner) => {
      const cut = (value: string, from: string, to: string, axis = 1) =>
        inner.emit('Slice', [value, from, to, int64(inner, axis)]);
      const { start, stop, first, end } = attendedRange(inner, 'block', seq, attributes);
      const length = (from: string, to: string) => inner.emit('Sub', [to, from]);
      const masks = maskBetween(
        inner,
        attributes,
        { start, length: length(start, stop) },
        { start: first, length: length(first, end) },
      ).map((mask) => inner.emit('Squeeze', [mask, int64(inner, 0)]));
      const { draw } = piece;
      const part: Piece = {
        query: cut(piece.query, start, stop),
        key: cut(piece.key, first, end),
        value: cut(piece.value, first, end),
        draw: cutDraw(inner, draw, { start, stop, first, end }),
        hidden: cut(piece.hidden, first, end, 0),
      };
      const rows = attendPiece(inner, part, masks, attributes);
      const missing = length(stop, inner.emit('Add', [start, int64(inner, block)]));
      const pads = inner.emit('Concat', [int64(inner, 0), missing], { axis: 0 });
      return [
        { name: inner.emit('Identity', ['goes on']), type: 'bool', shape: [] },
        {
          name: inner.emit('Pad', [rows, pads, '', int64(inner, 1)]),
          type: 'float32',
          shape: [heads, block, valueSize],
        },
      ];
    },
  );
  const blocks = context.emit('Loop', [scalarOf(context, count), ''], { body }); // [count, heads, block, size]
  const inOrder = context.emit('Transpose', [blocks], { perm: [1, 0, 2, 3] });
  const joined = context.emit('Reshape', [inOrder, int64(context, heads, -1, valueSize)]);
  return context.emit('Slice', [joined, int64(context, 0), seq, int64(context, 1)]);
}

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
