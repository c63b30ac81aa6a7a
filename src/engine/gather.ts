/** Picking rows or columns by index. */
import { defineOp, fail, requireRank, requireType, type Tensor } from './graph.ts';
import { ndarray } from './ndarray.ts';

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
});

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
});

/** Columns of x [rows, width] at `columns` [n]: [rows, n]. */
export function gatherColumns(x: Tensor, columns: Tensor): Tensor {
  return gatherColumnsNode([x, columns], undefined);
}
