/** Values at the edge of a program: checking and completing what goes in, typing what comes out. */
import { inputError, quoteFound } from '../base/errors.ts';
import type { DataType, Feed, Feeds, InputAttributes, Tensor, TensorType, TypedArray } from './graph.ts';
import { product, showShape } from './graph.ts';

/** A value with its shape in numbers. */
export interface FilledInput {
  readonly dtype: DataType;
  readonly shape: readonly number[];
  readonly data: TypedArray;
}

/** An output of a run. */
export class Value {
  readonly dtype: DataType;
  readonly shape: readonly number[];
  readonly data: TypedArray;

  constructor(dtype: DataType, shape: readonly number[], data: TypedArray) {
    this.dtype = dtype;
    this.shape = shape;
    this.data = data;
  }

  /** The values of a float32 output. */
  get floats(): Float32Array {
    if (this.data instanceof Float32Array) return this.data;
    throw new TypeError(`the output is ${this.dtype}, not float32`);
  }

  /** The values of an int32 output. */
  get integers(): Int32Array {
    if (this.data instanceof Int32Array) return this.data;
    throw new TypeError(`the output is ${this.dtype}, not int32`);
  }
}

const arrayTypes = {
  float32: Float32Array,
  int32: Int32Array,
  int64: BigInt64Array,
  int8: Int8Array,
  uint8: Uint8Array,
  bool: Uint8Array,
} satisfies Record<DataType, unknown>;

type InputTensor = Tensor & { readonly attributes: InputAttributes & TensorType };

/**
 * Every input of the graph with its value: as fed, or derived from other feeds. Named dimensions are found on the way:
 * first from feeds with a shape, then from bare arrays whose shape has one unknown left.
 */
export function fillInputs(
  inputs: readonly InputTensor[],
  feeds: Feeds,
): { values: Map<string, FilledInput>; dimensions: Map<string, number> } {
  const dimensions = new Map<string, number>();
  const values = new Map<string, FilledInput>();
  const byName = new Map(inputs.map((tensor) => [tensor.attributes.name, tensor]));
  const feedData = (name: string): TypedArray => {
    const feed = feeds[name];
    if (feed === undefined) throw wrong(name, 'has no value', 'a feed of this name', 'none');
    return dataOf(feed);
  };

  const bare: InputTensor[] = [];
  for (const tensor of inputs) {
    const { name, derive } = tensor.attributes;
    const given = feeds[name] ?? derive?.(feedData);
    if (given === undefined) feedData(name);
    else if ('shape' in given) accept(tensor, given.data, given.shape);
    else bare.push(tensor);
  }
  for (let progress = true; progress && bare.length > 0; ) {
    progress = false;
    for (const tensor of [...bare]) {
      const data = feeds[tensor.attributes.name] as TypedArray;
      const shape = shapeOfLength(tensor, data.length);
      if (shape === undefined) continue;
      accept(tensor, data, shape);
      bare.splice(bare.indexOf(tensor), 1);
      progress = true;
    }
  }
  const unclear = bare[0];
  if (unclear)
    throw wrong(
      unclear.attributes.name,
      'needs its shape',
      `{ data, shape } for ${showShape(unclear.shape)}`,
      'an array',
    );
  for (const name of Object.keys(feeds))
    if (!byName.has(name) && !usedByDerived(name))
      throw wrong(name, 'is not an input of this program', [...byName.keys()].join(', '), name);
  return { values, dimensions };

  /** Feeds that only derived inputs read (lengths, say) are no inputs of the graph themselves. */
  function usedByDerived(name: string): boolean {
    return inputs.some(({ attributes }) => attributes.derive && attributes.name.startsWith(`${name}.`));
  }

  function shapeOfLength(tensor: InputTensor, length: number): number[] | undefined {
    const shape = tensor.shape.map((size) => (typeof size === 'number' ? size : dimensions.get(size)));
    const unknown = new Set(tensor.shape.filter((_, axis) => shape[axis] === undefined));
    if (unknown.size === 0) return shape as number[];
    if (unknown.size > 1) return undefined;
    const known = shape.reduce<number>((a, b) => a * (b ?? 1), 1);
    const times = shape.filter((size) => size === undefined).length;
    const size = Math.round((length / known) ** (1 / times));
    return shape.map((own) => own ?? size);
  }

  function accept(tensor: InputTensor, data: TypedArray, shape: readonly number[]): void {
    const { name } = tensor.attributes;
    if (!(data instanceof arrayTypes[tensor.dtype]))
      throw wrong(name, 'has the wrong kind of array', arrayTypes[tensor.dtype].name, data.constructor.name);
    if (shape.length !== tensor.shape.length || product(shape) !== data.length)
      throw wrong(name, 'has the wrong shape', showShape(tensor.shape), `${data.length} values as ${showShape(shape)}`);
    tensor.shape.forEach((size, axis) => {
      const found = shape[axis]!;
      const expected = typeof size === 'number' ? size : dimensions.get(size);
      if (expected === undefined) dimensions.set(size as string, found);
      else if (expected !== found)
        throw wrong(name, `does not agree with '${size}' = ${expected}`, showShape(tensor.shape), showShape(shape));
    });
    values.set(name, { dtype: tensor.dtype, shape, data });
  }
}

function dataOf(feed: Feed): TypedArray {
  return 'shape' in feed ? feed.data : feed;
}

function wrong(name: string, what: string, expected: string, found: string) {
  return inputError(`input '${name}' ${what}`, {
    code: 'engine.feed',
    field: name,
    expected,
    found: quoteFound(found),
  });
}

/** The leaves of a graph by name; throws where one name stands for two types. */
export function checkLeaves<T extends { readonly name: string } & TensorType>(
  leaves: readonly (Tensor & { readonly attributes: T })[],
): (Tensor & { readonly attributes: T })[] {
  const byName = new Map<string, Tensor & { readonly attributes: T }>();
  for (const leaf of leaves) {
    const { name } = leaf.attributes;
    const other = byName.get(name);
    if (other && (other.dtype !== leaf.dtype || showShape(other.shape) !== showShape(leaf.shape)))
      throw inputError(`'${name}' stands for two different tensors`, {
        code: 'engine.graph',
        field: name,
        expected: `${other.dtype} ${showShape(other.shape)}`,
        found: `${leaf.dtype} ${showShape(leaf.shape)}`,
      });
    if (!other) byName.set(name, leaf);
  }
  return [...byName.values()];
}
