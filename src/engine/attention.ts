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
 * Lowering: the heads of each row are padded by one gather to [batch, heads, seq, size] for ONNX's own Attention (opset 24),
 * which takes the lengths of the keys and so needs no mask for padding; the result's real rows are gathered back. In that
 * layout nothing is transposed. The op holds the scores of all rows at once, so sequences longer than two blocks take their queries block by block, each against the keys that
 * it can see: the memory grows with the length, not its square, and with a window so does the time.
 */
import { attentionGradient } from './attention-gradient.ts';
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

export interface AttentionAttributes {
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
    const { heads, keyHeads, size, valueSize } = attributes;
    const [query, key, value] = [
      padHeads(context, tensors[0]!, rows!, heads, size),
      padHeads(context, tensors[1]!, rows!, keyHeads, size),
      padHeads(context, tensors[2]!, rows!, keyHeads, valueSize),
    ];
    const visible = context.shared(`int64 ${lengths}`, () => context.emit('Cast', [lengths!], { to: 7 }));
    const padded: Padded = { query: query!, key: key!, value: value!, visible };
    const seq = lengthOf(context, rows!, 1);
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
    const flat = context.emit('Reshape', [output, int64(context, -1, valueSize)]);
    const picked = context.emit('Gather', [flat, headsOfSlots(context, slots!, seq, heads)], { axis: 0 });
    return context.emit('Reshape', [picked, int64(context, -1, heads * valueSize)]);
  },
  gradient: attentionGradient,
});

// Lowering ---------------------------------------------------------------------------------------------------------

/** Names of values: query, key, value [batch, heads, seq, size], and the lengths of the keys, int64 [batch]. */
interface Padded {
  query: string;
  key: string;
  value: string;
  visible: string;
}

export const int64 = (context: Lowering, ...values: number[]) => context.constant(values, [values.length], 'int64');

/** The length of the sequence axis, the last but one or of `rows` the last, as int64 [1]. */
export const lengthOf = (context: Lowering, value: string, axis = 2) =>
  context.shared(`length of ${value}`, () => context.emit('Shape', [value], { start: axis, end: axis + 1 }));

export const scalarOf = (context: Lowering, value: string) => context.emit('Squeeze', [value]);

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

/** Positions from `start` on, as many as `length`: both int64 [1]. */
export interface Range {
  start: string;
  length: string;
}

/**
 * What `causal`, `window` and `alibi` add to the scores of rows i from `start` on against rows j from theirs on: nothing
 * (an empty list), or one mask [1, 1 or heads, rows, keys].
 */
export function maskBetween(
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
 * Rows [tokens, heads · size] as [batch, heads, seq, size]: one gather of pieces as wide as a head. A slice of packed columns
 * [tokens, n · size] is gathered from there, without being cut out first.
 */
export function padHeads(context: Lowering, tensor: Tensor, rows: string, heads: number, size: number): string {
  const { axis, start = 0 } = (tensor.attributes ?? {}) as { axis?: number; start?: number };
  const packed = tensor.op.name === 'slice' && axis === 1 && start % size === 0 ? tensor.inputs[0]! : undefined;
  const isPacked = packed !== undefined && (packed.shape[1] as number) % size === 0;
  const source = isPacked ? packed : tensor;
  const pieces = (source.shape[1] as number) / size;
  const first = isPacked ? start / size : 0;
  const name = context.value(source);
  const narrow = context.shared(`pieces of ${size} of ${name}`, () =>
    context.emit('Reshape', [name, int64(context, -1, size)]),
  );
  const picked = context.shared(`${heads} heads from ${first} of ${pieces} of ${rows}`, () => {
    const numbers = Array.from({ length: heads }, (_, head) => first + head);
    const starts = context.emit('Mul', [rows, context.constant([pieces], [], 'int32')]);
    return context.emit('Add', [
      context.emit('Unsqueeze', [starts, int64(context, 1)]),
      context.constant(numbers, [heads, 1], 'int32'),
    ]);
  }); // [batch, heads, seq]
  return context.emit('Gather', [narrow, picked], { axis: 0 });
}

/** For each row its heads' places among the pieces of [batch, heads, seq, size]: int32 [tokens, heads]. */
export function headsOfSlots(context: Lowering, slots: string, seq: string, heads: number): string {
  return context.shared(`${heads} heads of ${slots}`, () => {
    const length = context.emit('Cast', [seq], { to: 6 }); // int32 [1]
    // slot = b · seq + s; the piece of head h is (b · heads + h) · seq + s = slot + (b · (heads − 1) + h) · seq
    const sequence = context.emit('Div', [slots, length]);
    const before = context.emit('Mul', [sequence, context.constant([heads - 1], [], 'int32')]);
    const added = context.emit('Add', [
      context.emit('Unsqueeze', [before, int64(context, 1)]),
      context.constant(
        Array.from({ length: heads }, (_, head) => head),
        [heads],
        'int32',
      ),
    ]);
    return context.emit('Add', [
      context.emit('Unsqueeze', [slots, int64(context, 1)]),
      context.emit('Mul', [added, length]),
    ]);
  });
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
