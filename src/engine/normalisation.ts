/** Normalisations over the last axis. */
import { defineOp, fail, requireType, sameShape, showShape, type Tensor } from './graph.ts';
import { contrib } from './lowering.ts';
import { ndarray } from './ndarray.ts';

const layerNormNode = defineOp<{ epsilon: number }>({
  name: 'layerNorm',
  infer([x, ...scales]) {
    requireType('layerNorm', x!, 'float32');
    for (const scale of scales)
      if (!sameShape(scale.shape, [x!.shape.at(-1)!]))
        fail(
          'layerNorm',
          `weight and bias of ${showShape(x!.shape)} are [${x!.shape.at(-1)}], not ${showShape(scale.shape)}`,
        );
    if (typeof x!.shape.at(-1) !== 'number')
      fail('layerNorm', `the last axis of ${showShape(x!.shape)} needs a number`);
    return { dtype: 'float32', shape: x!.shape };
  },
  evaluate([x, weight, bias], { epsilon }, shape) {
    const result = ndarray(shape);
    const width = shape.at(-1)!;
    for (let row = 0; row < result.data.length; row += width) {
      const values = x!.data.subarray(row, row + width);
      const mean = values.reduce((a, b) => a + b, 0) / width;
      const variance = values.reduce((a, b) => a + (b - mean) ** 2, 0) / width;
      for (let i = 0; i < width; i++)
        result.data[row + i] =
          ((values[i]! - mean) / Math.sqrt(variance + epsilon)) * (weight?.data[i] ?? 1) + (bias?.data[i] ?? 0);
    }
    return result;
  },
  lower(context, [x, weight, bias], { epsilon }, [tensor]) {
    const width = tensor!.shape.at(-1) as number;
    const scale = weight ?? context.constant(new Array<number>(width).fill(1));
    if (context.device === 'cpu' && isSumOfRows(tensor!)) {
      const [a, b] = tensor!.inputs.map((part) => context.value(part));
      const inputs = [a!, b!, scale, ...(bias === undefined ? [] : [bias])];
      return context.emit('SkipLayerNormalization', inputs, { epsilon: { float: epsilon } }, { domain: contrib });
    }
    return context.emit('LayerNormalization', [x!, scale, ...(bias === undefined ? [] : [bias])], {
      axis: -1,
      epsilon: { float: epsilon },
    });
  },
});

/** A residual sum [rows, width]: it is added while it is normalised, in one pass over the memory. */
function isSumOfRows({ op, inputs, shape }: Tensor): boolean {
  return op.name === 'add' && shape.length === 2 && inputs.every((part) => sameShape(part.shape, shape));
}

/** (x − mean) / √(variance + epsilon) · weight + bias over the last axis (Ba et al. 2016). Epsilon: 1e-5 by default. */
export function layerNorm(
  x: Tensor,
  weight?: Tensor,
  bias?: Tensor,
  { epsilon = 1e-5 }: { epsilon?: number } = {},
): Tensor {
  if (bias && !weight) fail('layerNorm', 'a bias without a weight is not supported: give a weight of ones');
  return layerNormNode([x, ...(weight ? [weight] : []), ...(bias ? [bias] : [])], { epsilon });
}

const l2NormaliseNode = defineOp<{ epsilon: number }>({
  name: 'l2Normalise',
  infer([x]) {
    requireType('l2Normalise', x!, 'float32');
    return { dtype: 'float32', shape: x!.shape };
  },
  evaluate([x], { epsilon }, shape) {
    const result = ndarray(shape);
    const width = shape.at(-1)!;
    for (let row = 0; row < result.data.length; row += width) {
      const values = x!.data.subarray(row, row + width);
      const length = Math.max(Math.sqrt(values.reduce((a, b) => a + b * b, 0)), epsilon);
      for (let i = 0; i < width; i++) result.data[row + i] = values[i]! / length;
    }
    return result;
  },
  lower(context, [x], { epsilon }) {
    const length = context.emit('ReduceL2', [x!, context.constant([-1], [1], 'int64')], { keepdims: 1 });
    return context.emit('Div', [x!, context.emit('Max', [length, context.constant([epsilon], [])])]);
  },
});

/** x over its Euclidean length along the last axis; a length below epsilon (default 1e-12, as PyTorch) counts as epsilon. */
export function l2Normalise(x: Tensor, { epsilon = 1e-12 }: { epsilon?: number } = {}): Tensor {
  return l2NormaliseNode([x], { epsilon });
}
