/**
 * Attention (Vaswani et al. 2017) as one op over ragged sequences: flat rows [tokens, heads · size] in and out, and no row
 * ever sees another sequence.
 *
 *   score(i, j) = scale · qᵢ·kⱼ + bias[head, i, j] − slope[head] · |i − j|     for visible j, −∞ otherwise
 *   output(i)   = Σⱼ softmaxⱼ(score(i, j)) · vⱼ
 *
 * j is visible from i iff both stand in the same sequence, j ≤ i where `causal`, and |i − j| ≤ window where there is one.
 * With `keyHeads` fewer than `heads`, head h reads key head ⌊h · keyHeads / heads⌋ (grouped-query attention).
 *
 * Lowering: rows are padded by a gather to [batch, seq, heads · size] for ONNX's own Attention (opset 24), which takes the
 * lengths of the keys and so needs no mask for padding; the result's real rows are gathered back.
 */
import { defineOp, fail, requireRank, requireType, showShape, type Tensor } from './graph.ts';
import type { SequenceLayout } from './layout.ts';
import type { Lowering } from './lowering.ts';
import { type NdArray, ndarray } from './ndarray.ts';

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
  /** Added to the scores, [heads, seq, seq] by position in the sequence (MPNet's relative positions). */
  bias?: Tensor;
}

interface AttentionAttributes {
  heads: number;
  keyHeads: number;
  size: number;
  valueSize: number;
  scale: number;
  causal: boolean;
  window: number | undefined;
  alibi: readonly number[] | undefined;
}

/** query [tokens, heads · size], key and value [tokens, keyHeads · size]; the result is [tokens, heads · size]. */
export function attention(
  query: Tensor,
  key: Tensor,
  value: Tensor,
  layout: SequenceLayout,
  options: AttentionOptions,
): Tensor {
  const { heads, keyHeads = heads, causal = false, window, alibi, bias, scale, ...unknown } = options;
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
  const attributes = {
    heads,
    keyHeads,
    size,
    valueSize: sizeOf(value, keyHeads),
    scale: scale ?? 1 / Math.sqrt(size),
    causal,
    window,
    alibi,
  };
  const { lengths, rows, slots } = layout;
  return attentionNode([query, key, value, lengths, rows, slots, ...(bias ? [bias] : [])], attributes);
}

const attentionNode = defineOp<AttentionAttributes>({
  name: 'attention',
  infer: ([query], { heads, valueSize }) => ({ dtype: 'float32', shape: [query!.shape[0]!, heads * valueSize] }),
  evaluate: evaluateAttention,
  lower(context, [, , , lengths, rows, slots, bias], attributes, tensors) {
    const pad = (tensor: Tensor) => padRows(context, tensor, rows!);
    const [query, key, value] = tensors as [Tensor, Tensor, Tensor];
    const visible = context.shared(`int64 ${lengths}`, () => context.emit('Cast', [lengths!], { to: 7 }));
    const output = context.emit(
      'Attention',
      [pad(query), pad(key), pad(value), additiveMask(context, rows!, bias, attributes), '', '', visible],
      { q_num_heads: attributes.heads, kv_num_heads: attributes.keyHeads, scale: { float: attributes.scale } },
    );
    const width = attributes.heads * attributes.valueSize;
    const flat = context.emit('Reshape', [output, context.constant([-1, width], [2], 'int64')]);
    return context.emit('Gather', [flat, slots!], { axis: 0 });
  },
});

/**
 * Rows [tokens, width] as [batch, seq, width]. One of n equal slices of packed columns [tokens, n · width] is gathered
 * from there: row r of slice i is row n · r + i of the same memory seen as [n · tokens, width].
 */
function padRows(context: Lowering, tensor: Tensor, rows: string): string {
  const packed = tensor.inputs[0];
  const width = tensor.shape[1] as number;
  const { axis, start } = tensor.attributes as { axis?: number; start?: number };
  if (tensor.op.name === 'slice' && axis === 1 && packed !== undefined) {
    const parts = (packed.shape[1] as number) / width;
    const part = start! / width;
    if (Number.isInteger(parts) && Number.isInteger(part)) {
      const source = context.value(packed);
      const narrow = context.shared(`rows of ${width} of ${source}`, () =>
        context.emit('Reshape', [source, context.constant([-1, width], [2], 'int64')]),
      );
      const picked = context.shared(`${rows} of part ${part} of ${parts}`, () =>
        context.emit('Add', [
          context.emit('Mul', [rows, context.constant([parts], [], 'int32')]),
          context.constant([part], [], 'int32'),
        ]),
      );
      return context.emit('Gather', [narrow, picked], { axis: 0 });
    }
  }
  return context.emit('Gather', [context.value(tensor), rows], { axis: 0 });
}

/** What is added to the scores beside the padding: '' for nothing, otherwise [1 or heads, seq, seq] with a leading axis. */
function additiveMask(
  context: Lowering,
  rows: string,
  bias: string | undefined,
  { causal, window, alibi }: AttentionAttributes,
): string {
  const lift = (value: string) => context.emit('Unsqueeze', [value, context.constant([0], [1], 'int64')]);
  const parts: string[] = [];
  if (bias !== undefined) parts.push(lift(bias));
  if (causal || window !== undefined || alibi) {
    const scalar = (value: number) => context.constant([value], []);
    const distance = context.shared(`distance ${rows}`, () => {
      const seq = context.emit('Squeeze', [context.emit('Shape', [rows], { start: 1, end: 2 })]);
      const range = context.emit('Range', [
        context.constant([0], [], 'int64'),
        seq,
        context.constant([1], [], 'int64'),
      ]);
      const steps = context.emit('Cast', [range], { to: 1 });
      const column = context.emit('Unsqueeze', [steps, context.constant([1], [1], 'int64')]);
      return context.emit('Sub', [column, steps]); // i − j
    });
    const far = () => context.emit('Abs', [distance]);
    const hide = (condition: string) => context.emit('Where', [condition, scalar(Number.NEGATIVE_INFINITY), scalar(0)]);
    parts.push(
      context.shared(`visible ${rows} ${causal} ${window} ${alibi?.join()}`, () => {
        const terms: string[] = [];
        if (causal) terms.push(hide(context.emit('Less', [distance, scalar(0)])));
        if (window !== undefined) terms.push(hide(context.emit('Greater', [far(), scalar(window)])));
        if (alibi)
          terms.push(
            context.emit('Mul', [
              far(),
              context.constant(
                alibi.map((slope) => -slope),
                [alibi.length, 1, 1],
              ),
            ]),
          );
        const total = terms.reduce((a, b) => context.emit('Add', [a, b]));
        return context.emit('Unsqueeze', [total, context.constant(alibi ? [0] : [0, 1], undefined, 'int64')]);
      }),
    );
  }
  return parts.length === 0 ? '' : parts.reduce((a, b) => context.emit('Add', [a, b]));
}

/** The definition above, literally: sequence by sequence, no padding anywhere. */
function evaluateAttention(
  [query, key, value, lengths, , , bias]: readonly NdArray[],
  { heads, keyHeads, size, valueSize, scale, causal, window, alibi }: AttentionAttributes,
  shape: readonly number[],
): NdArray {
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
        for (let j = 0; j < length; j++)
          for (let d = 0; d < valueSize; d++)
            result.data[((start + i) * heads + head) * valueSize + d]! +=
              (weights[j]! / norm) * value!.data[((start + j) * keyHeads + keyHead) * valueSize + d]!;
      }
    }
    start += length;
  }
  return result;
}
