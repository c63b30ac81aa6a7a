/**
 * Attention's forward pass in training, one sequence at a time (attention-sequences.ts), with dropout where there is any
 * (attention-dropout.ts): ONNX's own Attention drops nothing and works on every sequence at the longest's length. Where the
 * longest has more than two blocks, queries are taken block by block.
 */
import { blockOf, type Piece } from './attention-blocks.ts';
import { type DrawnRows, drawOf, keptFactor } from './attention-dropout.ts';
import {
  type AttentionAttributes,
  addAll,
  int64,
  product,
  scalarOf,
  spreadHeads,
  wholeMask,
} from './attention-parts.ts';
import { type Heads, scanSequences } from './attention-sequences.ts';
import type { Lowering } from './lowering.ts';

/** What a batch's sequences are made of. `lengths` int64 [batch], `seq` int64 [1], `bias` [heads, seq, seq]. */
interface Batch {
  heads: Readonly<Record<'query' | 'key' | 'value', Heads> & Partial<Record<DrawnRows, Heads>>>;
  /** Of a draw. */
  columns: string | undefined;
  lengths: string;
  seq: string;
  bias: string | undefined;
}

/** The output [batch, heads, seq, size]. */
export function attendBySequence(
  context: Lowering,
  { heads: given, columns, lengths, seq, bias }: Batch,
  attributes: AttentionAttributes,
): string {
  const { heads, keyHeads, valueSize, block } = attributes;
  const scan = (
    outer: Lowering,
    masks: readonly string[],
    work: (inner: Lowering, piece: Piece, length: string) => string,
  ) =>
    scanSequences<'query' | 'key' | 'value', DrawnRows>(outer, given, lengths, seq, (inner, sequence) => {
      const { query, key, value } = sequence.heads;
      const piece: Piece = {
        query,
        key: spreadHeads(inner, key, heads, keyHeads),
        value: spreadHeads(inner, value, heads, keyHeads),
        masks: [...masks.map((mask) => sequence.cut(mask, -2, -1)), ...sequence.hidden],
        ...(columns === undefined ? {} : { draw: drawOf(sequence, columns) }),
      };
      return [{ value: work(inner, piece, sequence.length), shape: [heads, 'seq', valueSize], axes: [1] }];
    })[0]!;
  const short = (outer: Lowering) =>
    scan(outer, wholeMask(outer, attributes, seq, bias), (inner, piece) => attendPiece(inner, piece, attributes));
  const long = (outer: Lowering) =>
    scan(outer, [], (inner, piece, length) => attendPieceByBlocks(inner, piece, length, attributes));
  if (bias !== undefined) return short(context);
  const isLong = context.shared(`${seq} > ${2 * block}`, () =>
    scalarOf(context, context.emit('Greater', [seq, int64(context, 2 * block)])),
  );
  const branch = (work: (inner: Lowering) => string) =>
    context.subgraph([], (inner) => [
      { name: work(inner), type: 'float32', shape: ['batch', heads, 'seq', valueSize] },
    ]);
  return context.emit('If', [isLong], { then_branch: branch(long), else_branch: branch(short) });
}

/** One sequence's values: [heads, rows, size], what is added to its scores, its draw. */
function attendPiece(
  context: Lowering,
  { query, key, value, masks, draw }: Piece,
  { scale, dropout }: AttentionAttributes,
): string {
  const products = product(context, query, key, { transB: true, alpha: scale });
  const weights = context.emit('Softmax', [addAll(context, [products, ...masks])], { axis: -1 });
  if (draw === undefined) return product(context, weights, value, {});
  const { rate } = dropout!;
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
      const { range, part, length } = blockOf(inner, 'block', piece, seq, attributes);
      const rows = attendPiece(inner, part, attributes);
      const missing = length(range.stop, inner.emit('Add', [range.start, int64(inner, block)]));
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
