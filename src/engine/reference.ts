/**
 * The reference interpreter: walks the graph and evaluates each op by its own definition in float64. Slow and plain on
 * purpose: it is the oracle of the other backends.
 */
import { type FilledInput, Value } from './feeds.ts';
import type { DataType, Tensor } from './graph.ts';
import { inOrder, isInput, isParameter } from './graph.ts';
import { arrayOf } from './lowering.ts';
import { type NdArray, ndarray } from './ndarray.ts';

/** Values of `outputs`, given those of the leaves by name. */
export function interpret(
  outputs: Readonly<Record<string, Tensor>>,
  inputs: ReadonlyMap<string, FilledInput>,
  parameters: ReadonlyMap<string, NdArray>,
  dimensions: ReadonlyMap<string, number>,
): Record<string, NdArray> {
  const values = new Map<Tensor, NdArray>();
  for (const tensor of inOrder(Object.values(outputs))) values.set(tensor, evaluate(tensor));
  return Object.fromEntries(Object.entries(outputs).map(([name, tensor]) => [name, values.get(tensor)!]));

  function evaluate(tensor: Tensor): NdArray {
    if (isInput(tensor)) {
      const { shape, data } = inputs.get(tensor.attributes.name)!;
      return ndarray(shape, Float64Array.from(data as ArrayLike<number>, Number));
    }
    if (isParameter(tensor)) return parameters.get(tensor.attributes.name)!;
    const op = tensor.op as unknown as {
      evaluate(inputs: readonly NdArray[], attributes: unknown, shape: readonly number[]): NdArray;
    };
    const shape = tensor.shape.map((size) => (typeof size === 'number' ? size : dimensionOf(size)));
    return op.evaluate(
      tensor.inputs.map((input) => values.get(input)!),
      tensor.attributes,
      shape,
    );
  }

  function dimensionOf(name: string): number {
    return name.split('+').reduce((total, part) => {
      const size = dimensions.get(part) ?? Number(part);
      if (Number.isNaN(size)) throw new Error(`no input has the dimension '${part}'`);
      return total + size;
    }, 0);
  }
}

/** An interpreter's array as the output of a program. */
export function toValue(dtype: DataType, array: NdArray): Value {
  return new Value(dtype, array.shape, arrayOf(dtype, array.data));
}
