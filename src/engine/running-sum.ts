/** Sums of all elements up to each one along an axis: places in a sequence, counted from a mask. */
import { axisOf, defineOp, requireType, type Tensor } from './graph.ts';
import { ndarray } from './ndarray.ts';

const runningSumNode = defineOp<{ axis: number }>({
  name: 'runningSum',
  infer([x]) {
    requireType('runningSum', x!, 'float32', 'int32', 'int64');
    return { dtype: x!.dtype, shape: x!.shape };
  },
  evaluate([x], { axis }, shape) {
    const result = ndarray(shape, x!.data.slice());
    const step = shape.slice(axis + 1).reduce((a, b) => a * b, 1);
    for (let i = 0; i < result.data.length; i++)
      if (Math.floor(i / step) % shape[axis]! > 0) result.data[i]! += result.data[i - step]!;
    return result;
  },
  lower: (context, [x], { axis }) => context.emit('CumSum', [x!, context.constant([axis], [], 'int64')]),
});

/** y[i] = x[0] + … + x[i] along `axis`. */
export function runningSum(x: Tensor, axis: number): Tensor {
  return runningSumNode([x], { axis: axisOf('runningSum', axis, x.shape.length) });
}
