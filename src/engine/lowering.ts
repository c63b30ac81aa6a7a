/**
 * From a graph to one ONNX graph. Each op emits its own nodes through a `Lowering`; leaves become the model's inputs and
 * initialisers. Constants and repeated emissions of the same shape values are shared.
 */
import type { DataType, Dimension, Shape, Tensor } from './graph.ts';
import { inOrder, isInput, isParameter } from './graph.ts';
import type { AttributeValue, OnnxGraph, OnnxInitializer, OnnxNode, OnnxValue, Opsets } from './onnx.ts';

export type Device = 'cpu' | 'webgpu' | 'cuda';

/** Opset 24 brings Attention with lengths of the keys; the contrib ops carry ONNX Runtime's own domain. */
export const opsets: Opsets = { '': 24, 'com.microsoft': 1 };
export const irVersion = 11;
export const contrib = 'com.microsoft';

/** What an op's `lower` may use. */
export interface Lowering {
  readonly device: Device;
  /** Whether the program belongs to a training, whose forward pass may be lowered otherwise. */
  readonly isTraining: boolean;
  /** Levels of 8-bit activations on each side of zero: 127, or 63 where the processor's kernel would overflow. */
  readonly activationLevels: number;
  /** The value of a tensor that is lowered already: any input, and what it was made of. */
  value(tensor: Tensor): string;
  /** Emits a node and returns the name of its first output. */
  emit(type: string, inputs: readonly string[], attributes?: Attributes, options?: EmitOptions): string;
  /** Emits a node with several outputs. */
  emitMany(
    type: string,
    inputs: readonly string[],
    outputs: number,
    attributes?: Attributes,
    options?: EmitOptions,
  ): string[];
  /**
   * More outputs of the node that made `value`, its first output: what a gradient needs of its op's forward pass. Where
   * another type of node made it (or none in this graph), undefined.
   */
  moreOutputs(value: string, type: string, outputs: number): string[] | undefined;
  /** An initialiser; equal constants are one. */
  constant(values: readonly number[], shape?: readonly number[], dtype?: DataType): string;
  /** The shape as an int64 value: a constant where at most one dimension is named, read from the inputs otherwise. */
  shape(shape: Shape): string;
  /**
   * A graph within a node (a branch, a loop's body): it may name any value that stands outside already. `inputs` are its
   * own; `build` returns the values it gives back.
   */
  subgraph(inputs: readonly OnnxValue[], build: (inner: Lowering) => readonly OnnxValue[]): OnnxGraph;
  /** A value shared under a key: made at its first use. */
  shared(key: string, make: () => string): string;
}

export type Attributes = Readonly<Record<string, AttributeValue>>;
export interface EmitOptions {
  domain?: string;
}

export interface LoweredGraph {
  graph: OnnxGraph;
  /** The parameters met, in order of first use. Their values stand as external data under `parameterLocation`. */
  parameters: { name: string; dtype: DataType; shape: readonly number[] }[];
  inputs: Tensor[];
}

export function lowerGraph(
  outputs: Readonly<Record<string, Tensor>>,
  {
    device,
    activationLevels,
    trained,
    sizes = [],
  }: {
    device: Device;
    activationLevels: number;
    /** In training: the parameters that are given at every run, as inputs `param:NAME`. */
    trained?: ReadonlySet<string>;
    /** More inputs, for the sizes of named dimensions alone. */
    sizes?: readonly Tensor[];
  },
): LoweredGraph {
  const names = new Map<Tensor, string>();
  const builder = new Builder(device, trained !== undefined, activationLevels, names);
  const parameters: LoweredGraph['parameters'] = [];
  const inputs: Tensor[] = [];
  const inputValues: OnnxValue[] = [];
  const known = new Map<string, Tensor>();
  for (const tensor of inOrder([...Object.values(outputs), ...sizes])) {
    if (isInput(tensor) || isParameter(tensor)) {
      const { name } = tensor.attributes;
      const value = isInput(tensor) ? `in:${name}` : `param:${name}`;
      names.set(tensor, value);
      if (known.has(value)) continue; // the same name written twice is the same value; `checkLeaves` compared the types
      known.set(value, tensor);
      if (isInput(tensor)) {
        inputs.push(tensor);
        inputValues.push({ name: value, type: tensor.dtype, shape: tensor.shape });
        builder.offerDimensions(value, tensor.shape);
      } else if (trained?.has(name)) {
        inputValues.push({ name: value, type: tensor.dtype, shape: tensor.shape });
      } else {
        parameters.push({ name, dtype: tensor.dtype, shape: tensor.shape as readonly number[] });
      }
    }
  }
  for (const tensor of inOrder(Object.values(outputs))) {
    if (names.has(tensor)) continue;
    const op = tensor.op as {
      lower(
        context: Lowering,
        inputs: readonly string[],
        attributes: unknown,
        tensors: readonly Tensor[],
        result: Tensor,
      ): string;
    };
    names.set(
      tensor,
      op.lower(
        builder,
        tensor.inputs.map((input) => names.get(input)!),
        tensor.attributes,
        tensor.inputs,
        tensor,
      ),
    );
  }
  const outputValues = Object.entries(outputs).map(([name, tensor]): OnnxValue => {
    // An output needs a name of its own, even where one tensor stands under two names or is itself an input.
    const value = builder.alias('Identity', names.get(tensor)!, `out:${name}`);
    return { name: value, type: tensor.dtype, shape: tensor.shape };
  });
  return {
    graph: {
      name: 'patentlab',
      ...prune(builder, outputValues),
      inputs: inputValues,
      outputs: outputValues,
    },
    parameters,
    inputs,
  };
}

/** Leaves out nodes and constants that no output needs: an op may have read past one of its inputs. */
function prune({ nodes, initializers }: Builder, outputs: readonly OnnxValue[]) {
  const needed = new Set(outputs.map(({ name }) => name));
  const kept: OnnxNode[] = [];
  for (const node of nodes.toReversed()) {
    if (!node.outputs.some((name) => needed.has(name))) continue;
    for (const name of namesReadBy(node)) needed.add(name);
    kept.push(node);
  }
  return { nodes: kept.reverse(), initializers: initializers.filter(({ name }) => needed.has(name)) };
}

/** The inputs of a node and whatever its inner graphs name. */
function namesReadBy({ inputs, attributes }: OnnxNode): string[] {
  const inner = Object.values(attributes).flatMap((value) =>
    typeof value === 'object' && 'nodes' in value
      ? [...value.nodes.flatMap(namesReadBy), ...value.outputs.map(({ name }) => name)]
      : [],
  );
  return [...inputs, ...inner];
}

class Builder implements Lowering {
  readonly device: Device;
  readonly isTraining: boolean;
  readonly activationLevels: number;
  /** Keeps names of inner graphs apart. */
  private readonly prefix: string;
  private readonly names: ReadonlyMap<Tensor, string>;
  readonly nodes: OnnxNode[] = [];
  readonly initializers: OnnxInitializer[] = [];
  private readonly sharedValues = new Map<string, string>();
  private readonly dimensions = new Map<string, { value: string; axis: number }>();
  private count = 0;

  constructor(
    device: Device,
    isTraining: boolean,
    activationLevels: number,
    names: ReadonlyMap<Tensor, string>,
    prefix = '',
  ) {
    this.prefix = prefix;
    this.device = device;
    this.isTraining = isTraining;
    this.activationLevels = activationLevels;
    this.names = names;
  }

  subgraph(inputs: readonly OnnxValue[], build: (inner: Lowering) => readonly OnnxValue[]): OnnxGraph {
    const inner = new Builder(
      this.device,
      this.isTraining,
      this.activationLevels,
      this.names,
      `${this.prefix}${this.count++}.`,
    );
    const outputs = build(inner);
    return { name: `inner ${inner.prefix}`, nodes: inner.nodes, initializers: inner.initializers, inputs, outputs };
  }

  value(tensor: Tensor): string {
    return this.names.get(tensor)!;
  }

  emit(type: string, inputs: readonly string[], attributes: Attributes = {}, options: EmitOptions = {}): string {
    return this.emitMany(type, inputs, 1, attributes, options)[0]!;
  }

  emitMany(
    type: string,
    inputs: readonly string[],
    outputs: number,
    attributes: Attributes = {},
    { domain = '' }: EmitOptions = {},
  ): string[] {
    const names = Array.from({ length: outputs }, () => `${this.prefix}${type}:${this.count++}`);
    this.nodes.push({ type, domain, inputs, outputs: names, attributes });
    return names;
  }

  moreOutputs(value: string, type: string, outputs: number): string[] | undefined {
    const node = this.nodes.find((candidate) => candidate.outputs[0] === value);
    if (node?.type !== type) return undefined;
    if (node.outputs.length < outputs) {
      const more = Array.from({ length: outputs - node.outputs.length }, () => `${this.prefix}${type}:${this.count++}`);
      node.outputs = [...node.outputs, ...more];
    }
    return [...node.outputs];
  }

  alias(type: string, value: string, name: string): string {
    this.nodes.push({ type, domain: '', inputs: [value], outputs: [name], attributes: {} });
    return name;
  }

  constant(values: readonly number[], shape: readonly number[] = [values.length], dtype: DataType = 'float32'): string {
    return this.shared(`constant ${dtype} [${shape}] ${values.join()}`, () => {
      const name = `${this.prefix}constant:${this.count++}`;
      this.initializers.push({ name, type: dtype, shape, data: encodeValues(values, dtype) });
      return name;
    });
  }

  shape(shape: Shape): string {
    const named = shape.filter((size) => typeof size === 'string');
    if (named.length <= 1)
      return this.constant(
        shape.map((size) => (typeof size === 'string' ? -1 : size)),
        [shape.length],
        'int64',
      );
    return this.shared(`shape ${shape.join()}`, () =>
      this.emit(
        'Concat',
        shape.map((size) => this.dimension(size)),
        { axis: 0 },
      ),
    );
  }

  shared(key: string, make: () => string): string {
    let value = this.sharedValues.get(key);
    if (value === undefined) {
      value = make();
      this.sharedValues.set(key, value);
    }
    return value;
  }

  offerDimensions(value: string, shape: Shape): void {
    shape.forEach((size, axis) => {
      if (typeof size === 'string' && !this.dimensions.has(size)) this.dimensions.set(size, { value, axis });
    });
  }

  /** One dimension as an int64 value of one element. */
  private dimension(size: Dimension): string {
    if (typeof size === 'number') return this.constant([size], [1], 'int64');
    const source = this.dimensions.get(size);
    if (source === undefined) throw new Error(`no input has the dimension '${size}'`);
    return this.shared(`dimension ${size}`, () =>
      this.emit('Shape', [source.value], { start: source.axis, end: source.axis + 1 }),
    );
  }
}

function encodeValues(values: readonly number[], dtype: DataType): Uint8Array {
  const array = arrayOf(dtype, values);
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
}

/** A typed array of the element type, from plain numbers. */
export function arrayOf(dtype: DataType, values: ArrayLike<number>) {
  switch (dtype) {
    case 'float32':
      return Float32Array.from(values);
    case 'int32':
      return Int32Array.from(values);
    case 'int64':
      return BigInt64Array.from(Array.from(values, BigInt));
    case 'int8':
      return Int8Array.from(values);
    case 'uint8':
    case 'bool':
      return Uint8Array.from(values);
  }
}
