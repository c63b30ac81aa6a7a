/**
 * A graph over ragged sequences as one over padded batches, for runtimes other than ours: flat rows [tokens, width] become
 * the slots of [batch, seq] in row-major order, padding included. What stands on padding is computed and never read: a mask
 * hides it from attention, and pooling gives it no weight.
 *
 * What is left are ONNX's own ops of opset 18, so that every runtime of the last years takes the graph: attention is written
 * out as products and a softmax, GELU and rotary embeddings by the functions they are made of.
 */
import type { AttentionAttributes } from './attention-parts.ts';
import { add, greater, less, multiply, subtract, where } from './elementwise.ts';
import { fail, inOrder, isInput, type Op, type Tensor } from './graph.ts';
import type { SequenceLayout } from './layout.ts';
import type { Lowering } from './lowering.ts';
import { matmul } from './matmul.ts';
import { softmax } from './reduce.ts';
import { frequencies, type RotaryOptions } from './rotary.ts';
import { runningSum } from './running-sum.ts';
import { reshape, slice, transpose, zerosLike } from './shape.ts';

export interface Padding {
  /** int64 [batch, seq]: 1 at the tokens of each sequence, 0 at its padding. */
  readonly mask: Tensor;
  /** The layout of the ragged graph: nothing asks for its inputs afterwards. */
  readonly layout: SequenceLayout;
  /** What stands for other inputs of the ragged graph, by name. */
  readonly inputs: Readonly<Record<string, Tensor>>;
}

/** Added to scores that must not count; finite, so that a row that sees nothing stays a number. */
const hidden = -3.4e38;

export function paddedGraph(outputs: Readonly<Record<string, Tensor>>, padding: Padding): Record<string, Tensor> {
  const { layout, inputs } = padding;
  const maskWithin = attentionMasks(padding.mask);
  const replaced = new Map<Tensor, Tensor>();
  const rewrite = (tensor: Tensor): Tensor => {
    if (isInput(tensor)) return inputs[tensor.attributes.name] ?? tensor;
    if (tensor.inputs.length === 0) return tensor;
    const own = tensor.inputs.map((input) => replaced.get(input)!);
    if (tensor.op.name === 'attention') return attend(own, tensor.attributes as AttentionAttributes, maskWithin);
    if (tensor.op.name === 'gather' && tensor.inputs[1] === layout.rows) return reshape(own[0]!, tensor.shape);
    const lower = plainLowerings[tensor.op.name];
    const op = lower === undefined ? tensor.op : ({ ...tensor.op, lower } as Op);
    return Object.freeze({ ...tensor, op, inputs: Object.freeze(own) });
  };
  for (const tensor of inOrder(Object.values(outputs))) replaced.set(tensor, rewrite(tensor));
  return Object.fromEntries(Object.entries(outputs).map(([name, tensor]) => [name, replaced.get(tensor)!]));
}

/** The place of each element along axis 1 of x [batch, seq], from 0: int64 [batch, seq]. */
export function places(x: Tensor): Tensor {
  return subtract(runningSum(add(zerosLike(x), 1), 1), 1);
}

/** i − j for every pair of places in the sequences of x [batch, seq]: int64 [seq, seq]. */
export function distances(x: Tensor): Tensor {
  const row = slice(places(x), 0, 0, 1); // [1, seq]
  return subtract(reshape(row, ['seq', 1]), row);
}

// Attention --------------------------------------------------------------------------------------------------------

/** By window: what is added to the scores, [batch, 1, 1, seq] without one and [batch, 1, seq, seq] with one. */
function attentionMasks(mask: Tensor): (window: number | undefined) => Tensor {
  const made = new Map<number | undefined, Tensor>();
  const make = (window: number | undefined): Tensor => {
    if (window === undefined) return reshape(where(greater(mask, 0), 0, hidden), ['batch', 1, 1, 'seq']);
    const distance = distances(mask);
    const near = where(less(distance, -window), hidden, within(undefined));
    return where(greater(distance, window), hidden, near);
  };
  const within = (window: number | undefined): Tensor => {
    const found = made.get(window) ?? make(window);
    made.set(window, found);
    return found;
  };
  return within;
}

function attend(
  [query, key, value, , , , bias]: readonly Tensor[],
  { heads, keyHeads, size, valueSize, scale, causal, window, alibi, dropout }: AttentionAttributes,
  maskWithin: (window: number | undefined) => Tensor,
): Tensor {
  if (causal || alibi !== undefined || keyHeads !== heads || dropout !== undefined)
    fail('padded', 'attention that is causal, sloped, grouped or drops anything is not written out');
  const part = (x: Tensor, width: number, order: readonly number[]) =>
    transpose(reshape(x, ['batch', 'seq', heads, width]), order);
  const products = matmul(part(query!, size, [0, 2, 1, 3]), part(key!, size, [0, 2, 3, 1])); // [batch, heads, seq, seq]
  const scaled = multiply(products, scale);
  const scores = add(bias === undefined ? scaled : add(scaled, bias), maskWithin(window));
  const attended = matmul(softmax(scores), part(value!, valueSize, [0, 2, 1, 3])); // [batch, heads, seq, size]
  return reshape(transpose(attended, [0, 2, 1, 3]), ['tokens', heads * valueSize]);
}

// Ops whose usual lowering asks for newer ops ----------------------------------------------------------------------

type Lower = (context: Lowering, inputs: readonly string[], attributes: never, tensors: readonly Tensor[]) => string;

const plainLowerings: Readonly<Record<string, Lower>> = {
  gelu(context, [x], { approximation }: { approximation: 'none' | 'tanh' }) {
    const number = (value: number) => context.constant([value], []);
    const half = (inner: string) =>
      context.emit('Mul', [context.emit('Mul', [x!, context.emit('Add', [inner, number(1)])]), number(0.5)]);
    if (approximation === 'none') return half(context.emit('Erf', [context.emit('Div', [x!, number(Math.SQRT2)])]));
    const cube = context.emit('Mul', [context.emit('Mul', [x!, x!]), x!]);
    const sum = context.emit('Add', [x!, context.emit('Mul', [cube, number(0.044715)])]);
    return half(context.emit('Tanh', [context.emit('Mul', [sum, number(Math.sqrt(2 / Math.PI))])]));
  },

  rotary(context, [x, positions], { heads, base, inverse }: RotaryOptions, [tensor]) {
    if (inverse) fail('padded', 'a rotation back belongs to training');
    const size = (tensor!.shape[1] as number) / heads;
    const int64 = (...values: number[]) => context.constant(values, [values.length], 'int64');
    const turn = (type: string) =>
      context.shared(`plain ${type} of ${positions} ${size} ${base}`, () => {
        const angles = context.shared(`plain angles of ${positions} ${size} ${base}`, () =>
          context.emit('Mul', [
            context.emit('Reshape', [context.emit('Cast', [positions!], { to: 1 }), int64(-1, 1, 1)]),
            context.constant(frequencies(size, base)),
          ]),
        );
        return context.emit(type, [angles]); // [tokens, 1, size / 2]
      });
    const [cos, sin] = [turn('Cos'), turn('Sin')];
    const parts = context.emit('Reshape', [x!, int64(-1, heads, size)]);
    const cut = (from: number, to: number) => context.emit('Slice', [parts, int64(from), int64(to), int64(2)]);
    const [a, b] = [cut(0, size / 2), cut(size / 2, size)];
    const times = (u: string, v: string) => context.emit('Mul', [u, v]);
    const turned = [
      context.emit('Sub', [times(a, cos), times(b, sin)]),
      context.emit('Add', [times(b, cos), times(a, sin)]),
    ];
    return context.emit('Reshape', [context.emit('Concat', turned, { axis: 2 }), int64(-1, heads * size)]);
  },
};
