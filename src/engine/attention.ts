/**
 * Attention (Vaswani et al. 2017) as one op over ragged sequences: flat rows [tokens, heads · size] in and out, and no row
 * ever sees another sequence.
 *
 *   score(i, j) = scale · qᵢ·kⱼ + bias[head, i, j] − slope[head] · |i − j|     for visible j, −∞ otherwise
 *   output(i)   = Σⱼ softmaxⱼ(score(i, j)) · vⱼ
 *
 * j is visible from i iff both stand in the same sequence, j ≤ i where `causal`, and |i − j| ≤ window where there is one.
 * With `keyHeads` fewer than `heads`, head h reads key head ⌊h · keyHeads / heads⌋ (grouped-query attention). In training
 * probabilities may be dropped (attention-dropout.ts), and sequences are worked on one at a time (attention-training.ts).
 *
 * Lowering: the heads of each row are padded by one gather to [batch, heads, seq, size] for ONNX's own Attention (opset 24),
 * which takes the lengths of the keys and so needs no mask for padding; the result's real rows are gathered back. In that
 * layout nothing is transposed. The op holds the scores of all rows at once, so sequences longer than two blocks take their queries block by block, each against the keys that
 * it can see: the memory grows with the length, not its square, and with a window so does the time.
 */
import { lowerDraw } from './attention-dropout.ts';
import { attentionGradient } from './attention-gradient.ts';
import {
  type AttentionAttributes,
  biasAndKeys,
  type HeadPieces,
  headPieces,
  headsOfSlots,
  int64,
  keptFactors,
  lengthOf,
  maskBetween,
  type Padded,
  scalarOf,
} from './attention-parts.ts';
import { headsOf } from './attention-sequences.ts';
import { attendBySequence } from './attention-training.ts';
import { type DropoutOptions, requireRate } from './dropout.ts';
import { defineOp, fail, requireRank, requireType, sameShape, showShape, type Tensor } from './graph.ts';
import type { SequenceLayout } from './layout.ts';
import type { Lowering } from './lowering.ts';
import { type NdArray, ndarray } from './ndarray.ts';

export type { AttentionAttributes } from './attention-parts.ts';

export interface AttentionOptions {
  heads: number;
  /** Heads of key and value; a divisor of `heads`, and `heads` by default. */
  keyHeads?: number;
  /** 1/√size by default. */
  scale?: number;
  /** Only rows up to one's own are visible. Default false. */
  causal?: boolean;
  /** Only rows at a distance of at most this are visible. ModernBERT's `local_attention: 128` is a window of 64. */
  window?: number;
  /** Slopes by head (Press et al. 2022), for −slope · |i − j|. */
  alibi?: readonly number[];
  /** Queries at a time in sequences longer than two such blocks. Default 512; not with `bias`, which is as large itself. */
  block?: number;
  /** Added to the scores, [heads, seq, seq] by position in the sequence (MPNet's relative positions). */
  bias?: Tensor;
  /** In training: probabilities are dropped at `rate`, by keys [tokens] of the rows that look; none at rate 0. */
  dropout?: DropoutOptions & { rate: number };
}

/** query [tokens, heads · size], key and value [tokens, keyHeads · size]; the result is [tokens, heads · size]. */
export function attention(
  query: Tensor,
  key: Tensor,
  value: Tensor,
  layout: SequenceLayout,
  options: AttentionOptions,
): Tensor {
  const { heads, keyHeads = heads, causal = false, window, alibi, bias, scale, block = 512, ...others } = options;
  const { dropout, ...unknown } = others;
  for (const name of Object.keys(unknown)) fail('attention', `there is no option '${name}'`);
  for (const tensor of [query, key, value]) {
    requireType('attention', tensor, 'float32');
    requireRank('attention', tensor, 2);
  }
  if (!(Number.isInteger(heads / keyHeads) && keyHeads >= 1))
    fail('attention', `${heads} heads cannot share ${keyHeads} key heads evenly`);
  const sizeOf = (tensor: Tensor, count: number) => {
    const width = tensor.shape[1]!;
    if (typeof width !== 'number' || width % count !== 0)
      fail('attention', `${showShape(tensor.shape)} does not make ${count} heads`);
    return width / count;
  };
  const size = sizeOf(query, heads);
  if (sizeOf(key, keyHeads) !== size) fail('attention', 'heads of query and key differ in size');
  if (alibi && alibi.length !== heads) fail('attention', `${alibi.length} slopes for ${heads} heads`);
  if (window !== undefined && !(Number.isInteger(window) && window >= 0)) fail('attention', `no window of ${window}`);
  if (bias) {
    requireRank('attention', bias, 3);
    if (bias.shape[0] !== heads) fail('attention', `the bias ${showShape(bias.shape)} should be [${heads}, seq, seq]`);
  }
  if (dropout) {
    requireRate('attention', dropout.rate);
    requireType('attention', dropout.keys, 'int32');
    if (!sameShape(dropout.keys.shape, query.shape.slice(0, 1)))
      fail('attention', `keys ${showShape(dropout.keys.shape)} for rows ${showShape(query.shape)}`);
  }
  const drop = dropout?.rate ? dropout : undefined;
  const attributes = {
    heads,
    keyHeads,
    size,
    valueSize: sizeOf(value, keyHeads),
    scale: scale ?? 1 / Math.sqrt(size),
    causal,
    window,
    alibi,
    block,
    ...(drop ? { dropout: { rate: drop.rate, site: drop.site } } : {}),
  };
  const { lengths, rows, slots } = layout;
  const optional = [...(bias ? [bias] : []), ...(drop ? [drop.keys] : [])];
  return attentionNode([query, key, value, lengths, rows, slots, ...optional], attributes);
}

const attentionNode = defineOp<AttentionAttributes>({
  name: 'attention',
  infer: ([query], { heads, valueSize }) => ({ dtype: 'float32', shape: [query!.shape[0]!, heads * valueSize] }),
  evaluate: evaluateAttention,
  lower(context, [, , , lengths, rows, slots, ...optional], attributes, tensors) {
    const { heads, keyHeads, size, valueSize } = attributes;
    const [bias, keys] = biasAndKeys(optional, attributes);
    const query = headPieces(context, tensors[0]!, rows!, heads, size);
    const key = headPieces(context, tensors[1]!, rows!, keyHeads, size);
    const value = headPieces(context, tensors[2]!, rows!, keyHeads, valueSize);
    const visible = context.shared(`int64 ${lengths}`, () => context.emit('Cast', [lengths!], { to: 7 }));
    const seq = lengthOf(context, rows!, 1);
    const flatten = (output: string) => {
      const flat = context.emit('Reshape', [output, int64(context, -1, valueSize)]);
      const picked = context.emit('Gather', [flat, headsOfSlots(context, slots!, seq, heads)], { axis: 0 });
      return context.emit('Reshape', [picked, int64(context, -1, heads * valueSize)]);
    };
    if (keys !== undefined || (context.isTraining && context.device === 'cpu')) {
      const draw = keys === undefined ? undefined : lowerDraw(context, keys, rows!, seq, attributes);
      const given = { ...headsOf(attributes, query, key, value), ...draw?.rows };
      const batch = { heads: given, columns: draw?.columns, lengths: visible, seq, bias };
      return flatten(attendBySequence(context, batch, attributes));
    }
    const pad = ({ pieces, places }: HeadPieces) => context.emit('Gather', [pieces, places], { axis: 0 });
    const padded: Padded = { query: pad(query), key: pad(key), value: pad(value), visible };
    const limit = int64(context, 2 * attributes.block);
    // One mask for all layers, made outside the branch; for long sequences it is small and unused.
    const range = {
      start: int64(context, 0),
      length: bias === undefined ? context.shared(`min ${seq} ${limit}`, () => context.emit('Min', [seq, limit])) : seq,
    };
    const masks = maskBetween(context, attributes, range, range);
    if (bias !== undefined) masks.push(context.emit('Unsqueeze', [bias, int64(context, 0)]));
    const mask = masks.length === 0 ? '' : masks.reduce((a, b) => context.emit('Add', [a, b]));
    const branch = (lowerBranch: (inner: Lowering) => string) =>
      context.subgraph([], (inner) => [
        { name: lowerBranch(inner), type: 'float32', shape: ['batch', heads, 'seq', valueSize] },
      ]);
    const output =
      bias === undefined
        ? context.emit(
            'If',
            [context.shared(`${seq} > ${limit}`, () => scalarOf(context, context.emit('Greater', [seq, limit])))],
            {
              then_branch: branch((inner) => attendByBlocks(inner, padded, attributes)),
              else_branch: branch((inner) => attend(inner, padded, mask, attributes)),
            },
          )
        : attend(context, padded, mask, attributes);
    return flatten(output);
  },
  gradient: attentionGradient,
});

// Lowering ---------------------------------------------------------------------------------------------------------

function attend(context: Lowering, padded: Padded, mask: string, { scale }: AttentionAttributes): string {
  return context.emit('Attention', [padded.query, padded.key, padded.value, mask, '', '', padded.visible], {
    scale: { float: scale },
  });
}

/** The same by a loop over blocks of queries, each against the range of keys that its rows may see. */
function attendByBlocks(context: Lowering, padded: Padded, attributes: AttentionAttributes): string {
  const { block, window, causal, heads, valueSize } = attributes;
  const seq = lengthOf(context, padded.query);
  const size = int64(context, block);
  const count = context.emit('Div', [context.emit('Add', [seq, int64(context, block - 1)]), size]);
  const missing = context.emit('Sub', [context.emit('Mul', [count, size]), seq]);
  const zeros = int64(context, 0, 0, 0, 0, 0, 0);
  const pads = context.emit('Concat', [zeros, missing, int64(context, 0)], { axis: 0 });
  const query = context.emit('Pad', [padded.query, pads]);

  const body = context.subgraph(
    [
      { name: 'block', type: 'int64', shape: [] },
      { name: 'goes on', type: 'bool', shape: [] },
    ],
    (inner) => {
      const add = (value: string, offset: number) => inner.emit('Add', [value, int64(inner, offset)]);
      const rowsOf = (value: string, from: string, to: string) =>
        inner.emit('Slice', [value, from, to, int64(inner, 2)]);
      const start = inner.emit('Mul', [inner.emit('Unsqueeze', ['block', int64(inner, 0)]), int64(inner, block)]);
      const first = window === undefined ? int64(inner, 0) : inner.emit('Max', [add(start, -window), int64(inner, 0)]);
      const after = causal ? block : window === undefined ? undefined : block + window;
      const end = after === undefined ? seq : add(start, after);
      const keys = rowsOf(padded.key, first, end);
      // Rows past a sequence's end see nothing; they are dropped later and only must not be empty.
      const visible = inner.emit('Min', [
        inner.emit('Max', [inner.emit('Sub', [padded.visible, first]), int64(inner, 1)]),
        lengthOf(inner, keys),
      ]);
      const part = {
        query: rowsOf(query, start, add(start, block)),
        key: keys,
        value: rowsOf(padded.value, first, end),
        visible,
      };
      const masks = maskBetween(
        inner,
        attributes,
        { length: size, start },
        { length: lengthOf(inner, keys), start: first },
      );
      return [
        { name: inner.emit('Identity', ['goes on']), type: 'bool', shape: [] },
        {
          name: attend(inner, part, masks.length === 0 ? '' : masks[0]!, attributes),
          type: 'float32',
          shape: ['batch', heads, block, valueSize],
        },
      ];
    },
  );
  const blocks = context.emit('Loop', [scalarOf(context, count), ''], { body }); // [count, batch, heads, block, size]
  const inOrder = context.emit('Transpose', [blocks], { perm: [1, 2, 0, 3, 4] });
  const joined = context.emit('Reshape', [inOrder, int64(context, 0, 0, -1, valueSize)]);
  return context.emit('Slice', [joined, int64(context, 0), seq, int64(context, 2)]);
}

// Reference ----------------------------------------------------------------------------------------------------------

/** The definition above, literally: sequence by sequence, no padding anywhere. */
function evaluateAttention(
  [query, key, value, lengths, , , ...optional]: readonly NdArray[],
  attributes: AttentionAttributes,
  shape: readonly number[],
): NdArray {
  const { heads, keyHeads, size, valueSize, scale, causal, window, alibi, dropout } = attributes;
  const [bias, keys] = biasAndKeys(optional, attributes);
  const result = ndarray(shape);
  const seq = bias?.shape[2] ?? 0;
  let start = 0;
  for (const length of lengths!.data) {
    for (let head = 0; head < heads; head++) {
      const keyHead = Math.floor((head * keyHeads) / heads);
      for (let i = 0; i < length; i++) {
        const scores = Float64Array.from({ length }, (_, j) => {
          if ((causal && j > i) || (window !== undefined && Math.abs(i - j) > window)) return Number.NEGATIVE_INFINITY;
          let dot = 0;
          for (let d = 0; d < size; d++)
            dot +=
              query!.data[((start + i) * heads + head) * size + d]! *
              key!.data[((start + j) * keyHeads + keyHead) * size + d]!;
          const added = bias ? bias.data[(head * seq + i) * seq + j]! : 0;
          return scale * dot + added - (alibi?.[head] ?? 0) * Math.abs(i - j);
        });
        const peak = scores.reduce((a, b) => Math.max(a, b));
        const weights = scores.map((score) => Math.exp(score - peak));
        const norm = weights.reduce((a, b) => a + b);
        const factor = keptFactors(keys?.data[start + i], dropout, head);
        for (let j = 0; j < length; j++)
          for (let d = 0; d < valueSize; d++)
            result.data[((start + i) * heads + head) * valueSize + d]! +=
              ((weights[j]! * factor(j)) / norm) * value!.data[((start + j) * keyHeads + keyHead) * valueSize + d]!;
      }
    }
    start += length;
  }
  return result;
}
