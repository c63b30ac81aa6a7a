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
 * lengths of the keys and so needs no mask for padding; the result's real rows are gathered back. That op holds the scores
 * of all rows at once, so sequences longer than two blocks take their queries block by block, each against the keys that
 * it can see: the memory grows with the length, not its square, and with a window so does the time.
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
  /** Queries at a time in sequences longer than two such blocks. Default 512; not with `bias`, which is as large itself. */
  block?: number;
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
  block: number;
}

/** query [tokens, heads · size], key and value [tokens, keyHeads · size]; the result is [tokens, heads · size]. */
export function attention(
  query: Tensor,
  key: Tensor,
  value: Tensor,
  layout: SequenceLayout,
  options: AttentionOptions,
): Tensor {
  const { heads, keyHeads = heads, causal = false, window, alibi, bias, scale, block = 512, ...unknown } = options;
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
    block,
  };
  const { lengths, rows, slots } = layout;
  return attentionNode([query, key, value, lengths, rows, slots, ...(bias ? [bias] : [])], attributes);
}

const attentionNode = defineOp<AttentionAttributes>({
  name: 'attention',
  infer: ([query], { heads, valueSize }) => ({ dtype: 'float32', shape: [query!.shape[0]!, heads * valueSize] }),
  evaluate: evaluateAttention,
  lower(context, [, , , lengths, rows, slots, bias], attributes, tensors) {
    const [query, key, value] = tensors.slice(0, 3).map((tensor) => padRows(context, tensor, rows!));
    const visible = context.shared(`int64 ${lengths}`, () => context.emit('Cast', [lengths!], { to: 7 }));
    const padded: Padded = { query: query!, key: key!, value: value!, visible };
    const width = attributes.heads * attributes.valueSize;
    const seq = lengthOf(context, rows!);
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
      context.subgraph([], (inner) => [{ name: lowerBranch(inner), type: 'float32', shape: ['batch', 'seq', width] }]);
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
    const flat = context.emit('Reshape', [output, context.constant([-1, width], [2], 'int64')]);
    return context.emit('Gather', [flat, slots!], { axis: 0 });
  },
});

// Lowering ---------------------------------------------------------------------------------------------------------

/** Names of values: query, key, value [batch, seq, width], and the lengths of the keys, int64 [batch]. */
interface Padded {
  query: string;
  key: string;
  value: string;
  visible: string;
}

const int64 = (context: Lowering, ...values: number[]) => context.constant(values, [values.length], 'int64');

/** The length of axis 1 as int64 [1]. */
const lengthOf = (context: Lowering, value: string) =>
  context.shared(`length of ${value}`, () => context.emit('Shape', [value], { start: 1, end: 2 }));

const scalarOf = (context: Lowering, value: string) => context.emit('Squeeze', [value]);

function attend(
  context: Lowering,
  padded: Padded,
  mask: string,
  { heads, keyHeads, scale }: AttentionAttributes,
): string {
  return context.emit('Attention', [padded.query, padded.key, padded.value, mask, '', '', padded.visible], {
    q_num_heads: heads,
    kv_num_heads: keyHeads,
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
  const zeros = int64(context, 0, 0, 0, 0);
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
        inner.emit('Slice', [value, from, to, int64(inner, 1)]);
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
          shape: ['batch', block, heads * valueSize],
        },
      ];
    },
  );
  const blocks = context.emit('Loop', [scalarOf(context, count), ''], { body }); // [count, batch, block, width]
  const inOrder = context.emit('Transpose', [blocks], { perm: [1, 0, 2, 3] });
  const joined = context.emit('Reshape', [inOrder, int64(context, 0, -1, heads * valueSize)]);
  return context.emit('Slice', [joined, int64(context, 0), seq, int64(context, 1)]);
}

/** Positions from `start` on, as many as `length`: both int64 [1]. */
interface Range {
  start: string;
  length: string;
}

/**
 * What `causal`, `window` and `alibi` add to the scores of rows i from `start` on against rows j from theirs on: nothing
 * (an empty list), or one mask [1, 1 or heads, rows, keys].
 */
function maskBetween(
  context: Lowering,
  { causal, window, alibi }: AttentionAttributes,
  rows: Range,
  keys: Range,
): string[] {
  if (!causal && window === undefined && !alibi) return [];
  const mask = context.shared(`mask ${rows.length} ${keys.length} ${causal} ${window} ${alibi?.join()}`, () => {
    const scalar = (value: number) => context.constant([value], []);
    const positions = ({ length, start }: Range) => {
      const steps = context.emit('Range', [
        context.constant([0], [], 'int64'),
        scalarOf(context, length),
        context.constant([1], [], 'int64'),
      ]);
      return context.emit('Cast', [context.emit('Add', [steps, start])], { to: 1 });
    };
    const distance = context.emit('Sub', [
      context.emit('Unsqueeze', [positions(rows), int64(context, 1)]),
      positions(keys),
    ]); // i − j
    const far = context.emit('Abs', [distance]);
    const hide = (condition: string) => context.emit('Where', [condition, scalar(Number.NEGATIVE_INFINITY), scalar(0)]);
    const terms: string[] = [];
    if (causal) terms.push(hide(context.emit('Less', [distance, scalar(0)])));
    if (window !== undefined) terms.push(hide(context.emit('Greater', [far, scalar(window)])));
    if (alibi) {
      const slopes = alibi.map((slope) => -slope);
      terms.push(context.emit('Mul', [far, context.constant(slopes, [slopes.length, 1, 1])]));
    }
    const total = terms.reduce((a, b) => context.emit('Add', [a, b]));
    return context.emit('Unsqueeze', [total, alibi ? int64(context, 0) : int64(context, 0, 1)]);
  });
  return [mask];
}

/**
 * Rows [tokens, width] as [batch, seq, width]. One of n equal slices of packed columns [tokens, n · width] is gathered
 * from there: row r of slice i is row n · r + i of the same memory seen as [n · tokens, width].
 */
function padRows(context: Lowering, tensor: Tensor, rows: string): string {
  const packed = tensor.inputs[0];
  const width = tensor.shape[1] as number;
  const { axis, start } = (tensor.attributes ?? {}) as { axis?: number; start?: number };
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

// Reference ----------------------------------------------------------------------------------------------------------

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
