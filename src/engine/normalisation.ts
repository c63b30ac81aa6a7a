/** Normalisations over the last axis. */
import { defineOp, fail, requireType, sameShape, showShape, type Tensor } from './graph.ts';
import type { Lowering } from './lowering.ts';
import { type NdArray, ndarray } from './ndarray.ts';
import { sumTo } from './reduce.ts';

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
    const scale = weight ?? context.constant(new Array<number>(tensor!.shape.at(-1) as number).fill(1));
    return context.emit('LayerNormalization', [x!, scale, ...(bias === undefined ? [] : [bias])], {
      axis: -1,
      epsilon: { float: epsilon },
    });
  },
  gradient(y, cotangent) {
    const [x, weight, bias] = y.inputs as [Tensor, Tensor?, Tensor?];
    const inputs = [x, y, cotangent, ...(weight ? [weight] : [])];
    return [
      layerNormGradient(inputs, y.attributes),
      ...(weight ? [layerNormWeightGradient(inputs, y.attributes)] : []),
      ...(bias ? [sumTo(cotangent, bias.shape)] : []),
    ];
  },
});

/**
 * With x̂ = (x − mean) · r, r = 1/√(variance + epsilon) and g = ȳ · weight:
 *
 *   x̄ = r · (g − mean(g) − x̂ · mean(g x̂)),   weight̄ = Σ over rows of ȳ x̂
 *
 * Inputs: x, the norm's own result (which tells where mean and r were worked out), the cotangent and the weight.
 */
const layerNormGradient = defineOp<{ epsilon: number }>({
  name: 'layerNormGradient',
  infer: ([x]) => ({ dtype: 'float32', shape: x!.shape }),
  evaluate([x, , cotangent, weight], { epsilon }, shape) {
    const result = ndarray(shape);
    const width = shape.at(-1)!;
    forEachNormalised(x!, epsilon, (row, normalised, scale) => {
      const g = normalised.map((_, i) => cotangent!.data[row + i]! * (weight?.data[i] ?? 1));
      const mean = g.reduce((a, b) => a + b, 0) / width;
      const along = g.reduce((a, b, i) => a + b * normalised[i]!, 0) / width;
      for (let i = 0; i < width; i++) result.data[row + i] = scale * (g[i]! - mean - normalised[i]! * along);
    });
    return result;
  },
  lower(context, [x, y, cotangent, weight], { epsilon }, [tensor]) {
    const { scale, normalised } = lowerNormalised(context, x!, y!, epsilon, tensor!);
    const last = context.constant([-1], [1], 'int64');
    const average = (value: string) => context.emit('ReduceMean', [value, last], { keepdims: 1 });
    const g = weight === undefined ? cotangent! : context.emit('Mul', [cotangent!, weight]);
    const along = average(context.emit('Mul', [g, normalised]));
    const rest = context.emit('Sub', [g, context.emit('Mul', [normalised, along])]);
    return context.emit('Mul', [context.emit('Sub', [rest, average(g)]), scale]);
  },
});

const layerNormWeightGradient = defineOp<{ epsilon: number }>({
  name: 'layerNormWeightGradient',
  infer: (inputs) => ({ dtype: 'float32', shape: inputs[3]!.shape }),
  evaluate([x, , cotangent], { epsilon }, shape) {
    const result = ndarray(shape);
    forEachNormalised(x!, epsilon, (row, normalised) => {
      normalised.forEach((value, i) => {
        result.data[i]! += cotangent!.data[row + i]! * value;
      });
    });
    return result;
  },
  lower(context, [x, y, cotangent], { epsilon }, [tensor]) {
    const { normalised } = lowerNormalised(context, x!, y!, epsilon, tensor!);
    const axes = tensor!.shape.slice(0, -1).map((_, axis) => axis);
    const product = context.emit('Mul', [cotangent!, normalised]);
    return context.emit('ReduceSum', [product, context.constant(axes, [axes.length], 'int64')], { keepdims: 0 });
  },
});

/** x̂ and r of a norm: mean and r are outputs of its LayerNormalization; x̂ is made anew rather than kept since then. */
function lowerNormalised(context: Lowering, x: string, y: string, epsilon: number, tensor: Tensor) {
  const statistics = context.moreOutputs(y, 'LayerNormalization', 3);
  const [, mean, scale] =
    statistics ??
    context.emitMany(
      'LayerNormalization',
      [x, context.constant(new Array<number>(tensor.shape.at(-1) as number).fill(1))],
      3,
      {
        axis: -1,
        epsilon: { float: epsilon },
      },
    );
  const normalised = context.shared(`normalised ${x} ${scale}`, () =>
    context.emit('Mul', [context.emit('Sub', [x, mean!]), scale!]),
  );
  return { scale: scale!, normalised };
}

function forEachNormalised(
  x: NdArray,
  epsilon: number,
  visit: (row: number, normalised: Float64Array, scale: number) => void,
): void {
  const width = x.shape.at(-1)!;
  for (let row = 0; row < x.data.length; row += width) {
    const values = x.data.subarray(row, row + width);
    const mean = values.reduce((a, b) => a + b, 0) / width;
    const scale = 1 / Math.sqrt(values.reduce((a, b) => a + (b - mean) ** 2, 0) / width + epsilon);
    visit(
      row,
      values.map((value) => (value - mean) * scale),
      scale,
    );
  }
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

/** What `layerNorm` gave, before its weight and bias: for layers into which those two are folded. */
export function withoutAffine(normalised: Tensor): Tensor {
  if (normalised.op.name !== 'layerNorm')
    fail('withoutAffine', `it takes what layerNorm gave, not ${normalised.op.name}`);
  return layerNormNode([normalised.inputs[0]!], normalised.attributes as { epsilon: number });
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
  gradient: (y, cotangent) => [l2NormaliseGradient([y.inputs[0]!, y, cotangent], y.attributes)],
});

/** (ȳ − y · Σ ȳ y) / length; where the length counts as epsilon, ȳ / epsilon. Inputs: x, y, ȳ. */
const l2NormaliseGradient = defineOp<{ epsilon: number }>({
  name: 'l2NormaliseGradient',
  infer: ([x]) => ({ dtype: 'float32', shape: x!.shape }),
  evaluate([x, y, cotangent], { epsilon }, shape) {
    const result = ndarray(shape);
    const width = shape.at(-1)!;
    for (let row = 0; row < result.data.length; row += width) {
      const length = Math.sqrt(x!.data.subarray(row, row + width).reduce((a, b) => a + b * b, 0));
      let along = 0;
      if (length > epsilon) for (let i = row; i < row + width; i++) along += cotangent!.data[i]! * y!.data[i]!;
      for (let i = row; i < row + width; i++)
        result.data[i] = (cotangent!.data[i]! - y!.data[i]! * along) / Math.max(length, epsilon);
    }
    return result;
  },
  lower(context, [x, y, cotangent], { epsilon }) {
    const last = context.constant([-1], [1], 'int64');
    const least = context.constant([epsilon], []);
    const length = context.emit('ReduceL2', [x!, last], { keepdims: 1 });
    const along = context.emit('ReduceSum', [context.emit('Mul', [cotangent!, y!]), last], { keepdims: 1 });
    const counted = context.emit('Where', [context.emit('Greater', [length, least]), along, context.constant([0], [])]);
    const across = context.emit('Sub', [cotangent!, context.emit('Mul', [y!, counted])]);
    return context.emit('Div', [across, context.emit('Max', [length, least])]);
  },
});

/** x over its Euclidean length along the last axis; a length below epsilon (default 1e-12, as PyTorch) counts as epsilon. */
export function l2Normalise(x: Tensor, { epsilon = 1e-12 }: { epsilon?: number } = {}): Tensor {
  return l2NormaliseNode([x], { epsilon });
}
