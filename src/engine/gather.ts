/** Picking rows or columns by index. */
import {
  defineOp,
  fail,
  isInput,
  product,
  requireRank,
  requireType,
  sameShape,
  showShape,
  type Tensor,
} from './graph.ts';
import { ndarray } from './ndarray.ts';
import { transpose } from './shape.ts';

const gatherNode = defineOp<undefined>({
  name: 'gather',
  infer([table, indices]) {
    requireType('gather', indices!, 'int32', 'int64');
    if (table!.shape.length < 1) fail('gather', 'a scalar has no rows');
    return { dtype: table!.dtype, shape: [...indices!.shape, ...table!.shape.slice(1)] };
  },
  evaluate([table, indices], _, shape) {
    const result = ndarray(shape);
    const width = table!.shape.slice(1).reduce((a, b) => a * b, 1);
    indices!.data.forEach((row, i) => {
      if (!(row >= 0 && row < table!.shape[0]!)) fail('gather', `row ${row} of a table of ${table!.shape[0]} rows`);
      result.data.set(table!.data.subarray(row * width, (row + 1) * width), i * width);
    });
    return result;
  },
  lower: (context, inputs) => context.emit('Gather', inputs, { axis: 0 }),
  gradient({ inputs }, cotangent) {
    const [table, indices] = inputs as [Tensor, Tensor];
    if (table.dtype !== 'float32') return [];
    const known = isInput(indices) ? indices.attributes.scatter : undefined;
    return [known ? known(cotangent, table) : scatterAddRows(cotangent, indices, table), undefined];
  },
});

// scatter ------------------------------------------------------------------------------------------------------------

interface ScatterOptions {
  /** No index stands twice: a plain, quicker scatter is right. Default false. */
  distinct?: boolean;
}

const scatterNode = defineOp<{ distinct: boolean }>({
  name: 'scatterAddRows',
  infer([rows, indices, like]) {
    requireType('scatterAddRows', rows!, 'float32');
    requireType('scatterAddRows', indices!, 'int32', 'int64');
    if (!sameShape(rows!.shape, [...indices!.shape, ...like!.shape.slice(1)]))
      fail('scatterAddRows', `rows ${showShape(rows!.shape)} for indices ${showShape(indices!.shape)}`);
    return { dtype: 'float32', shape: like!.shape };
  },
  evaluate([rows, indices], _, shape) {
    const result = ndarray(shape);
    const width = shape.slice(1).reduce((a, b) => a * b, 1);
    indices!.data.forEach((row, i) => {
      for (let k = 0; k < width; k++) result.data[row * width + k]! += rows!.data[i * width + k]!;
    });
    return result;
  },
  lower(context, [rows, indices, like], { distinct }, [, indexTensor, likeTensor]) {
    const int64 = (...values: number[]) => context.constant(values, [values.length], 'int64');
    const { shape } = likeTensor!;
    const width = shape.slice(1).map((size) => size as number); // [...rest]
    const total = shape.every((size) => typeof size === 'number')
      ? int64(...(shape as number[]))
      : context.emit('Shape', [like!]);
    const flat = indexTensor!.shape.length === 1 ? indices! : context.emit('Reshape', [indices!, int64(-1)]);
    // Few rows: the product with a 0/1 matrix [table rows, rows].
    if (!distinct && typeof shape[0] === 'number' && shape[0] <= fewRows) {
      const chosen = context.emit(
        'OneHot',
        [context.emit('Cast', [flat], { to: 7 }), int64(shape[0]), context.constant([0, 1])],
        { axis: 0 },
      );
      const narrow = context.emit('Reshape', [rows!, int64(-1, product(width))]);
      const sums = context.emit('MatMul', [chosen, narrow]);
      return width.length === 1 ? sums : context.emit('Reshape', [sums, total]);
    }
    const zeros = context.emit('Expand', [context.constant([0], []), total]);
    const list = indexTensor!.shape.length === 1 ? rows! : context.emit('Reshape', [rows!, int64(-1, ...width)]);
    // ScatterND adds in parallel and loses sums where an index repeats; it only ever gets distinct ones.
    if (distinct)
      return context.emit('ScatterND', [
        zeros,
        context.emit('Unsqueeze', [context.emit('Cast', [flat], { to: 7 }), int64(1)]),
        list,
      ]);
    const trailing = context.emit('Unsqueeze', [flat, int64(...width.map((_, axis) => axis + 1))]);
    const everywhere = context.emit('Expand', [trailing, int64(1, ...width)]);
    return context.emit('ScatterElements', [zeros, everywhere, list], { axis: 0, reduction: 'add' });
  },
  gradient: ({ inputs: [, indices] }, cotangent) => [gather(cotangent, indices!), undefined, undefined],
});

/** Up to this many rows of a table its gradient is a product of matrices. */
const fewRows = 64;

/**
 * The sums of `rows` [...indices, ...rest] by index, in the shape [rows, ...rest] of the tensor `like`: the gradient of `gather`.
 * The order of summing does not depend on the threads.
 */
export function scatterAddRows(
  rows: Tensor,
  indices: Tensor,
  like: Tensor,
  { distinct = false }: ScatterOptions = {},
): Tensor {
  if (like.shape.slice(1).some((size) => typeof size !== 'number'))
    fail('scatterAddRows', `the rows of ${showShape(like.shape)} need a width in numbers`);
  return scatterNode([rows, indices, like], { distinct });
}

/** Rows of `table` [rows, ...] at `indices` [...]: [...indices, ...rest]. Embedding lookup, padding, unpadding. */
export function gather(table: Tensor, indices: Tensor): Tensor {
  return gatherNode([table, indices], undefined);
}

const gatherColumnsNode = defineOp<undefined>({
  name: 'gatherColumns',
  infer([x, columns]) {
    requireType('gatherColumns', columns!, 'int32', 'int64');
    requireRank('gatherColumns', x!, 2);
    requireRank('gatherColumns', columns!, 1);
    return { dtype: x!.dtype, shape: [x!.shape[0]!, columns!.shape[0]!] };
  },
  evaluate([x, columns], _, shape) {
    const result = ndarray(shape);
    const [rows, picked] = shape as [number, number];
    const width = x!.shape[1]!;
    columns!.data.forEach((column, i) => {
      if (!(column >= 0 && column < width)) fail('gatherColumns', `column ${column} of ${width}`);
      for (let row = 0; row < rows; row++) result.data[row * picked + i] = x!.data[row * width + column]!;
    });
    return result;
  },
  lower: (context, inputs) => context.emit('Gather', inputs, { axis: 1 }),
  gradient({ inputs }, cotangent) {
    const [x, columns] = inputs as [Tensor, Tensor];
    if (x.dtype !== 'float32') return [];
    const turned = transpose(x, [1, 0]);
    return [transpose(scatterAddRows(transpose(cotangent, [1, 0]), columns, turned), [1, 0]), undefined];
  },
});

/** Columns of x [rows, width] at `columns` [n]: [rows, n]. */
export function gatherColumns(x: Tensor, columns: Tensor): Tensor {
  return gatherColumnsNode([x, columns], undefined);
}
