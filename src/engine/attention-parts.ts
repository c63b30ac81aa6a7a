/**
 * What the lowerings of attention and of its gradient have in common: the padded layout of heads, masks by position, blocks of
 * long sequences, products of heads.
 */
import { keptColumns } from './dropout.ts';
import type { Tensor } from './graph.ts';
import type { Lowering } from './lowering.ts';

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
  /** The last input holds the rows' keys. */
  dropout?: { rate: number; site: number };
}

/** The optional inputs: a bias, then keys where probabilities are dropped. */
export function biasAndKeys<T>(
  optional: readonly T[],
  { dropout }: AttentionAttributes,
): [T | undefined, T | undefined] {
  const biased = optional.length > (dropout ? 1 : 0);
  return [biased ? optional[0] : undefined, dropout ? optional.at(-1) : undefined];
}

/** In numbers: for column j 1 / (1 − rate) where a row of this key keeps it and 0 where not; 1 without dropout. */
export function keptFactors(
  key: number | undefined,
  dropout: AttentionAttributes['dropout'],
  head: number,
): (column: number) => number {
  if (key === undefined || dropout === undefined) return () => 1;
  const kept = keptColumns(key, dropout.site, dropout.rate, head);
  return (column) => (kept(column) ? 1 / (1 - dropout.rate) : 0);
}

/** Names of values: query, key, value [batch, heads, seq, size], and the lengths of the keys, int64 [batch]. */
export interface Padded {
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

/** 0 … seq − 1, int64. */
export const placesOf = (context: Lowering, seq: string) =>
  context.emit('Range', [
    context.constant([0], [], 'int64'),
    scalarOf(context, seq),
    context.constant([1], [], 'int64'),
  ]);

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
      return context.emit('Cast', [context.emit('Add', [placesOf(context, length), start])], { to: 1 });
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

/** The mask of whole sequences with the bias [heads, seq, seq]: nothing, or one value [seq, seq] or [heads or 1, seq, seq]. */
export function wholeMask(context: Lowering, attributes: AttentionAttributes, seq: string, bias?: string): string[] {
  const whole = { start: int64(context, 0), length: seq };
  const masks = maskBetween(context, attributes, whole, whole).map((mask) =>
    context.emit('Squeeze', [mask, int64(context, 0)]),
  );
  const all = bias === undefined ? masks : [...masks, bias];
  return all.length === 0 ? [] : [addAll(context, all)];
}

export const addAll = (context: Lowering, values: readonly string[]) =>
  values.reduce((a, b) => context.emit('Add', [a, b]));

/** Rows cut into pieces as wide as a head, [tokens · pieces, size], and which of them the heads are, int32 [batch, heads, seq]. */
export interface HeadPieces {
  pieces: string;
  places: string;
}

/** Of rows [tokens, heads · size]; a slice of packed columns [tokens, n · size] is read from there, without being cut out first. */
export function headPieces(context: Lowering, tensor: Tensor, rows: string, heads: number, size: number): HeadPieces {
  const { axis, start = 0 } = (tensor.attributes ?? {}) as { axis?: number; start?: number };
  const packed = tensor.op.name === 'slice' && axis === 1 && start % size === 0 ? tensor.inputs[0]! : undefined;
  const isPacked = packed !== undefined && (packed.shape[1] as number) % size === 0;
  const source = isPacked ? packed : tensor;
  const pieces = (source.shape[1] as number) / size;
  const first = isPacked ? start / size : 0;
  const name = context.value(source);
  const cut = context.shared(`pieces of ${size} of ${name}`, () =>
    context.emit('Reshape', [name, int64(context, -1, size)]),
  );
  return { pieces: cut, places: headPlaces(context, rows, heads, first, pieces) };
}

/** Where `heads` of them stand, from the `first` of each row's `pieces` on: int32 [batch, heads, seq]. */
export function headPlaces(context: Lowering, rows: string, heads: number, first: number, pieces: number): string {
  return context.shared(`${heads} heads from ${first} of ${pieces} of ${rows}`, () => {
    const numbers = Array.from({ length: heads }, (_, head) => first + head);
    const starts = context.emit('Mul', [rows, context.constant([pieces], [], 'int32')]);
    return context.emit('Add', [
      context.emit('Unsqueeze', [starts, int64(context, 1)]),
      context.constant(numbers, [heads, 1], 'int32'),
    ]);
  });
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

/**
 * For a block's number within a loop, int64 []: its queries from `start` to `stop` and the keys that they may see, from `first` to
 * `end`, all int64 [1] and within `seq`.
 */
export function attendedRange(
  context: Lowering,
  number: string,
  seq: string,
  { block, window, causal }: AttentionAttributes,
): { start: string; stop: string; first: string; end: string } {
  const add = (value: string, offset: number) => context.emit('Add', [value, int64(context, offset)]);
  const least = (value: string) => context.emit('Min', [value, seq]);
  const start = context.emit('Mul', [context.emit('Unsqueeze', [number, int64(context, 0)]), int64(context, block)]);
  const first =
    window === undefined ? int64(context, 0) : context.emit('Max', [add(start, -window), int64(context, 0)]);
  const after = causal ? block : window === undefined ? undefined : block + window;
  return { start, stop: least(add(start, block)), first, end: after === undefined ? seq : least(add(start, after)) };
}

/** alpha · a b of [heads, m, k] and [heads, k, n], either turned. */
export function product(
  context: Lowering,
  a: string,
  b: string,
  { transA = false, transB = false, alpha = 1 }: { transA?: boolean; transB?: boolean; alpha?: number },
): string {
  if (context.device === 'cpu')
    return context.emit(
      'FusedMatMul',
      [a, b],
      { transA, transB, alpha: { float: alpha } },
      { domain: 'com.microsoft' },
    );
  const turned = (value: string, turn: boolean) =>
    turn ? context.emit('Transpose', [value], { perm: [0, 2, 1] }) : value;
  const plain = context.emit('MatMul', [turned(a, transA), turned(b, transB)]);
  return alpha === 1 ? plain : context.emit('Mul', [plain, context.constant([alpha], [])]);
}

/** Key heads [keyHeads, seq, size] once for each query head that reads them. */
export function spreadHeads(context: Lowering, value: string, heads: number, keyHeads: number): string {
  if (heads === keyHeads) return value;
  const of = Array.from({ length: heads }, (_, head) => Math.floor((head * keyHeads) / heads));
  return context.emit('Gather', [value, int64(context, ...of)], { axis: 0 });
}
