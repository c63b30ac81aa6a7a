/**
 * The gradient of `attention`. With P the softmax of the scores S and Ō the cotangent of O = P V:
 *
 *   V̄ = Pᵀ Ō,   P̄ = Ō Vᵀ,   S̄ = P ∘ (P̄ − δ),   δᵢ = Σⱼ P̄ᵢⱼ Pᵢⱼ = Oᵢ · Ōᵢ
 *   Q̄ = scale · S̄ K,   K̄ = scale · S̄ᵀ Q,   bias̄ = Σ over sequences of S̄
 *
 * P is made anew from Q and K (Dao et al. 2022, as δ by O · Ō): the forward pass keeps nothing for it. One sequence is worked
 * on at a time and at its own length (attention-sequences.ts), so that memory holds but one sequence's [heads, length, length]
 * squares; where the longest has more than two blocks, queries are taken block by block, as in the forward pass, each against
 * the keys that it can see, so that memory grows with the length and not its square.
 *
 * With dropout O = (D ∘ P) V, where D is 1 / (1 − rate) or 0, drawn from the rows' keys as in the forward pass:
 *
 *   V̄ = (D ∘ P)ᵀ Ō,   P̄ = D ∘ (Ō Vᵀ),   and δ is O · Ō as before
 *
 * Where sequences stay padded, slots of padding repeat a sequence's last row: their Ō and δ are zeroed, and their keys hidden by
 * −1e30, which leaves each row of P finite whatever else hides.
 */
import { blockOf, type Piece } from './attention-blocks.ts';
import { type DrawnRows, drawOf, keptFactor, lowerDraw } from './attention-dropout.ts';
import {
  type AttentionAttributes,
  addAll,
  biasAndKeys,
  headPieces,
  headsOfSlots,
  int64,
  keptFactors,
  lengthOf,
  product,
  scalarOf,
  spreadHeads,
  wholeMask,
} from './attention-parts.ts';
import { type Heads, headsOf, numberOfHeads, type Sequence, scanSequences } from './attention-sequences.ts';
import { defineOp, type Tensor } from './graph.ts';
import type { Lowering } from './lowering.ts';
import { type NdArray, ndarray } from './ndarray.ts';

type Part = 'query' | 'key' | 'value' | 'bias';
const parts: readonly Part[] = ['query', 'key', 'value', 'bias'];

/** Cotangents of query, key, value and, where there is one, bias. `node` is what `attention` made. */
export function attentionGradient(
  node: Tensor & { readonly attributes: AttentionAttributes },
  cotangent: Tensor,
): (Tensor | undefined)[] {
  const optional = node.inputs.slice(6);
  const [bias, keys] = biasAndKeys(optional, node.attributes);
  const inputs = [...node.inputs.slice(0, 6), node, cotangent, ...optional];
  const of = (part: Part) => gradientNode(inputs, { ...node.attributes, part });
  const found = [of('query'), of('key'), of('value'), undefined, undefined, undefined];
  return [...found, ...(bias ? [of('bias')] : []), ...(keys ? [undefined] : [])];
}

const gradientNode = defineOp<AttentionAttributes & { part: Part }>({
  name: 'attentionGradient',
  infer: (inputs, { part }) => ({ dtype: 'float32', shape: inputs[part === 'bias' ? 8 : parts.indexOf(part)]!.shape }),
  evaluate: (inputs, attributes) => evaluateGradient(inputs, attributes)[attributes.part]!,
  lower(context, inputs, { part, ...attributes }, tensors) {
    // One computation gives all parts; its values' names are shared as lines of one text.
    const all = context.shared(`attention gradient ${inputs.join()}`, () =>
      lowerGradient(context, inputs, attributes, tensors).join('\n'),
    );
    return all.split('\n')[parts.indexOf(part)]!;
  },
});

// Lowering ---------------------------------------------------------------------------------------------------------

/** Names of one sequence's values: [heads, rows, size], δ [heads, rows, 1], and what is added to its scores. */
interface GradientPiece extends Piece {
  cotangent: string;
  delta: string;
}

function lowerGradient(
  context: Lowering,
  [, , , lengths, rows, slots, output, cotangent, ...optional]: readonly string[],
  attributes: AttentionAttributes,
  tensors: readonly Tensor[],
): string[] {
  const { heads, keyHeads, size, valueSize } = attributes;
  const [bias, keys] = biasAndKeys(optional, attributes);
  const products = context.emit('Reshape', [
    context.emit('Mul', [output!, cotangent!]),
    int64(context, -1, heads, valueSize),
  ]);
  const delta = context.emit('ReduceSum', [products, int64(context, -1)]); // [tokens, heads, 1]
  const given = headPieces(context, tensors[7]!, rows!, heads, valueSize);
  const seq = lengthOf(context, rows!, 1);
  const draw = keys === undefined ? undefined : lowerDraw(context, keys, rows!, seq, attributes);
  const scanned: Scanned = {
    heads: {
      ...headsOf(
        attributes,
        headPieces(context, tensors[0]!, rows!, heads, size),
        headPieces(context, tensors[1]!, rows!, keyHeads, size),
        headPieces(context, tensors[2]!, rows!, keyHeads, valueSize),
      ),
      cotangent: { ...given, count: heads, size: valueSize, type: 'float32' },
      delta: numberOfHeads(context, delta, rows!, heads, 'float32'),
      ...draw?.rows,
    },
    columns: draw?.columns,
    lengths: context.shared(`int64 ${lengths}`, () => context.emit('Cast', [lengths!], { to: 7 })),
    seq,
  };

  const flatten = (padded: string, count: number, width: number) => {
    const flat = context.emit('Reshape', [padded, int64(context, -1, width)]);
    const picked = context.emit('Gather', [flat, headsOfSlots(context, slots!, seq, count)], { axis: 0 });
    return context.emit('Reshape', [picked, int64(context, -1, count * width)]);
  };
  const shapes = shapesOf(attributes).map((shape) => ['batch', ...shape]);
  const results =
    bias === undefined
      ? (() => {
          const limit = int64(context, 2 * attributes.block);
          const branch = (work: typeof scanShort) =>
            context.subgraph([], (inner) =>
              work(inner, scanned, attributes).map((name, i) => ({ name, type: 'float32', shape: shapes[i]! })),
            );
          const long = context.shared(`${seq} > ${limit}`, () =>
            scalarOf(context, context.emit('Greater', [seq, limit])),
          );
          return context.emitMany('If', [long], 3, { then_branch: branch(scanLong), else_branch: branch(scanShort) });
        })()
      : scanShort(context, scanned, attributes, bias);
  return [
    flatten(results[0]!, heads, size),
    flatten(results[1]!, keyHeads, size),
    flatten(results[2]!, keyHeads, valueSize),
    ...results.slice(3),
  ];
}

type Scannable = 'query' | 'key' | 'value' | 'cotangent' | 'delta';

interface Scanned {
  heads: Readonly<Record<Scannable, Heads> & Partial<Record<DrawnRows, Heads>>>;
  columns: string | undefined;
  lengths: string;
  seq: string;
}

/** Of one sequence's cotangents of query, key and value. */
const shapesOf = ({ heads, keyHeads, size, valueSize }: AttentionAttributes) => [
  [heads, 'seq', size],
  [keyHeads, 'seq', size],
  [keyHeads, 'seq', valueSize],
];

/** The Scan of either way; `work` gets one sequence's values. Returns names [batch, ...], and of a sum. */
function scanPieces(
  context: Lowering,
  { heads, columns, lengths, seq }: Scanned,
  attributes: AttentionAttributes,
  work: (
    inner: Lowering,
    piece: GradientPiece,
    sequence: Sequence<Scannable, DrawnRows>,
  ) => { query: string; key: string; value: string; scores?: string },
  sum?: { initial: string },
): string[] {
  const shapes = shapesOf(attributes);
  return scanSequences<Scannable, DrawnRows>(
    context,
    heads,
    lengths,
    seq,
    (inner, sequence) => {
      const { query, key, value, cotangent, delta } = sequence.heads;
      const piece: GradientPiece = {
        query,
        key: spreadHeads(inner, key, attributes.heads, attributes.keyHeads),
        value: spreadHeads(inner, value, attributes.heads, attributes.keyHeads),
        cotangent: sequence.real(cotangent),
        delta: sequence.real(delta),
        masks: sequence.hidden,
        ...(columns === undefined ? {} : { draw: drawOf(sequence, columns) }),
      };
      const made = work(inner, piece, sequence);
      const [ofQuery, ofKey, ofValue] = shapes;
      return [
        ...(made.scores === undefined ? [] : [{ value: made.scores, shape: ['heads', 'rows', 'keys'], axes: [1, 2] }]),
        { value: made.query, shape: ofQuery!, axes: [1] },
        { value: sumHeads(inner, made.key, attributes, attributes.size), shape: ofKey!, axes: [1] },
        { value: sumHeads(inner, made.value, attributes, attributes.valueSize), shape: ofValue!, axes: [1] },
      ];
    },
    sum,
  );
}

/**
 * All queries of a sequence at once: [query, key, value] cotangents [batch, heads, seq, size]; where there is a bias, last its
 * own, the sum of the scores'.
 */
function scanShort(context: Lowering, scanned: Scanned, attributes: AttentionAttributes, bias?: string): string[] {
  const added = wholeMask(context, attributes, scanned.seq, bias);
  const zeros = bias && context.emit('Expand', [context.constant([0], []), context.emit('Shape', [bias])]);
  const [first, ...rest] = scanPieces(
    context,
    scanned,
    attributes,
    (inner, piece, { cut }) => {
      const masks = [...added.map((mask) => cut(mask, -2, -1)), ...piece.masks];
      const { scores, ...found } = differentiate(inner, { ...piece, masks }, attributes);
      return zeros ? { ...found, scores } : found;
    },
    zeros ? { initial: zeros } : undefined,
  );
  return zeros ? [...rest, first!] : [first!, ...rest];
}

/** Queries block by block; the cotangents of keys and values are summed from block to block. */
function scanLong(context: Lowering, scanned: Scanned, attributes: AttentionAttributes): string[] {
  const { block, heads, size, valueSize } = attributes;
  return scanPieces(context, scanned, attributes, (middle, piece, { length: seq }) => {
    const count = middle.emit('Div', [middle.emit('Add', [seq, int64(middle, block - 1)]), int64(middle, block)]);
    const zerosLike = (value: string) =>
      middle.emit('Expand', [middle.constant([0], []), middle.emit('Shape', [value])]);
    const float = (name: string, ...shape: (number | string)[]) => ({ name, type: 'float32' as const, shape });
    const body = middle.subgraph(
      [
        { name: 'block', type: 'int64', shape: [] },
        { name: 'goes on', type: 'bool', shape: [] },
        float('keys so far', heads, 'length', size),
        float('values so far', heads, 'length', valueSize),
      ],
      (inner) => {
        const { range, part: own, cut, length } = blockOf(inner, 'block', piece, seq, attributes);
        const { start, stop, first, end } = range;
        const part = differentiate(
          inner,
          { ...own, cotangent: cut(piece.cotangent, start, stop), delta: cut(piece.delta, start, stop) },
          attributes,
        );
        const place = (value: string, before: string, behind: string) =>
          inner.emit('Pad', [value, inner.emit('Concat', [before, behind], { axis: 0 }), '', int64(inner, 1)]);
        const behind = length(end, seq);
        return [
          { name: inner.emit('Identity', ['goes on']), type: 'bool', shape: [] },
          float(inner.emit('Add', ['keys so far', place(part.key, first, behind)]), heads, 'length', size),
          float(inner.emit('Add', ['values so far', place(part.value, first, behind)]), heads, 'length', valueSize),
          float(
            place(part.query, int64(inner, 0), length(stop, inner.emit('Add', [start, int64(inner, block)]))),
            heads,
            block,
            size,
          ),
        ];
      },
    );
    const trips = scalarOf(middle, count);
    const [key, value, blocks] = middle.emitMany('Loop', [trips, '', zerosLike(piece.key), zerosLike(piece.value)], 3, {
      body,
    });
    const inOrder = middle.emit('Transpose', [blocks!], { perm: [1, 0, 2, 3] }); // [heads, count, block, size]
    const joined = middle.emit('Reshape', [inOrder, int64(middle, heads, -1, size)]);
    const query = middle.emit('Slice', [joined, int64(middle, 0), seq, int64(middle, 1)]);
    return { query, key: key!, value: value! };
  });
}

/** The formulas above for queries [heads, rows, size] against keys [heads, keys, size]. */
function differentiate(
  context: Lowering,
  { query, key, value, cotangent, delta, masks, draw }: GradientPiece,
  { scale, dropout }: AttentionAttributes,
): { query: string; key: string; value: string; scores: string } {
  const products = product(context, query, key, { transB: true, alpha: scale });
  const weights = context.emit('Softmax', [addAll(context, [products, ...masks])], { axis: -1 });
  const alpha = dropout ? 1 / (1 - dropout.rate) : 1;
  const toLeft = product(context, cotangent, value, { transB: true, alpha });
  const kept = draw && keptFactor(context, draw, dropout!.rate);
  const toWeights = kept ? context.emit('Mul', [toLeft, kept]) : toLeft;
  const left = kept ? context.emit('Mul', [weights, kept]) : weights;
  const toScores = context.emit('Mul', [context.emit('Sub', [toWeights, delta]), weights]);
  return {
    query: product(context, toScores, key, { alpha: scale }),
    key: product(context, toScores, query, { transA: true, alpha: scale }),
    value: product(context, left, cotangent, { transA: true, alpha }),
    scores: toScores,
  };
}

/** The transpose of `spreadHeads`: sums over the query heads of each key head. */
function sumHeads(context: Lowering, value: string, { heads, keyHeads }: AttentionAttributes, size: number): string {
  if (heads === keyHeads) return value;
  const grouped = context.emit('Reshape', [value, int64(context, keyHeads, heads / keyHeads, -1, size)]);
  return context.emit('ReduceSum', [grouped, int64(context, 1)], { keepdims: 0 });
}

// Reference ----------------------------------------------------------------------------------------------------------

/** The formulas, sequence by sequence and row by row. */
function evaluateGradient(
  [query, key, value, lengths, , , , cotangent, ...optional]: readonly NdArray[],
  attributes: AttentionAttributes,
): Partial<Record<Part, NdArray>> {
  const { heads, keyHeads, size, valueSize, scale, causal, window, alibi, dropout } = attributes;
  const [bias, keys] = biasAndKeys(optional, attributes);
  const result = {
    query: ndarray(query!.shape),
    key: ndarray(key!.shape),
    value: ndarray(value!.shape),
    ...(bias ? { bias: ndarray(bias.shape) } : {}),
  };
  const seq = bias?.shape[2] ?? 0;
  let start = 0;
  for (const length of lengths!.data) {
    for (let head = 0; head < heads; head++) {
      const keyHead = Math.floor((head * keyHeads) / heads);
      const keyAt = (j: number) => ((start + j) * keyHeads + keyHead) * size;
      const valueAt = (j: number) => ((start + j) * keyHeads + keyHead) * valueSize;
      for (let i = 0; i < length; i++) {
        const queryAt = ((start + i) * heads + head) * size;
        const givenAt = ((start + i) * heads + head) * valueSize;
        const scores = Float64Array.from({ length }, (_, j) => {
          if ((causal && j > i) || (window !== undefined && Math.abs(i - j) > window)) return Number.NEGATIVE_INFINITY;
          let dot = 0;
          for (let d = 0; d < size; d++) dot += query!.data[queryAt + d]! * key!.data[keyAt(j) + d]!;
          const added = bias ? bias.data[(head * seq + i) * seq + j]! : 0;
          return scale * dot + added - (alibi?.[head] ?? 0) * Math.abs(i - j);
        });
        const peak = scores.reduce((a, b) => Math.max(a, b));
        const norm = scores.reduce((a, b) => a + Math.exp(b - peak), 0);
        const weights = scores.map((score) => Math.exp(score - peak) / norm);
        const factor = keptFactors(keys?.data[start + i], dropout, head);
        const toWeights = weights.map((_, j) => {
          let dot = 0;
          for (let d = 0; d < valueSize; d++) dot += cotangent!.data[givenAt + d]! * value!.data[valueAt(j) + d]!;
          return factor(j) * dot;
        });
        const along = toWeights.reduce((a, b, j) => a + b * weights[j]!, 0);
        for (let j = 0; j < length; j++) {
          const toScore = weights[j]! * (toWeights[j]! - along);
          if (result.bias) result.bias.data[(head * seq + i) * seq + j]! += toScore;
          for (let d = 0; d < size; d++) {
            result.query.data[queryAt + d]! += scale * toScore * key!.data[keyAt(j) + d]!;
            result.key.data[keyAt(j) + d]! += scale * toScore * query!.data[queryAt + d]!;
          }
          for (let d = 0; d < valueSize; d++)
            result.value.data[valueAt(j) + d]! += factor(j) * weights[j]! * cotangent!.data[givenAt + d]!;
        }
      }
    }
    start += length;
  }
  return result;
}
