/** Products of matrices. */
import {
  broadcastShapes,
  defineOp,
  fail,
  requireRank,
  requireType,
  sameShape,
  showShape,
  type Tensor,
} from './graph.ts';
import type { Lowering } from './lowering.ts';
import { broadcastStrides, forEachIndex, ndarray } from './ndarray.ts';
import { sumTo } from './reduce.ts';

// matmul -----------------------------------------------------------------------------------------------------------

interface MatmulOptions {
  /** Takes the last two axes of the operand the other way round. */
  transposeA?: boolean;
  transposeB?: boolean;
}

const matmulNode = defineOp<Required<MatmulOptions>>({
  name: 'matmul',
  infer([a, b], { transposeA, transposeB }) {
    requireType('matmul', a!, 'float32');
    requireType('matmul', b!, 'float32');
    if (a!.shape.length < 2 || b!.shape.length < 2) fail('matmul', 'both operands need two axes or more');
    const [rows, inner] = transposeA ? [a!.shape.at(-1)!, a!.shape.at(-2)!] : [a!.shape.at(-2)!, a!.shape.at(-1)!];
    const [inner2, columns] = transposeB ? [b!.shape.at(-1)!, b!.shape.at(-2)!] : [b!.shape.at(-2)!, b!.shape.at(-1)!];
    if (inner !== inner2)
      fail(
        'matmul',
        `inner dimensions ${inner} and ${inner2} differ (${showShape(a!.shape)} by ${showShape(b!.shape)})`,
      );
    return {
      dtype: 'float32',
      shape: [...broadcastShapes('matmul', a!.shape.slice(0, -2), b!.shape.slice(0, -2)), rows, columns],
    };
  },
  evaluate([a, b], { transposeA, transposeB }, shape) {
    const result = ndarray(shape);
    const [rows, columns] = [shape.at(-2)!, shape.at(-1)!];
    const inner = a!.shape.at(transposeA ? -2 : -1)!;
    const batch = shape.slice(0, -2);
    const matrices = [a!, b!].map(({ shape: own, data }) => ({
      shape: [...own.slice(0, -2), own.at(-2)! * own.at(-1)!],
      data,
    }));
    const strides = matrices.map((matrix) => broadcastStrides(matrix, [...batch, matrix.shape.at(-1)!]).slice(0, -1));
    const [aRow, aInner] = transposeA ? [1, a!.shape.at(-1)!] : [a!.shape.at(-1)!, 1];
    const [bInner, bColumn] = transposeB ? [1, b!.shape.at(-1)!] : [b!.shape.at(-1)!, 1];
    forEachIndex(batch, strides, ([aStart, bStart], position) => {
      for (let i = 0; i < rows; i++)
        for (let j = 0; j < columns; j++) {
          let total = 0;
          for (let k = 0; k < inner; k++)
            total += a!.data[aStart! + i * aRow + k * aInner]! * b!.data[bStart! + k * bInner + j * bColumn]!;
          result.data[(position * rows + i) * columns + j] = total;
        }
    });
    return result;
  },
  lower(context, [a, b], { transposeA, transposeB }, [ta, tb]) {
    if (!transposeA && !transposeB) return context.emit('MatMul', [a!, b!]);
    if (ta!.shape.length === 2 && tb!.shape.length === 2)
      return context.emit('Gemm', [a!, b!], { transA: transposeA, transB: transposeB });
    if (context.device === 'cpu')
      return context.emit(
        'FusedMatMul',
        [a!, b!],
        { transA: transposeA, transB: transposeB },
        { domain: 'com.microsoft' },
      );
    const turned = (value: string, rank: number) =>
      context.emit('Transpose', [value], {
        perm: Array.from({ length: rank }, (_, axis) => (axis < rank - 2 ? axis : 2 * rank - 3 - axis)),
      });
    return context.emit('MatMul', [
      transposeA ? turned(a!, ta!.shape.length) : a!,
      transposeB ? turned(b!, tb!.shape.length) : b!,
    ]);
  },
  gradient({ inputs, attributes: { transposeA, transposeB } }, cotangent) {
    const [a, b] = inputs as [Tensor, Tensor];
    const toA = transposeA
      ? matmul(b, cotangent, { transposeA: transposeB, transposeB: true })
      : matmul(cotangent, b, { transposeB: !transposeB });
    const toB = transposeB
      ? matmul(cotangent, a, { transposeA: true, transposeB: transposeA })
      : matmul(a, cotangent, { transposeA: !transposeA });
    return [sumTo(toA, a.shape), sumTo(toB, b.shape)];
  },
});

/** a [..., m, k] by b [..., k, n] gives [..., m, n]; the leading axes broadcast. */
export function matmul(a: Tensor, b: Tensor, { transposeA = false, transposeB = false }: MatmulOptions = {}): Tensor {
  return matmulNode([a, b], { transposeA, transposeB });
}

// linear -----------------------------------------------------------------------------------------------------------

const linearNode = defineOp<undefined>({
  name: 'linear',
  infer([x, weight, bias]) {
    requireType('linear', x!, 'float32');
    requireType('linear', weight!, 'float32');
    return { dtype: 'float32', shape: linearShape('linear', x!, weight!, bias) };
  },
  evaluate([x, weight, bias], _, shape) {
    const result = ndarray(shape);
    const [width, inner] = weight!.shape as [number, number];
    for (let position = 0; position < result.data.length; position++) {
      const row = Math.floor(position / width) * inner;
      const column = position % width;
      let total = bias?.data[column] ?? 0;
      for (let k = 0; k < inner; k++) total += x!.data[row + k]! * weight!.data[column * inner + k]!;
      result.data[position] = total;
    }
    return result;
  },
  lower(context, inputs, _, [x], result) {
    const flat = flattenRows(context, x!, inputs[0]!);
    const y = context.emit('Gemm', [flat, ...inputs.slice(1)], { transB: 1 });
    return x!.shape.length === 2 ? y : context.emit('Reshape', [y, context.shape(result.shape)]);
  },
  gradient({ inputs }, cotangent) {
    const [x, weight, bias] = inputs as [Tensor, Tensor, Tensor?];
    const toX =
      x.shape.length === 1 ? fail('linear', 'the gradient needs x with two axes or more') : matmul(cotangent, weight); // [..., out] by [out, in]
    return [toX, linearWeightGradient([cotangent, x], undefined), ...(bias ? [sumTo(cotangent, bias.shape)] : [])];
  },
});

/** Σ over rows of ȳ xᵀ: cotangent [..., out] and x [..., in] to [out, in]. */
const linearWeightGradient = defineOp<undefined>({
  name: 'linearWeightGradient',
  infer: ([cotangent, x]) => ({ dtype: 'float32', shape: [cotangent!.shape.at(-1)!, x!.shape.at(-1)!] }),
  evaluate([cotangent, x], _, shape) {
    const result = ndarray(shape);
    const [out, width] = shape as [number, number];
    for (let row = 0; row * width < x!.data.length; row++)
      for (let i = 0; i < out; i++)
        for (let j = 0; j < width; j++)
          result.data[i * width + j]! += cotangent!.data[row * out + i]! * x!.data[row * width + j]!;
    return result;
  },
  lower: (context, inputs, _, tensors) =>
    context.emit(
      'Gemm',
      inputs.map((value, i) => flattenRows(context, tensors[i]!, value)),
      { transA: 1 },
    ),
});

/** x [..., in] by weight [out, in] (Hugging Face's layout), plus bias [out]: [..., out]. */
export function linear(x: Tensor, weight: Tensor, bias?: Tensor): Tensor {
  return linearNode(bias ? [x, weight, bias] : [x, weight], undefined);
}

/** The result's shape of x [..., in] by weight [out, in] plus bias [out]. */
export function linearShape(op: string, x: Tensor, weight: Tensor, bias: Tensor | undefined) {
  requireRank(op, weight, 2);
  if (x.shape.length < 1 || x.shape.at(-1) !== weight.shape[1])
    fail(op, `x ${showShape(x.shape)} does not end in the weight's inner dimension ${weight.shape[1]}`);
  if (bias && !sameShape(bias.shape, [weight.shape[0]!]))
    fail(op, `the bias ${showShape(bias.shape)} should be [${weight.shape[0]}]`);
  return [...x.shape.slice(0, -1), weight.shape[0]!];
}

/** Emits x [..., in] as two axes [rows, in]: what products of matrices take. */
export function flattenRows(context: Lowering, x: Tensor, value: string): string {
  return x.shape.length === 2 ? value : context.emit('Reshape', [value, context.shape(['rows', x.shape.at(-1)!])]);
}
