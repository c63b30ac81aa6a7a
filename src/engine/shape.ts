/** Ops that move or cut elements and compute nothing. */
import { axisOf, type Dimension, defineOp, fail, type Shape, showShape, type Tensor } from './graph.ts';
import { forEachIndex, ndarray, stridesOf } from './ndarray.ts';

// reshape ----------------------------------------------------------------------------------------------------------

const reshapeNode = defineOp<{ shape: Shape }>({
  name: 'reshape',
  infer([x], { shape }) {
    const numbers = (dims: Shape) => dims.reduce<number>((n, size) => (typeof size === 'number' ? n * size : n), 1);
    const names = (dims: Shape) =>
      dims
        .filter((size) => typeof size === 'string')
        .sort()
        .join();
    const known = names(x!.shape) === names(shape);
    if (known && numbers(x!.shape) !== numbers(shape))
      fail('reshape', `${showShape(x!.shape)} does not fill ${showShape(shape)}`);
    return { dtype: x!.dtype, shape };
  },
  evaluate: ([x], _, shape) => ndarray(shape, x!.data),
  lower: (context, [x], { shape }) => context.emit('Reshape', [x!, context.shape(shape)]),
});

/** The same elements in row-major order under another shape. */
export function reshape(x: Tensor, shape: Shape): Tensor {
  return reshapeNode([x], { shape });
}

// transpose --------------------------------------------------------------------------------------------------------

const transposeNode = defineOp<{ permutation: readonly number[] }>({
  name: 'transpose',
  infer: ([x], { permutation }) => ({ dtype: x!.dtype, shape: permutation.map((axis) => x!.shape[axis]!) }),
  evaluate([x], { permutation }, shape) {
    const result = ndarray(shape);
    const strides = stridesOf(x!.shape);
    forEachIndex(shape, [permutation.map((axis) => strides[axis]!)], ([offset], position) => {
      result.data[position] = x!.data[offset!]!;
    });
    return result;
  },
  lower: (context, inputs, { permutation }) => context.emit('Transpose', inputs, { perm: permutation }),
});

/** Axis i of the result is axis `permutation[i]` of x. */
export function transpose(x: Tensor, permutation: readonly number[]): Tensor {
  if ([...permutation].sort((a, b) => a - b).join() !== x.shape.map((_, axis) => axis).join())
    fail('transpose', `[${permutation}] is no order of the axes of ${showShape(x.shape)}`);
  return transposeNode([x], { permutation });
}

// concatenate ------------------------------------------------------------------------------------------------------

const concatenateNode = defineOp<{ axis: number }>({
  name: 'concatenate',
  infer(parts, { axis }) {
    const first = parts[0]!;
    for (const part of parts) {
      if (part.dtype !== first.dtype) fail('concatenate', `element types ${first.dtype} and ${part.dtype} differ`);
      if (
        part.shape.length !== first.shape.length ||
        part.shape.some((size, i) => i !== axis && size !== first.shape[i])
      )
        fail('concatenate', `${showShape(first.shape)} and ${showShape(part.shape)} differ beside axis ${axis}`);
    }
    const sizes = parts.map((part) => part.shape[axis]!);
    const length: Dimension = sizes.every((size) => typeof size === 'number')
      ? sizes.reduce<number>((n, size) => n + size, 0)
      : sizes.join('+');
    return { dtype: first.dtype, shape: first.shape.map((size, i) => (i === axis ? length : size)) };
  },
  evaluate(parts, { axis }, shape) {
    const result = ndarray(shape);
    const inner = shape.slice(axis + 1).reduce((a, b) => a * b, 1);
    const outer = shape.slice(0, axis).reduce((a, b) => a * b, 1);
    let at = 0;
    for (let i = 0; i < outer; i++)
      for (const part of parts) {
        const length = part.shape[axis]! * inner;
        result.data.set(part.data.subarray(i * length, (i + 1) * length), at);
        at += length;
      }
    return result;
  },
  lower: (context, inputs, { axis }) => context.emit('Concat', inputs, { axis }),
});

/** The parts one after another along `axis`. */
export function concatenate(parts: readonly Tensor[], axis: number): Tensor {
  if (parts.length === 0) fail('concatenate', 'there is nothing to join');
  return concatenateNode(parts, { axis: axisOf('concatenate', axis, parts[0]!.shape.length) });
}

// slice ------------------------------------------------------------------------------------------------------------

const sliceNode = defineOp<{ axis: number; start: number; end: number }>({
  name: 'slice',
  infer([x], { axis, start, end }) {
    const size = x!.shape[axis]!;
    if (!(Number.isInteger(start) && Number.isInteger(end) && start >= 0 && end >= start))
      fail('slice', `${start}..${end} is no range`);
    if (typeof size === 'number' && end > size) fail('slice', `${start}..${end} leaves the axis of length ${size}`);
    return { dtype: x!.dtype, shape: x!.shape.map((length, i) => (i === axis ? end - start : length)) };
  },
  evaluate([x], { axis, start }, shape) {
    const result = ndarray(shape);
    const strides = stridesOf(x!.shape);
    const inner = x!.shape.slice(axis + 1).reduce((a, b) => a * b, 1);
    forEachIndex(shape, [strides], ([offset], position) => {
      result.data[position] = x!.data[offset! + start * inner]!;
    });
    return result;
  },
  lower: (context, [x], { axis, start, end }) =>
    context.emit('Slice', [x!, ...[start, end, axis].map((value) => context.constant([value], [1], 'int64'))]),
});

/** Elements start to end (excluded) along `axis`. */
export function slice(x: Tensor, axis: number, start: number, end: number): Tensor {
  return sliceNode([x], { axis: axisOf('slice', axis, x.shape.length), start, end });
}

/** Cuts `axis` into pieces of the given sizes. */
export function split(x: Tensor, axis: number, sizes: readonly number[]): Tensor[] {
  const whole = x.shape[axisOf('split', axis, x.shape.length)];
  const total = sizes.reduce((a, b) => a + b, 0);
  if (typeof whole === 'number' && whole !== total) fail('split', `[${sizes}] does not add up to ${whole}`);
  let start = 0;
  return sizes.map((size) => {
    start += size;
    return slice(x, axis, start - size, start);
  });
}
