/** Reductions over one axis, softmax and cross-entropy. */
import { cast } from './cast.ts';
import { divide, equal, exp, multiply, subtract } from './elementwise.ts';
import {
  axisOf,
  defineOp,
  fail,
  requireRank,
  requireType,
  type Shape,
  sameShape,
  showShape,
  type Tensor,
} from './graph.ts';
import { forEachIndex, type NdArray, ndarray, stridesOf } from './ndarray.ts';
import { broadcastLike } from './shape.ts';

interface ReduceOptions {
  /** Keeps the axis with length 1. Default false. */
  keepDimensions?: boolean;
}

/** Calls `visit` for every line along `axis`: where it starts, its step, its length. Lines come in row-major order. */
function forEachLine(
  array: NdArray,
  axis: number,
  visit: (start: number, step: number, length: number, line: number) => void,
): void {
  const length = array.shape[axis]!;
  const step = array.shape.slice(axis + 1).reduce((a, b) => a * b, 1);
  const outer = array.shape.slice(0, axis).reduce((a, b) => a * b, 1);
  for (let i = 0; i < outer; i++)
    for (let j = 0; j < step; j++) visit(i * length * step + j, step, length, i * step + j);
}

/** `rule`: the cotangent of x from g and the result y, both with their axis kept as length 1. */
type ReductionRule = (g: Tensor, x: Tensor, y: Tensor, axis: number) => Tensor;

function reduction(name: string, onnx: string, f: (values: Float64Array) => number, rule: ReductionRule) {
  const node = defineOp<{ axis: number; keepDimensions: boolean }>({
    name,
    infer([x], { axis, keepDimensions }) {
      requireType(name, x!, 'float32');
      const shape = keepDimensions
        ? x!.shape.map((size, i) => (i === axis ? 1 : size))
        : x!.shape.filter((_, i) => i !== axis);
      return { dtype: 'float32', shape };
    },
    evaluate([x], { axis }, shape) {
      const result = ndarray(shape);
      forEachLine(x!, axis, (start, step, length, line) => {
        result.data[line] = f(Float64Array.from({ length }, (_, i) => x!.data[start + i * step]!));
      });
      return result;
    },
    lower: (context, [x], { axis, keepDimensions }) =>
      context.emit(onnx, [x!, context.constant([axis], [1], 'int64')], { keepdims: keepDimensions }),
    gradient(result, cotangent) {
      const { inputs, attributes } = result;
      const x = inputs[0]!;
      const kept = (tensor: Tensor) => (attributes.keepDimensions ? tensor : withAxis(tensor, x, attributes.axis));
      return [rule(kept(cotangent), x, kept(result), attributes.axis)];
    },
  });
  return (x: Tensor, axis: number, { keepDimensions = false }: ReduceOptions = {}): Tensor =>
    node([x], { axis: axisOf(name, axis, x.shape.length), keepDimensions });
}

const total = (values: Float64Array) => values.reduce((a, b) => a + b, 0);

export const sum = reduction('sum', 'ReduceSum', total, (g, x) => broadcastLike(g, x));
export const mean = reduction(
  'mean',
  'ReduceMean',
  (values) => total(values) / values.length,
  (g, x, _, axis) => broadcastLike(divide(g, lengthOf(x, axis)), x),
);
/** Elements that share the maximum share its cotangent evenly. */
export const max = reduction(
  'max',
  'ReduceMax',
  (values) => values.reduce((a, b) => Math.max(a, b), -Infinity),
  (g, x, y, axis) => {
    const chosen = cast(equal(x, y), 'float32');
    return multiply(chosen, divide(g, sum(chosen, axis, { keepDimensions: true })));
  },
);

/** A reduction's result with its axis put back as length 1: the gradient of a sum takes it to broadcast. */
function withAxis(reduced: Tensor, x: Tensor, axis: number): Tensor {
  return withAxisNode([reduced], { axis, shape: x.shape.map((size, i) => (i === axis ? 1 : size)) });
}

const withAxisNode = defineOp<{ axis: number; shape: Shape }>({
  name: 'withAxis',
  infer: ([x], { shape }) => ({ dtype: x!.dtype, shape }),
  evaluate: ([x], _, shape) => ndarray(shape, x!.data),
  lower: (context, [x], { axis }) => context.emit('Unsqueeze', [x!, context.constant([axis], [1], 'int64')]),
});

const lengthNode = defineOp<{ axis: number }>({
  name: 'lengthOf',
  infer: () => ({ dtype: 'float32', shape: [] }),
  evaluate: ([x], { axis }) => ndarray([], Float64Array.of(x!.shape[axis]!)),
  lower: (context, [x], { axis }, [tensor]) => {
    const size = tensor!.shape[axis]!;
    if (typeof size === 'number') return context.constant([size], []);
    const length = context.emit('Shape', [x!], { start: axis, end: axis + 1 });
    return context.emit('Squeeze', [context.emit('Cast', [length], { to: 1 })]);
  },
  gradient: () => [],
});

/** The length of an axis as a float32 scalar, its name's number at each run. */
export function lengthOf(x: Tensor, axis: number): Tensor {
  return lengthNode([x], { axis: axisOf('lengthOf', axis, x.shape.length) });
}

const sumToNode = defineOp<{ axes: readonly number[]; shape: Shape }>({
  name: 'sumTo',
  infer: ([x], { shape }) => ({ dtype: x!.dtype, shape }),
  evaluate([x], { axes }, shape) {
    const result = ndarray(shape);
    const kept = x!.shape.map((size, axis) => (axes.includes(axis) ? 1 : size));
    forEachIndex(x!.shape, [stridesOf(x!.shape), stridesOf(kept)], ([from, to]) => {
      result.data[to!]! += x!.data[from!]!;
    });
    return result;
  },
  lower(context, [x], { axes, shape }, [tensor]) {
    const list = (values: readonly number[]) => context.constant(values, [values.length], 'int64');
    const dropped = tensor!.shape.length - shape.length;
    if (axes.every((axis) => axis < dropped)) return context.emit('ReduceSum', [x!, list(axes)], { keepdims: 0 });
    const kept = context.emit('ReduceSum', [x!, list(axes)], { keepdims: 1 });
    return dropped === 0 ? kept : context.emit('Squeeze', [kept, list(axes.slice(0, dropped))]);
  },
  gradient: ({ inputs: [x] }, cotangent) => [broadcastLike(cotangent, x!)],
});

/** The inverse of broadcasting: sums x over the axes along which `shape` would be spread to fill it. */
export function sumTo(x: Tensor, shape: Shape): Tensor {
  const dropped = x.shape.length - shape.length;
  const axes = x.shape.flatMap((size, axis) =>
    axis < dropped || (shape[axis - dropped] === 1 && size !== 1) ? [axis] : [],
  );
  return axes.length === 0 ? x : sumToNode([x], { axes, shape });
}

const softmaxNode = defineOp<{ axis: number }>({
  name: 'softmax',
  infer([x]) {
    requireType('softmax', x!, 'float32');
    return { dtype: 'float32', shape: x!.shape as Shape };
  },
  evaluate([x], { axis }, shape) {
    const result = ndarray(shape);
    forEachLine(x!, axis, (start, step, length) => {
      let peak = -Infinity;
      for (let i = 0; i < length; i++) peak = Math.max(peak, x!.data[start + i * step]!);
      let norm = 0;
      for (let i = 0; i < length; i++) norm += Math.exp(x!.data[start + i * step]! - peak);
      for (let i = 0; i < length; i++)
        result.data[start + i * step] = Math.exp(x!.data[start + i * step]! - peak) / norm;
    });
    return result;
  },
  lower: (context, inputs, { axis }) => context.emit('Softmax', inputs, { axis }),
  gradient(y, cotangent) {
    const weighted = multiply(cotangent, y);
    return [subtract(weighted, multiply(y, sum(weighted, y.attributes.axis, { keepDimensions: true })))];
  },
});

/** exp(x) over its sum along `axis` (default: the last). */
export function softmax(x: Tensor, axis = -1): Tensor {
  return softmaxNode([x], { axis: axisOf('softmax', axis, x.shape.length) });
}

const logSoftmaxNode = defineOp<{ axis: number }>({
  name: 'logSoftmax',
  infer([x]) {
    requireType('logSoftmax', x!, 'float32');
    return { dtype: 'float32', shape: x!.shape };
  },
  evaluate([x], { axis }, shape) {
    const result = ndarray(shape);
    forEachLine(x!, axis, (start, step, length) => {
      let peak = -Infinity;
      for (let i = 0; i < length; i++) peak = Math.max(peak, x!.data[start + i * step]!);
      let norm = 0;
      for (let i = 0; i < length; i++) norm += Math.exp(x!.data[start + i * step]! - peak);
      for (let i = 0; i < length; i++)
        result.data[start + i * step] = x!.data[start + i * step]! - peak - Math.log(norm);
    });
    return result;
  },
  lower(context, inputs, { axis }) {
    if (context.device === 'cpu') return context.emit('LogSoftmax', inputs, { axis });
    // No kernel on WebGPU: x − peak − log Σ exp(x − peak).
    const over = context.constant([axis], [1], 'int64');
    const shifted = context.emit('Sub', [inputs[0]!, context.emit('ReduceMax', [inputs[0]!, over], { keepdims: 1 })]);
    const norm = context.emit('ReduceSum', [context.emit('Exp', [shifted]), over], { keepdims: 1 });
    return context.emit('Sub', [shifted, context.emit('Log', [norm])]);
  },
  gradient: (y, cotangent) => [
    subtract(cotangent, multiply(exp(y), sum(cotangent, y.attributes.axis, { keepDimensions: true }))),
  ],
});

/** The logarithm of `softmax`, exact where that would be 0. */
export function logSoftmax(x: Tensor, axis = -1): Tensor {
  return logSoftmaxNode([x], { axis: axisOf('logSoftmax', axis, x.shape.length) });
}

const crossEntropyNode = defineOp<undefined>({
  name: 'crossEntropy',
  infer([logits, labels]) {
    requireType('crossEntropy', logits!, 'float32');
    requireType('crossEntropy', labels!, 'int32', 'int64');
    requireRank('crossEntropy', logits!, 2);
    if (!sameShape(labels!.shape, [logits!.shape[0]!]))
      fail('crossEntropy', `labels ${showShape(labels!.shape)} for logits ${showShape(logits!.shape)}`);
    return { dtype: 'float32', shape: [logits!.shape[0]!] };
  },
  evaluate([logits, labels], _, shape) {
    const result = ndarray(shape);
    forEachLine(logits!, 1, (start, _step, length, row) => {
      const values = logits!.data.subarray(start, start + length);
      const peak = values.reduce((a, b) => Math.max(a, b), -Infinity);
      const norm = values.reduce((a, b) => a + Math.exp(b - peak), 0);
      result.data[row] = peak + Math.log(norm) - values[labels!.data[row]!]!;
    });
    return result;
  },
  lower(context, [logits, labels]) {
    const one = context.constant([1], [1], 'int64');
    const chances = context.emit('LogSoftmax', [logits!], { axis: -1 });
    const index = context.emit('Unsqueeze', [labels!, one]);
    return context.emit('Neg', [
      context.emit('Squeeze', [context.emit('GatherElements', [chances, index], { axis: 1 }), one]),
    ]);
  },
  gradient({ inputs }, cotangent) {
    const [logits, labels] = inputs as [Tensor, Tensor];
    const difference = subtract(softmax(logits), oneHotLike(labels, logits));
    return [multiply(difference, withAxisNode([cotangent], { axis: 1, shape: [logits.shape[0]!, 1] })), undefined];
  },
});

/** −log softmax(logits)[label] of each row: logits [rows, classes], labels int32 [rows] to [rows]. */
export function crossEntropy(logits: Tensor, labels: Tensor): Tensor {
  return crossEntropyNode([logits, labels], undefined);
}

const oneHotNode = defineOp<undefined>({
  name: 'oneHot',
  infer: ([, like]) => ({ dtype: 'float32', shape: like!.shape }),
  evaluate([labels], _, shape) {
    const result = ndarray(shape);
    labels!.data.forEach((label, row) => {
      result.data[row * shape[1]! + label] = 1;
    });
    return result;
  },
  lower(context, [labels, like]) {
    const depth = context.emit('Shape', [like!], { start: 1, end: 2 });
    return context.emit('OneHot', [context.emit('Cast', [labels!], { to: 7 }), depth, context.constant([0, 1])], {
      axis: -1,
    });
  },
  gradient: () => [],
});

/** 1 at each row's label, 0 elsewhere, in the shape [rows, classes] of another tensor; labels int32 [rows]. */
export function oneHotLike(labels: Tensor, like: Tensor): Tensor {
  return oneHotNode([labels, like], undefined);
}
