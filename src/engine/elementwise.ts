/**
 * Ops that act on each element alone, with NumPy's broadcasting where they take two operands. The gradient of what was
 * broadcast is summed over the axes along which it was (`sumTo`).
 */
import { broadcastShapes, constant, type DataType, defineOp, fail, requireType, type Tensor } from './graph.ts';
import type { Lowering } from './lowering.ts';
import { mapArrays } from './ndarray.ts';
import { sumTo } from './reduce.ts';

// Two operands -----------------------------------------------------------------------------------------------------

type BinaryRule = (cotangent: Tensor, a: Tensor, b: Tensor, result: Tensor) => [Tensor, Tensor];

function binary(name: string, onnx: string, f: (a: number, b: number) => number, rule: BinaryRule) {
  const node = defineOp<undefined>({
    name,
    infer([a, b]) {
      if (a!.dtype !== b!.dtype) fail(name, `element types ${a!.dtype} and ${b!.dtype} differ: cast one of them`);
      return { dtype: a!.dtype, shape: broadcastShapes(name, a!.shape, b!.shape) };
    },
    evaluate: (inputs, _, shape) => mapArrays(shape, inputs, f as (...x: number[]) => number),
    lower: (context, inputs) => context.emit(onnx, inputs),
    gradient(result, cotangent) {
      const [a, b] = result.inputs as [Tensor, Tensor];
      if (result.dtype !== 'float32') return [];
      const [toA, toB] = rule(cotangent, a, b, result);
      return [sumTo(toA, a.shape), sumTo(toB, b.shape)];
    },
  });
  return (a: Tensor, b: Tensor | number): Tensor =>
    node([a, typeof b === 'number' ? constant(b, [], a.dtype) : b], undefined);
}

export const add = binary(
  'add',
  'Add',
  (a, b) => a + b,
  (g) => [g, g],
);
export const subtract = binary(
  'subtract',
  'Sub',
  (a, b) => a - b,
  (g) => [g, negate(g)],
);
export const multiply = binary(
  'multiply',
  'Mul',
  (a, b) => a * b,
  (g, a, b) => [multiply(g, b), multiply(g, a)],
);
export const divide = binary(
  'divide',
  'Div',
  (a, b) => a / b,
  (g, _, b, y) => [divide(g, b), negate(divide(multiply(g, y), b))],
);

// One operand ------------------------------------------------------------------------------------------------------

/** `rule`: the derivative times the cotangent g, from x or the result y. */
function unary(
  name: string,
  onnx: string,
  f: (x: number) => number,
  rule: (g: Tensor, x: Tensor, y: Tensor) => Tensor,
) {
  const node = defineOp<undefined>({
    name,
    infer([x]) {
      requireType(name, x!, 'float32');
      return { dtype: 'float32', shape: x!.shape };
    },
    evaluate: (inputs, _, shape) => mapArrays(shape, inputs, f),
    lower: (context, inputs) => context.emit(onnx, inputs),
    gradient: (result, cotangent) => [rule(cotangent, result.inputs[0]!, result)],
  });
  return (x: Tensor): Tensor => node([x], undefined);
}

export const negate = unary(
  'negate',
  'Neg',
  (x) => -x,
  (g) => negate(g),
);
export const exp = unary('exp', 'Exp', Math.exp, (g, _, y) => multiply(g, y));
export const log = unary('log', 'Log', Math.log, (g, x) => divide(g, x));
export const sqrt = unary('sqrt', 'Sqrt', Math.sqrt, (g, _, y) => divide(multiply(g, 0.5), y));
export const tanh = unary('tanh', 'Tanh', Math.tanh, (g, _, y) => subtract(g, multiply(g, multiply(y, y))));
export const erf = unary('erf', 'Erf', errorFunction, (g, x) =>
  multiply(multiply(g, 2 / Math.sqrt(Math.PI)), exp(negate(multiply(x, x)))),
);
export const sigmoid = unary(
  'sigmoid',
  'Sigmoid',
  (x) => 1 / (1 + Math.exp(-x)),
  (g, _, y) => multiply(g, subtract(y, multiply(y, y))),
);
/** Its derivative at 0 counts as 0. */
export const relu = unary(
  'relu',
  'Relu',
  (x) => Math.max(0, x),
  (g, x) => where(greater(x, constant(0)), g, constant(0)),
);

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
  gradient: ({ inputs: [x], attributes }, cotangent) => [geluGradientNode([x!, cotangent], attributes)],
});

/** x · Φ(x) (Hendrycks & Gimpel 2016): by erf, or by the tanh approximation ("gelu_new", "gelu_pytorch_tanh"). */
export function gelu(x: Tensor, { approximation = 'none' }: { approximation?: 'none' | 'tanh' } = {}): Tensor {
  return geluNode([x], { approximation });
}

/**
 * The cotangent times gelu'(x): Φ(x) + x φ(x), or the derivative of the tanh approximation. The ten passes over memory that
 * its parts take are made piece by piece (a Scan), so that a piece stays in the processor's cache meanwhile; pieces are
 * groups of elements whatever their row.
 */
const geluGradientNode = defineOp<{ approximation: 'none' | 'tanh' }>({
  name: 'geluGradient',
  infer: ([x]) => ({ dtype: 'float32', shape: x!.shape }),
  evaluate: (inputs, { approximation }, shape) =>
    mapArrays(shape, inputs, (x, g) => {
      if (approximation === 'none')
        return (
          g! * (0.5 * (1 + errorFunction(x! / Math.SQRT2)) + (x! * Math.exp((-x! * x!) / 2)) / Math.sqrt(2 * Math.PI))
        );
      const [c, k] = [Math.sqrt(2 / Math.PI), 0.044715];
      const t = Math.tanh(c * (x! + k * x! ** 3));
      return g! * (0.5 * (1 + t) + 0.5 * x! * (1 - t * t) * c * (1 + 3 * k * x! * x!));
    }),
  lower(context, inputs, { approximation }, [tensor], result) {
    const parts = piecesOf(tensor!);
    const derive = approximation === 'none' ? geluDerivative : geluTanhDerivative;
    if (parts === 1) return context.emit('Mul', [derive(context, inputs[0]!), inputs[1]!]);
    const flat = (value: string) => context.emit('Reshape', [value, context.constant([parts, -1], [2], 'int64')]);
    const body = context.subgraph(
      ['x', 'g'].map((name) => ({ name, type: 'float32', shape: ['piece'] })),
      (inner) => [{ name: inner.emit('Mul', [derive(inner, 'x'), 'g']), type: 'float32', shape: ['piece'] }],
    );
    const scanned = context.emit('Scan', inputs.map(flat), { body, num_scan_inputs: 2 });
    return context.emit('Reshape', [scanned, context.shape(result.shape)]);
  },
});

/** Into how many pieces a tensor is cut: a divisor of the number that its last axis is; 1 where that is small. */
function piecesOf({ shape }: Tensor): number {
  const width = shape.at(-1);
  if (typeof width !== 'number') return 1;
  for (let pieces = 32; pieces > 1; pieces--) if (width % pieces === 0 && width / pieces >= 16) return pieces;
  return 1;
}

/** Φ(x) + x φ(x) = Φ(x) + s / (√π exp s²) with s = x/√2. HardSigmoid(e) is clip(e/2 + 1/2, 0, 1): Φ from erf in one pass. */
function geluDerivative(context: Lowering, x: string): string {
  const scalar = (value: number) => context.constant([value], []);
  const s = context.emit('Mul', [x, scalar(Math.SQRT1_2)]);
  const phi = context.emit('HardSigmoid', [context.emit('Erf', [s])], { alpha: { float: 0.5 }, beta: { float: 0.5 } });
  const bell = context.emit('Div', [s, context.emit('Exp', [context.emit('Mul', [s, s])])]);
  return context.emit('Add', [phi, context.emit('Mul', [bell, scalar(1 / Math.sqrt(Math.PI))])]);
}

/** With h = (1 + t)/2: h + x h (1 − h) (2c + 6ck x²). */
function geluTanhDerivative(context: Lowering, x: string): string {
  const scalar = (value: number) => context.constant([value], []);
  const [c, k] = [Math.sqrt(2 / Math.PI), 0.044715];
  const square = context.emit('Mul', [x, x]);
  const slope = (first: number, second: number) =>
    context.emit('Mul', [x, context.emit('Add', [context.emit('Mul', [square, scalar(second)]), scalar(first)])]);
  // (1 + tanh u)/2 = sigmoid(2u)
  const h = context.emit('Sigmoid', [slope(2 * c, 2 * c * k)]);
  const rest = context.emit('Mul', [slope(2 * c, 6 * c * k), context.emit('Sub', [h, context.emit('Mul', [h, h])])]);
  return context.emit('Add', [h, rest]);
}

// Comparison ---------------------------------------------------------------------------------------------------------

function comparison(name: string, onnx: string, f: (a: number, b: number) => boolean) {
  const node = defineOp<undefined>({
    name,
    infer([a, b]) {
      if (a!.dtype !== b!.dtype) fail(name, `element types ${a!.dtype} and ${b!.dtype} differ: cast one of them`);
      return { dtype: 'bool', shape: broadcastShapes(name, a!.shape, b!.shape) };
    },
    evaluate: (inputs, _, shape) => mapArrays(shape, inputs, (a, b) => Number(f(a!, b!))),
    lower: (context, inputs) => context.emit(onnx, inputs),
    gradient: () => [],
  });
  return (a: Tensor, b: Tensor | number): Tensor =>
    node([a, typeof b === 'number' ? constant(b, [], a.dtype) : b], undefined);
}

/** bool; broadcasting as everywhere. */
export const equal = comparison('equal', 'Equal', (a, b) => a === b);
export const greater = comparison('greater', 'Greater', (a, b) => a > b);
export const less = comparison('less', 'Less', (a, b) => a < b);

const whereNode = defineOp<undefined>({
  name: 'where',
  infer([condition, a, b]) {
    requireType('where', condition!, 'bool');
    if (a!.dtype !== b!.dtype) fail('where', `element types ${a!.dtype} and ${b!.dtype} differ: cast one of them`);
    return { dtype: a!.dtype, shape: broadcastShapes('where', condition!.shape, a!.shape, b!.shape) };
  },
  evaluate: (inputs, _, shape) => mapArrays(shape, inputs, (condition, a, b) => (condition ? a! : b!)),
  lower: (context, inputs) => context.emit('Where', inputs),
  gradient({ inputs }, cotangent) {
    const [condition, a, b] = inputs as [Tensor, Tensor, Tensor];
    const zero = constant(0);
    return [
      undefined,
      sumTo(where(condition, cotangent, zero), a.shape),
      sumTo(where(condition, zero, cotangent), b.shape),
    ];
  },
});

/** a where the condition (bool) holds, b elsewhere. */
export function where(condition: Tensor, a: Tensor | number, b: Tensor | number): Tensor {
  const dtype: DataType = typeof a !== 'number' ? a.dtype : typeof b !== 'number' ? b.dtype : 'float32';
  const [left, right] = [a, b].map((x) => (typeof x === 'number' ? constant(x, [], dtype) : x));
  return whereNode([condition, left!, right!], undefined);
}

/**
 * erf to about 1e-15: the Maclaurin series near 0, the continued fraction of erfc (Lentz's method) beyond 2.5.
 * Abramowitz & Stegun 7.1.5 and 7.1.14.
 */
function errorFunction(x: number): number {
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
