/** Reductions over one axis, and softmax. */
import { axisOf, defineOp, requireType, type Shape, type Tensor } from './graph.ts';
import { type NdArray, ndarray } from './ndarray.ts';

interface ReduceOptions {
  /** Keeps the axis with length 1. Default false. */
  keepDimensions?: boolean;
}

/** Calls `visit` for every line along `axis`: where it starts, its step, its length. Lines come in row-major order. */
export function forEachLine(
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

function reduction(name: string, onnx: string, f: (values: Float64Array) => number) {
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
  });
  return (x: Tensor, axis: number, { keepDimensions = false }: ReduceOptions = {}): Tensor =>
    node([x], { axis: axisOf(name, axis, x.shape.length), keepDimensions });
}

const total = (values: Float64Array) => values.reduce((a, b) => a + b, 0);

export const sum = reduction('sum', 'ReduceSum', total);
export const mean = reduction('mean', 'ReduceMean', (values) => total(values) / values.length);
export const max = reduction('max', 'ReduceMax', (values) => values.reduce((a, b) => Math.max(a, b), -Infinity));

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
});

/** exp(x) over its sum along `axis` (default: the last). */
export function softmax(x: Tensor, axis = -1): Tensor {
  return softmaxNode([x], { axis: axisOf('softmax', axis, x.shape.length) });
}
