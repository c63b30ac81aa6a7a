/**
 * The graph: a `Tensor` is a symbolic node (op, inputs, attributes, element type, shape). Writing a graph computes
 * nothing; tensors are immutable and may be shared freely.
 *
 * An op is one small definition: the rule of its result's type and shape, its meaning (`evaluate`, float64, readable
 * rather than fast: the oracle), how it is written in ONNX (`lower`) and, where it has one, its derivative (`gradient`). The
 * file of each kind of op holds them side by side.
 *
 * A dimension is a number or a name. A name is one number a run, equal wherever it stands.
 */
import { inputError } from '../base/errors.ts';
import type { Lowering } from './lowering.ts';
import type { NdArray } from './ndarray.ts';

export type Dimension = number | string;
export type Shape = readonly Dimension[];
export type DataType = 'float32' | 'int32' | 'int64' | 'int8' | 'uint8' | 'bool';

export interface TensorType {
  readonly dtype: DataType;
  readonly shape: Shape;
}

export interface Tensor extends TensorType {
  readonly op: Op;
  readonly inputs: readonly Tensor[];
  readonly attributes: unknown;
}

/** What every op defines. `A` is the type of its attributes. */
export interface OpDefinition<A> {
  readonly name: string;
  /** The result's type; throws where the inputs do not fit. */
  infer(inputs: readonly Tensor[], attributes: A): TensorType;
  /** The meaning, in float64. `shape` is the result's shape in numbers. */
  evaluate(inputs: readonly NdArray[], attributes: A, shape: readonly number[]): NdArray;
  /** Emits ONNX nodes and returns the name of the result. `tensors` are the symbolic inputs of `inputs`. */
  lower(
    context: Lowering,
    inputs: readonly string[],
    attributes: A,
    tensors: readonly Tensor[],
    result: Tensor,
  ): string;
  /**
   * Reverse mode: from the cotangent of `node` (the loss's derivative by it, of its shape) those of its inputs, each of its
   * input's shape, written with other ops; undefined for an input that none flows to (indices, say).
   */
  gradient?(node: NodeOf<A>, cotangent: Tensor): readonly (Tensor | undefined)[];
}

/** A node with its attributes' type. */
export type NodeOf<A> = Tensor & { readonly attributes: A };

/** An op with the type of its attributes forgotten, as the graph's nodes hold it. */
export type Op = OpDefinition<never>;

/** Turns a definition into the function that makes nodes of it. */
export function defineOp<A>(definition: OpDefinition<A>): (inputs: readonly Tensor[], attributes: A) => Tensor {
  const op = definition as unknown as Op;
  return (inputs, attributes) =>
    Object.freeze({ op, inputs: Object.freeze([...inputs]), attributes, ...definition.infer(inputs, attributes) });
}

// Leaves -----------------------------------------------------------------------------------------------------------

export type TypedArray =
  | Float32Array
  | Float64Array
  | Int32Array
  | Uint32Array
  | BigInt64Array
  | Int8Array
  | Uint8Array
  | Uint16Array;

/** Values for an input. A bare array may stand where its shape follows from its length and the other feeds. */
export type Feed = TypedArray | { readonly data: TypedArray; readonly shape: readonly number[] };
export type Feeds = Readonly<Record<string, Feed>>;

export interface InputAttributes {
  readonly name: string;
  /**
   * Makes the value from other feeds when the caller gives none (padding indices from lengths, say). `feed` reads
   * another input's value, and asks for it by name where it is missing.
   */
  readonly derive?: (feed: (name: string) => TypedArray) => { data: TypedArray; shape: readonly number[] };
  /**
   * For indices whose structure is known: the gradient of `gather(table, indices)` by its table, faster than the scatter of
   * any indices.
   */
  readonly scatter?: (cotangent: Tensor, table: Tensor) => Tensor;
}

const leaf = (name: string) => ({
  name,
  infer: (_: readonly Tensor[], attributes: TensorType) => attributes,
  evaluate(): never {
    throw new Error(`${name} has no value of its own`);
  },
  lower(): never {
    throw new Error(`${name} is lowered by the compiler`);
  },
});

const inputNode = defineOp<InputAttributes & TensorType>(leaf('input'));
const parameterNode = defineOp<{ name: string } & TensorType>(leaf('parameter'));

/** A value given at every run. */
export function input(
  name: string,
  dtype: DataType,
  shape: Shape,
  options: Pick<InputAttributes, 'derive' | 'scatter'> = {},
): Tensor {
  return leafType(inputNode([], { name, dtype, shape, ...options }));
}

/** A weight, given by name when the graph is compiled. Its shape is all numbers. */
export function parameter(name: string, shape: readonly number[], dtype: DataType = 'float32'): Tensor {
  return leafType(parameterNode([], { name, dtype, shape }));
}

/** Values that stand in the graph itself: one number (a scalar), or an array with its shape (default: one axis). */
export function constant(
  values: number | readonly number[] | TypedArray,
  shape?: readonly number[],
  dtype: DataType = 'float32',
): Tensor {
  const numbers = typeof values === 'number' ? [values] : Array.from(values as ArrayLike<number>, Number);
  const dims = shape ?? (typeof values === 'number' ? [] : [numbers.length]);
  if (numbers.length !== product(dims)) fail('constant', `${numbers.length} values do not fill [${dims.join(', ')}]`);
  return constantNode([], { values: Float64Array.from(numbers), dtype, shape: dims });
}

const constantNode = defineOp<{ values: Float64Array } & TensorType>({
  name: 'constant',
  infer: (_, attributes) => ({ dtype: attributes.dtype, shape: attributes.shape }),
  evaluate: (_, attributes, shape) => ({ shape, data: attributes.values }),
  lower: (context, _, attributes) =>
    context.constant([...attributes.values], attributes.shape as readonly number[], attributes.dtype),
});

/** A leaf's attributes double as its type: keep only the type's own fields on the node. */
function leafType(node: Tensor): Tensor {
  return Object.freeze({
    op: node.op,
    inputs: node.inputs,
    attributes: node.attributes,
    dtype: node.dtype,
    shape: node.shape,
  });
}

export function isInput(tensor: Tensor): tensor is Tensor & { readonly attributes: InputAttributes & TensorType } {
  return tensor.op.name === 'input';
}

export function isParameter(tensor: Tensor): tensor is Tensor & { readonly attributes: { name: string } & TensorType } {
  return tensor.op.name === 'parameter';
}

// Walking ----------------------------------------------------------------------------------------------------------

/** Every tensor the outputs need, inputs before their users, each once; iterative, since graphs are deep. */
export function inOrder(outputs: readonly Tensor[]): Tensor[] {
  const order: Tensor[] = [];
  const state = new Map<Tensor, 'open' | 'done'>();
  const stack = [...outputs].reverse();
  while (stack.length > 0) {
    const tensor = stack[stack.length - 1]!;
    if (state.get(tensor) === undefined) {
      state.set(tensor, 'open');
      for (const input of [...tensor.inputs].reverse()) if (!state.has(input)) stack.push(input);
    } else {
      stack.pop();
      if (state.get(tensor) === 'open') {
        state.set(tensor, 'done');
        order.push(tensor);
      }
    }
  }
  return order;
}

// Shapes -----------------------------------------------------------------------------------------------------------

export function product(shape: readonly number[]): number {
  return shape.reduce((total, size) => total * size, 1);
}

/** An axis counted from the end becomes one counted from the front. */
export function axisOf(op: string, axis: number, rank: number): number {
  const found = axis < 0 ? axis + rank : axis;
  if (!Number.isInteger(axis) || found < 0 || found >= rank)
    fail(op, `there is no axis ${axis} in a tensor of ${rank} axes`);
  return found;
}

export function showShape(shape: Shape): string {
  return `[${shape.join(', ')}]`;
}

export function sameShape(a: Shape, b: Shape): boolean {
  return a.length === b.length && a.every((size, axis) => size === b[axis]);
}

/** NumPy's broadcasting; a name goes with itself and with 1. */
export function broadcastShapes(op: string, ...shapes: Shape[]): Dimension[] {
  const rank = Math.max(...shapes.map((shape) => shape.length));
  return Array.from({ length: rank }, (_, axis) => {
    const sizes = shapes.map((shape) => shape[axis - (rank - shape.length)] ?? 1);
    const size = sizes.find((candidate) => candidate !== 1) ?? 1;
    if (sizes.some((other) => other !== 1 && other !== size))
      fail(op, `shapes ${shapes.map(showShape).join(' and ')} do not go together`);
    return size;
  });
}

export function requireType(op: string, tensor: Tensor, ...allowed: DataType[]): void {
  if (!allowed.includes(tensor.dtype)) fail(op, `it takes ${allowed.join(' or ')}, not ${tensor.dtype}`);
}

export function requireRank(op: string, tensor: Tensor, rank: number): void {
  if (tensor.shape.length !== rank) fail(op, `it takes ${rank} axes, not the shape ${showShape(tensor.shape)}`);
}

/** A graph that cannot be: thrown while it is written, where the stack still shows who wrote it. */
export function fail(op: string, message: string): never {
  throw inputError(`${op}: ${message}`, { code: 'engine.graph' });
}
