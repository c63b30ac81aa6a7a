/** Ops that move or cut elements and compute nothing. */
import {
  axisOf,
  broadcastShapes,
  constant,
  type Dimension,
  defineOp,
  fail,
  type NodeOf,
  type Shape,
  sameShape,
  showShape,
  type Tensor,
} from './graph.ts';
import { forEachIndex, mapArrays, type NdArray, ndarray, stridesOf } from './ndarray.ts';
import { sumTo } from './reduce.ts';

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
  gradient: ({ inputs: [x] }, cotangent) => [reshapeLike(cotangent, x!)],
});

/** The same elements in row-major order under another shape. */
export function reshape(x: Tensor, shape: Shape): Tensor {
  return reshapeNode([x], { shape });
}

const reshapeLikeNode = defineOp<undefined>({
  name: 'reshapeLike',
  infer: ([x, like]) => ({ dtype: x!.dtype, shape: like!.shape }),
  evaluate: ([x], _, shape) => ndarray(shape, x!.data),
  lower: (context, [x, like]) => context.emit('Reshape', [x!, context.emit('Shape', [like!])]),
  gradient: ({ inputs: [x] }, cotangent) => [reshapeLike(cotangent, x!), undefined],
});

/** The elements of x in the shape of another tensor, whatever its names are made of. */
function reshapeLike(x: Tensor, like: Tensor): Tensor {
  if (sameShape(x.shape, like.shape)) return x;
  const named = like.shape.filter((size) => typeof size === 'string').length;
  return named <= 1 ? reshape(x, like.shape) : reshapeLikeNode([x, like], undefined);
}

// broadcast --------------------------------------------------------------------------------------------------------

const broadcastLikeNode = defineOp<undefined>({
  name: 'broadcastLike',
  infer([x, like]) {
    if (!sameShape(broadcastShapes('broadcastLike', x!.shape, like!.shape), like!.shape))
      fail('broadcastLike', `${showShape(x!.shape)} does not spread over ${showShape(like!.shape)}`);
    return { dtype: x!.dtype, shape: like!.shape };
  },
  evaluate: ([x], _, shape) => mapArrays(shape, [x!], (value) => value!),
  lower: (context, [x, like], _, [, tensor]) =>
    context.emit('Expand', [
      x!,
      tensor!.shape.every((size) => typeof size === 'number')
        ? context.constant(tensor!.shape as number[], [tensor!.shape.length], 'int64')
        : context.emit('Shape', [like!]),
    ]),
  gradient: ({ inputs: [x] }, cotangent) => [sumTo(cotangent, x!.shape), undefined],
});

/** x spread over the shape of another tensor, whose values do not matter. */
export function broadcastLike(x: Tensor, like: Tensor): Tensor {
  return sameShape(x.shape, like.shape) ? x : broadcastLikeNode([x, like], undefined);
}

export function zerosLike(like: Tensor): Tensor {
  return broadcastLike(constant(0, [], like.dtype), like);
}

// stopGradient -----------------------------------------------------------------------------------------------------

const stopGradientNode = defineOp<undefined>({
  name: 'stopGradient',
  infer: ([x]) => ({ dtype: x!.dtype, shape: x!.shape }),
  evaluate: ([x]) => x!,
  lower: (_, [x]) => x!,
  gradient: () => [],
});

/** x itself, taken for a constant by `gradients`. */
export function stopGradient(x: Tensor): Tensor {
  return stopGradientNode([x], undefined);
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
  gradient: ({ attributes: { permutation } }, cotangent) => [
    transpose(
      cotangent,
      permutation.map((_, axis) => permutation.indexOf(axis)),
    ),
  ],
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
  gradient({ inputs, attributes: { axis } }, cotangent) {
    if (cotangent.dtype !== 'float32') return [];
    const sizes = inputs.map(({ shape }) => shape[axis]!);
    if (sizes.every((size) => typeof size === 'number')) return split(cotangent, axis, sizes);
    return inputs.map((_, part) => partOfNode([cotangent, ...inputs], { axis, part }));
  },
});

/** One of the parts of what `concatenate` made, where their lengths have names. Inputs: the whole, then the parts. */
const partOfNode = defineOp<{ axis: number; part: number }>({
  name: 'partOf',
  infer: ([whole, ...parts], { part }) => ({ dtype: whole!.dtype, shape: parts[part]!.shape }),
  evaluate([whole, ...parts], { axis, part }, shape) {
    const before = parts.slice(0, part).reduce((length, { shape: own }) => length + own[axis]!, 0);
    return cut(whole!, axis, before, shape);
  },
  lower(context, [whole, ...parts], { axis, part }) {
    const edge = (count: number): string =>
      context.shared(`end of part ${count} of ${axis} ${parts.join()}`, () => {
        if (count === 0) return context.constant([0], [1], 'int64');
        const size = context.emit('Shape', [parts[count - 1]!], { start: axis, end: axis + 1 });
        return context.emit('Add', [edge(count - 1), size]);
      });
    return context.emit('Slice', [whole!, edge(part), edge(part + 1), context.constant([axis], [1], 'int64')]);
  },
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
  evaluate: ([x], { axis, start }, shape) => cut(x!, axis, start, shape),
  lower: (context, [x], { axis, start, end }) =>
    context.emit('Slice', [x!, ...[start, end, axis].map((value) => context.constant([value], [1], 'int64'))]),
  gradient: ({ inputs: [x], attributes: { axis, start } }, cotangent) =>
    cotangent.dtype === 'float32' ? [paddingNode([cotangent, x!], { axis, before: start })] : [],
});

/** Elements of x from `start` along `axis`, as many as `shape` says. */
function cut(x: NdArray, axis: number, start: number, shape: readonly number[]): NdArray {
  const result = ndarray(shape);
  const strides = stridesOf(x.shape);
  const inner = x.shape.slice(axis + 1).reduce((a, b) => a * b, 1);
  forEachIndex(shape, [strides], ([offset], position) => {
    result.data[position] = x.data[offset! + start * inner]!;
  });
  return result;
}

/** A part in its place among zeros: the gradient of a slice. Inputs: the part, and a tensor of the whole's shape. */
const paddingNode = defineOp<PaddingAttributes>({
  name: 'padding',
  infer: ([part, like]) => ({ dtype: part!.dtype, shape: like!.shape }),
  evaluate([part], { axis, before }, shape) {
    const result = ndarray(shape);
    const inner = shape.slice(axis + 1).reduce((a, b) => a * b, 1);
    const line = part!.shape[axis]! * inner;
    for (let from = 0, i = 0; from < part!.data.length; from += line, i++)
      result.data.set(part!.data.subarray(from, from + line), i * shape[axis]! * inner + before * inner);
    return result;
  },
  lower(context, [part, like], { axis, before }, [small, whole]) {
    const length = small!.shape[axis] as number;
    const size = whole!.shape[axis]!;
    const one = (value: number) => context.constant([value], [1], 'int64');
    const after =
      typeof size === 'number'
        ? one(size - before - length)
        : context.emit('Sub', [context.emit('Shape', [like!], { start: axis, end: axis + 1 }), one(before + length)]);
    const pads = context.emit('Concat', [one(before), after], { axis: 0 });
    return context.emit('Pad', [part!, pads, '', one(axis)]);
  },
  gradient: ({ inputs: [part], attributes: { axis, before } }, cotangent) => [
    slice(cotangent, axis, before, before + (part!.shape[axis] as number)),
    undefined,
  ],
});

interface PaddingAttributes {
  axis: number;
  before: number;
}

export function isPadding(tensor: Tensor): tensor is NodeOf<PaddingAttributes> {
  return tensor.op.name === 'padding';
}

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
