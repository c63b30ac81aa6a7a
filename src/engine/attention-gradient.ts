/**
 * The gradient of `attention`. With P the softmax of the scores S and Ō the cotangent of O = P V:
 *
 *   V̄ = Pᵀ Ō,   P̄ = Ō Vᵀ,   S̄ = P ∘ (P̄ − δ),   δᵢ = Σⱼ P̄ᵢⱼ Pᵢⱼ = Oᵢ · Ōᵢ
 *   Q̄ = scale · S̄ K,   K̄ = scale · S̄ᵀ Q,   bias̄ = Σ over sequences of S̄
 *
 * P is made anew from Q and K (Dao et al. 2022, as δ by O · Ō): the forward pass keeps nothing for it. One sequence is worked
 * on at a time (a Scan over the batch), so that its [heads, seq, seq] squares stay in the cache and memory holds but one
 * sequence's; sequences longer than two blocks take their queries block by block, as the forward pass does, each against the
 * keys that it can see, so that memory grows with the length and not its square.
 *
 * With dropout O = (D ∘ P) V, where D is 1 / (1 − rate) or 0, drawn from the rows' keys as in the forward pass:
 *
 *   V̄ = (D ∘ P)ᵀ Ō,   P̄ = D ∘ (Ō Vᵀ),   and δ is O · Ō as before
 *
 * Slots of padding repeat a sequence's last row: their Ō and δ are zeroed, and their keys hidden by −1e30, which leaves each
 * row of P finite whatever else hides.
 */
import { cutDraw, drawValues, keptFactor, type LoweredDraw, lowerDraw } from './attention-dropout.ts';
import {
  type AttentionAttributes,
  attendedRange,
  biasAndKeys,
  headsOfSlots,
  int64,
  keptFactors,
  lengthOf,
  maskBetween,
  padHeads,
  placesOf,
  product,
  type Range,
  scalarOf,
  spreadHeads,
} from './attention-parts.ts';
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
interface Piece {
  query: string;
  key: string;
  value: string;
  cotangent: string;
  delta: string;
  masks: readonly string[];
  draw?: LoweredDraw;
}

function lowerGradient(
  context: Lowering,
  [, , , lengths, rows, slots, output, cotangent, ...optional]: readonly string[],
  attributes: AttentionAttributes,
  tensors: readonly Tensor[],
): string[] {
  const { heads, keyHeads, size, valueSize } = attributes;
  const [bias, keys] = biasAndKeys(optional, attributes);
  const query = padHeads(context, tensors[0]!, rows!, heads, size);
  const key = padHeads(context, tensors[1]!, rows!, keyHeads, size);
  const value = padHeads(context, tensors[2]!, rows!, keyHeads, valueSize);
  const given = padHeads(context, tensors[7]!, rows!, heads, valueSize);
  const products = context.emit('Reshape', [
    context.emit('Mul', [output!, cotangent!]),
    int64(context, -1, heads, valueSize),
  ]);
  const delta = context.emit('ReduceSum', [products, int64(context, -1)], { keepdims: 0 }); // [tokens, heads]
  const deltas = context.emit('Transpose', [context.emit('Gather', [delta, rows!], { axis: 0 })], { perm: [0, 2, 1] });
  const visible = context.shared(`int64 ${lengths}`, () => context.emit('Cast', [lengths!], { to: 7 }));
  const seq = lengthOf(context, rows!, 1);
  const draw = keys === undefined ? undefined : lowerDraw(context, keys, rows!, seq, attributes);
  const scanned: Scanned = { values: [query, key, value, given, deltas, visible], ...(draw ? { draw } : {}) };

  const flatten = (padded: string, count: number, width: number) => {
    const flat = context.emit('Reshape', [padded, int64(context, -1, width)]);
    const picked = context.emit('Gather', [flat, headsOfSlots(context, slots!, seq, count)], { axis: 0 });
    return context.emit('Reshape', [picked, int64(context, -1, count * width)]);
  };
  const shapes = [
    ['batch', heads, 'seq', size],
    ['batch', keyHeads, 'seq', size],
    ['batch', keyHeads, 'seq', valueSize],
  ];
  const whole = { start: int64(context, 0), length: seq };
  const results =
    bias === undefined
      ? (() => {
          const limit = int64(context, 2 * attributes.block);
          const branch = (work: typeof scanShort) =>
            context.subgraph([], (inner) =>
              work(inner, scanned, seq, maskBetween, attributes).map((name, i) => ({
                name,
                type: 'float32',
                shape: shapes[i]!,
              })),
            );
          const long = context.shared(`${seq} > ${limit}`, () =>
            scalarOf(context, context.emit('Greater', [seq, limit])),
          );
          return context.emitMany('If', [long], 3, { then_branch: branch(scanLong), else_branch: branch(scanShort) });
        })()
      : scanWithBias(context, scanned, seq, [...maskBetween(context, attributes, whole, whole)], bias, attributes);
  return [
    flatten(results[0]!, heads, size),
    flatten(results[1]!, keyHeads, size),
    flatten(results[2]!, keyHeads, valueSize),
    ...results.slice(3),
  ];
}

/** What is taken apart by sequence; the draw's columns are the same for all. */
interface Scanned {
  values: readonly string[];
  draw?: LoweredDraw;
}

type MaskMaker = (context: Lowering, attributes: AttentionAttributes, rows: Range, keys: Range) => string[];

/** Emits the Scan over the batch; `work` gets one sequence's values. Returns names [batch, ...]. */
function scanSequences(
  context: Lowering,
  { values, draw }: Scanned,
  seq: string,
  { heads, keyHeads, size, valueSize }: AttentionAttributes,
  work: (inner: Lowering, piece: Piece) => { query: string; key: string; value: string; scores?: string },
  initial?: string,
): string[] {
  const places = placesOf(context, seq);
  const float = (name: string, ...shape: (number | string)[]) => ({ name, type: 'float32' as const, shape });
  const squares = ['heads', 'rows', 'keys'];
  const body = context.subgraph(
    [
      ...(initial === undefined ? [] : [float('sum', ...squares)]),
      float('query', heads, 'seq', size),
      float('key', keyHeads, 'seq', size),
      float('value', keyHeads, 'seq', valueSize),
      float('cotangent', heads, 'seq', valueSize),
      float('delta', heads, 'seq'),
      { name: 'length', type: 'int64', shape: [] },
      ...(draw ? drawValues(heads) : []),
    ],
    (inner) => {
      const real = inner.emit('Less', [places, 'length']); // [seq]
      const hidden = inner.emit('Where', [real, inner.constant([0], []), inner.constant([-1e30], [])]);
      const rows = inner.emit('Unsqueeze', [inner.emit('Cast', [real], { to: 1 }), int64(inner, 1)]); // [seq, 1]
      const piece: Piece = {
        query: 'query',
        key: spreadHeads(inner, 'key', heads, keyHeads),
        value: spreadHeads(inner, 'value', heads, keyHeads),
        cotangent: inner.emit('Mul', ['cotangent', rows]),
        delta: inner.emit('Mul', [inner.emit('Unsqueeze', ['delta', int64(inner, -1)]), rows]),
        masks: [hidden],
        ...(draw ? { draw: { multipliers: 'multipliers', offsets: 'offsets', columns: draw.columns } } : {}),
      };
      const { query, key, value, scores } = work(inner, piece);
      return [
        ...(initial === undefined ? [] : [float(inner.emit('Add', ['sum', scores!]), ...squares)]),
        float(query, heads, 'seq', size),
        float(sumHeads(inner, key, heads, keyHeads, size), keyHeads, 'seq', size),
        float(sumHeads(inner, value, heads, keyHeads, valueSize), keyHeads, 'seq', valueSize),
      ];
    },
  );
  const states = initial === undefined ? [] : [initial];
  const scanned = [...values, ...(draw ? [draw.multipliers, draw.offsets] : [])];
  return context.emitMany('Scan', [...states, ...scanned], 3 + states.length, {
    body,
    num_scan_inputs: scanned.length,
  });
}

/** All queries of a sequence at once: [query, key, value] cotangents [batch, heads, seq, size]. */
function scanShort(
  context: Lowering,
  scanned: Scanned,
  seq: string,
  masks: MaskMaker,
  attributes: AttentionAttributes,
): string[] {
  const whole = { start: int64(context, 0), length: seq };
  const made = masks(context, attributes, whole, whole).map((mask) =>
    context.emit('Squeeze', [mask, int64(context, 0)]),
  );
  return scanSequences(context, scanned, seq, attributes, (inner, piece) =>
    differentiate(inner, { ...piece, masks: [...made, ...piece.masks] }, attributes),
  );
}

/** The same with a bias: its cotangent, the sum of the scores', comes last. */
function scanWithBias(
  context: Lowering,
  scanned: Scanned,
  seq: string,
  masks: readonly string[],
  bias: string,
  attributes: AttentionAttributes,
): string[] {
  const squeezed = masks.map((mask) => context.emit('Squeeze', [mask, int64(context, 0)]));
  const added = [...squeezed, bias].reduce((a, b) => context.emit('Add', [a, b]));
  const zeros = context.emit('Expand', [context.constant([0], []), context.emit('Shape', [bias])]);
  const [scores, ...rest] = scanSequences(
    context,
    scanned,
    seq,
    attributes,
    (inner, piece) => differentiate(inner, { ...piece, masks: [added, ...piece.masks] }, attributes),
    zeros,
  );
  return [...rest, scores!];
}

/** Queries block by block; the cotangents of keys and values are summed from block to block. */
function scanLong(
  context: Lowering,
  scanned: Scanned,
  seq: string,
  masks: MaskMaker,
  attributes: AttentionAttributes,
): string[] {
  const { block, heads, size, valueSize } = attributes;
  const count = context.emit('Div', [context.emit('Add', [seq, int64(context, block - 1)]), int64(context, block)]);
  const trips = scalarOf(context, count);
  return scanSequences(context, scanned, seq, attributes, (middle, piece) => {
    const zerosLike = (value: string) =>
      middle.emit('Expand', [middle.constant([0], []), middle.emit('Shape', [value])]);
    const float = (name: string, ...shape: (number | string)[]) => ({ name, type: 'float32' as const, shape });
    const body = middle.subgraph(
      [
        { name: 'block', type: 'int64', shape: [] },
        { name: 'goes on', type: 'bool', shape: [] },
        float('keys so far', heads, 'seq', size),
        float('values so far', heads, 'seq', valueSize),
      ],
      (inner) => {
        const cut = (value: string, from: string, to: string, axis = 1) =>
          inner.emit('Slice', [value, from, to, int64(inner, axis)]);
        const range = attendedRange(inner, 'block', seq, attributes);
        const { start, stop, first, end } = range;
        const length = (from: string, to: string) => inner.emit('Sub', [to, from]);
        const made = masks(
          inner,
          attributes,
          { start, length: length(start, stop) },
          { start: first, length: length(first, end) },
        ).map((mask) => inner.emit('Squeeze', [mask, int64(inner, 0)]));
        const part = differentiate(
          inner,
          {
            query: cut(piece.query, start, stop),
            key: cut(piece.key, first, end),
            value: cut(piece.value, first, end),
            cotangent: cut(piece.cotangent, start, stop),
            delta: cut(piece.delta, start, stop),
            masks: [...made, ...piece.masks.map((mask) => cut(mask, first, end, 0))],
            ...(piece.draw ? { draw: cutDraw(inner, piece.draw, range) } : {}),
          },
          attributes,
        );
        const place = (value: string, before: string, behind: string) =>
          inner.emit('Pad', [value, inner.emit('Concat', [before, behind], { axis: 0 }), '', int64(inner, 1)]);
        const behind = length(end, seq);
        return [
          { name: inner.emit('Identity', ['goes on']), type: 'bool', shape: [] },
          float(inner.emit('Add', ['keys so far', place(part.key, first, behind)]), heads, 'seq', size),
          float(inner.emit('Add', ['values so far', place(part.value, first, behind)]), heads, 'seq', valueSize),
          float(
            place(part.query, int64(inner, 0), length(stop, inner.emit('Add', [start, int64(inner, block)]))),
            heads,
            block,
            size,
          ),
        ];
      },
    );
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
  { query, key, value, cotangent, delta, masks, draw }: Piece,
  { scale, dropout }: AttentionAttributes,
): { query: string; key: string; value: string; scores: string } {
  const mask = masks.reduce((a, b) => context.emit('Add', [a, b]));
  const scores = context.emit('Add', [product(context, query, key, { transB: true, alpha: scale }), mask]);
  const weights = context.emit('Softmax', [scores], { axis: -1 });
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

/** The transpose of that: sums over the query heads of each key head. */
function sumHeads(context: Lowering, value: string, heads: number, keyHeads: number, size: number): string {
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
