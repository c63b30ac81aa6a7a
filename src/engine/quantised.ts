/**
 * 8-bit linear layers for inference. Weights: symmetric int8 with one scale an output row. Activations: symmetric with one
 * scale a *row* (token), found at run time, so that a vector never depends on its neighbours in the batch.
 *
 *   q(x)ᵢ = round(127 · xᵢ / max|x|),  y = (Σ q(x) · w) · (max|x| / 127) · scale + bias      (integer sum, exact)
 *
 * Processors without VNNI multiply unsigned by signed bytes and add pairs in 16 bits, which saturates at 255 · 127 · 2.
 * Where a trial shows that (`probeActivationLevels`), activations keep to 63 levels a side: 191 · 127 · 2 still saturates
 * around 128, so they stand around 64 there, and 127 · 127 · 2 fits.
 *
 * GELU's values lie above −0.17: on ONNX Runtime their rows stand around a low zero point, which halves the step. That is a
 * finer rounding of the same product.
 */
import { defineOp, fail, requireType, sameShape, showShape, type Tensor } from './graph.ts';
import { contrib, type Lowering } from './lowering.ts';
import { flattenRows, linearShape } from './matmul.ts';
import { ndarray } from './ndarray.ts';

const linearInt8Node = defineOp<undefined>({
  name: 'linearInt8',
  infer([x, weight, scales, bias]) {
    requireType('linearInt8', x!, 'float32');
    requireType('linearInt8', weight!, 'int8');
    if (!sameShape(scales!.shape, [weight!.shape[0]!]))
      fail('linearInt8', `the scales ${showShape(scales!.shape)} should be [${weight!.shape[0]}]`);
    return { dtype: 'float32', shape: linearShape('linearInt8', x!, weight!, bias) };
  },
  evaluate([x, weight, scales, bias], _, shape) {
    const result = ndarray(shape);
    const [width, inner] = weight!.shape as [number, number];
    for (let row = 0; row * width < result.data.length; row++) {
      const values = x!.data.subarray(row * inner, (row + 1) * inner);
      const peak = values.reduce((a, b) => Math.max(a, Math.abs(b)), 0);
      const step = peak === 0 ? 1 : peak / 127;
      const rounded = values.map((value) => roundHalfEven(value / step));
      for (let column = 0; column < width; column++) {
        let total = 0;
        for (let k = 0; k < inner; k++) total += rounded[k]! * weight!.data[column * inner + k]!;
        result.data[row * width + column] = total * step * scales!.data[column]! + (bias?.data[column] ?? 0);
      }
    }
    return result;
  },
  lower(context, [x, weight, scales, bias], _, [tensor], result) {
    const flat = flattenRows(context, tensor!, x!);
    const { rounded, step, zero } = quantiseRows(context, flat, tensor!.op.name === 'gelu');
    const turned = context.shared(`turned ${weight}`, () => context.emit('Transpose', [weight!], { perm: [1, 0] }));
    const sums = context.emit(
      'MatMulIntegerToFloat',
      [rounded, turned, context.constant([1], []), scales!, zero],
      {},
      {
        domain: contrib,
      },
    );
    let y = context.emit('Mul', [sums, step]);
    if (bias !== undefined) y = context.emit('Add', [y, bias]);
    return tensor!.shape.length === 2 ? y : context.emit('Reshape', [y, context.shape(result.shape)]);
  },
});

/**
 * Emits rows of x [rows, in] as uint8 with their common zero point, and their steps [rows, 1]; layers that read the same
 * rows share all three. GELU's minimum, −0.16997, is known: its rows keep few levels below zero, and one pass over the memory
 * finds their largest.
 */
function quantiseRows(context: Lowering, x: string, isGelu: boolean): { rounded: string; step: string; zero: string } {
  const { activationLevels } = context;
  const zeroPoint = isGelu ? Math.round(activationLevels * 0.19) : activationLevels + 1;
  const above = isGelu ? 2 * activationLevels + 1 - zeroPoint : activationLevels;
  const axis = context.constant([1], [1], 'int64');
  const steps = context.shared(`steps ${x}`, () => {
    const end = (type: string) => context.emit(type, [x, axis], { keepdims: 0 });
    // Two passes, for max|x| without the memory that Abs would fill. A row of zeros gets a tiny step: no division by zero.
    const below = isGelu
      ? context.constant([(0.17 * above) / zeroPoint], [])
      : context.emit('Max', [context.emit('Neg', [end('ReduceMin')]), context.constant([1e-30], [])]);
    const peak = context.emit('Max', [end('ReduceMax'), below]);
    return context.emit('Mul', [peak, context.constant([1 / above], [])]);
  });
  const rounded = context.shared(`rounded ${x}`, () => {
    const zeros = context.emit('Expand', [context.constant([zeroPoint], [1], 'uint8'), context.emit('Shape', [steps])]);
    return context.emit('QuantizeLinear', [x, steps, zeros], { axis: 0 });
  });
  const step = context.shared(`column ${steps}`, () => context.emit('Unsqueeze', [steps, axis]));
  return { rounded, step, zero: context.constant([zeroPoint], [], 'uint8') };
}

/** x [..., in] by an 8-bit weight [out, in] with scales [out], plus bias [out]. */
export function linearInt8(x: Tensor, weight: Tensor, scales: Tensor, bias?: Tensor): Tensor {
  return linearInt8Node(bias ? [x, weight, scales, bias] : [x, weight, scales], undefined);
}

/** A weight [rows, columns] in int8 with a scale a row: value ≈ int8 · scale, the largest of a row at ±127. */
export function quantiseWeight(
  values: Float32Array,
  rows: number,
  columns: number,
): { values: Int8Array; scales: Float32Array } {
  if (values.length !== rows * columns) fail('quantiseWeight', `${values.length} values are not ${rows} x ${columns}`);
  const quantised = new Int8Array(values.length);
  const scales = new Float32Array(rows);
  for (let row = 0; row < rows; row++) {
    let peak = 0;
    for (let k = row * columns; k < (row + 1) * columns; k++) peak = Math.max(peak, Math.abs(values[k]!));
    const scale = Math.fround(peak / 127) || 1;
    scales[row] = scale;
    for (let k = row * columns; k < (row + 1) * columns; k++) quantised[k] = roundHalfEven(values[k]! / scale);
  }
  return { values: quantised, scales };
}

/** To the nearest integer, halves to the even one, as ONNX's Round. */
function roundHalfEven(x: number): number {
  const down = Math.floor(x);
  const rest = x - down;
  return rest < 0.5 || (rest === 0.5 && down % 2 === 0) ? down : down + 1;
}
