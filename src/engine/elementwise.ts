/** Ops that act on each element alone, with NumPy's broadcasting where they take two operands. */
import { broadcastShapes, constant, defineOp, fail, requireType, type Tensor } from './graph.ts';
import { mapArrays } from './ndarray.ts';

// Two operands -----------------------------------------------------------------------------------------------------

function binary(name: string, onnx: string, f: (a: number, b: number) => number) {
  const node = defineOp<undefined>({
    name,
    infer([a, b]) {
      if (a!.dtype !== b!.dtype) fail(name, `element types ${a!.dtype} and ${b!.dtype} differ: cast one of them`);
      return { dtype: a!.dtype, shape: broadcastShapes(name, a!.shape, b!.shape) };
    },
    evaluate: (inputs, _, shape) => mapArrays(shape, inputs, f as (...x: number[]) => number),
    lower: (context, inputs) => context.emit(onnx, inputs),
  });
  return (a: Tensor, b: Tensor | number): Tensor =>
    node([a, typeof b === 'number' ? constant(b, [], a.dtype) : b], undefined);
}

export const add = binary('add', 'Add', (a, b) => a + b);
export const subtract = binary('subtract', 'Sub', (a, b) => a - b);
export const multiply = binary('multiply', 'Mul', (a, b) => a * b);
export const divide = binary('divide', 'Div', (a, b) => a / b);

// One operand ------------------------------------------------------------------------------------------------------

function unary(name: string, onnx: string, f: (x: number) => number) {
  const node = defineOp<undefined>({
    name,
    infer([x]) {
      requireType(name, x!, 'float32');
      return { dtype: 'float32', shape: x!.shape };
    },
    evaluate: (inputs, _, shape) => mapArrays(shape, inputs, f),
    lower: (context, inputs) => context.emit(onnx, inputs),
  });
  return (x: Tensor): Tensor => node([x], undefined);
}

export const negate = unary('negate', 'Neg', (x) => -x);
export const exp = unary('exp', 'Exp', Math.exp);
export const log = unary('log', 'Log', Math.log);
export const sqrt = unary('sqrt', 'Sqrt', Math.sqrt);
export const tanh = unary('tanh', 'Tanh', Math.tanh);
export const erf = unary('erf', 'Erf', errorFunction);
export const sigmoid = unary('sigmoid', 'Sigmoid', (x) => 1 / (1 + Math.exp(-x)));
export const relu = unary('relu', 'Relu', (x) => Math.max(0, x));

/** x · sigmoid(x). */
export function silu(x: Tensor): Tensor {
  return multiply(x, sigmoid(x));
}

const geluNode = defineOp<{ approximation: 'none' | 'tanh' }>({
  name: 'gelu',
  infer([x]) {
    requireType('gelu', x!, 'float32');
    return { dtype: 'float32', shape: x!.shape };
  },
  evaluate: (inputs, { approximation }, shape) =>
    mapArrays(shape, inputs, (x) =>
      approximation === 'none'
        ? 0.5 * x * (1 + errorFunction(x / Math.SQRT2))
        : 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3))),
    ),
  lower: (context, inputs, { approximation }) => context.emit('Gelu', inputs, { approximate: approximation }),
});

/** x · Φ(x) (Hendrycks & Gimpel 2016): by erf, or by the tanh approximation ("gelu_new", "gelu_pytorch_tanh"). */
export function gelu(x: Tensor, { approximation = 'none' }: { approximation?: 'none' | 'tanh' } = {}): Tensor {
  return geluNode([x], { approximation });
}

/**
 * erf to about 1e-15: the Maclaurin series near 0, the continued fraction of erfc (Lentz's method) beyond 2.5.
 * Abramowitz & Stegun 7.1.5 and 7.1.14.
 */
export function errorFunction(x: number): number {
  const z = Math.abs(x);
  if (z > 6) return Math.sign(x);
  if (z < 2.5) {
    let term = x;
    let total = x;
    for (let n = 1; Math.abs(term) > 1e-17 * Math.abs(total); n++) {
      term *= (-x * x) / n;
      total += term / (2 * n + 1);
    }
    return (2 / Math.sqrt(Math.PI)) * total;
  }
  let fraction = z;
  for (let n = 60; n >= 1; n--) fraction = z + n / 2 / fraction;
  return Math.sign(x) * (1 - Math.exp(-z * z) / (fraction * Math.sqrt(Math.PI)));
}
