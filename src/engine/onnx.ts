/**
 * Writes ONNX models: the few messages of onnx.proto3 that a graph needs, encoded by hand (protobuf wire format: a varint
 * tag `field << 3 | wire type`, then a varint, 4 bytes or a length-prefixed body).
 *
 * Large tensors do not belong in here: a protobuf message ends at 2 GB, and what it holds is copied. They stand as
 * external data: the name of a file (or of a buffer handed over beside the model), an offset and a length.
 */

export type ElementType = 'float32' | 'float16' | 'bfloat16' | 'int8' | 'uint8' | 'int32' | 'uint32' | 'int64' | 'bool';

const elementCodes: Record<ElementType, number> = {
  float32: 1,
  uint8: 2,
  int8: 3,
  int32: 6,
  uint32: 12,
  int64: 7,
  bool: 9,
  float16: 10,
  bfloat16: 16,
};

/** The number ONNX gives an element type (TensorProto.DataType). */
export function elementCode(type: ElementType): number {
  return elementCodes[type];
}

export type AttributeValue = number | string | boolean | readonly number[] | { readonly float: number } | OnnxGraph;

export interface OnnxNode {
  type: string;
  domain: string;
  /** '' stands for an optional input or output that is left out. */
  inputs: readonly string[];
  outputs: readonly string[];
  /** Plain numbers are integers; a float is `{ float: 1e-5 }`, as ONNX types its attributes. */
  attributes: Readonly<Record<string, AttributeValue>>;
}

export interface OnnxInitializer {
  name: string;
  type: ElementType;
  shape: readonly number[];
  /** Little-endian bytes, or where they are. */
  data: Uint8Array | { location: string; offset: number; length: number };
}

export interface OnnxValue {
  name: string;
  type: ElementType;
  shape: readonly (number | string)[];
}

export interface OnnxGraph {
  name: string;
  nodes: readonly OnnxNode[];
  initializers: readonly OnnxInitializer[];
  inputs: readonly OnnxValue[];
  outputs: readonly OnnxValue[];
}

/** Opset versions by domain; '' is ONNX's own. */
export type Opsets = Readonly<Record<string, number>>;

export function encodeModel(graph: OnnxGraph, opsets: Opsets, irVersion = 10): Uint8Array {
  return modelMessage(graph, opsets, irVersion).bytes();
}

/** The bytes of `encodeModel` in pieces: large tensors are not copied. */
export function modelPieces(graph: OnnxGraph, opsets: Opsets, irVersion: number): readonly Uint8Array[] {
  return modelMessage(graph, opsets, irVersion).pieces;
}

function modelMessage(graph: OnnxGraph, opsets: Opsets, irVersion: number): Message {
  const model = new Message();
  model.integer(1, irVersion).text(2, 'patentlab').message(7, encodeGraph(graph));
  for (const [domain, version] of Object.entries(opsets))
    model.message(8, new Message().text(1, domain).integer(2, version));
  return model;
}

function encodeGraph(graph: OnnxGraph): Message {
  const message = new Message();
  for (const node of graph.nodes) message.message(1, encodeNode(node));
  message.text(2, graph.name);
  for (const tensor of graph.initializers) message.message(5, encodeInitializer(tensor));
  for (const value of graph.inputs) message.message(11, encodeValue(value));
  for (const value of graph.outputs) message.message(12, encodeValue(value));
  return message;
}

function encodeNode(node: OnnxNode): Message {
  const message = new Message();
  for (const name of node.inputs) message.text(1, name);
  for (const name of node.outputs) message.text(2, name);
  message.text(3, node.outputs[0]!).text(4, node.type).text(7, node.domain);
  for (const [name, value] of Object.entries(node.attributes)) message.message(5, encodeAttribute(name, value));
  return message;
}

function encodeAttribute(name: string, value: AttributeValue): Message {
  const message = new Message().text(1, name);
  if (typeof value === 'number') return message.integer(3, value).integer(20, 2);
  if (typeof value === 'boolean') return message.integer(3, value ? 1 : 0).integer(20, 2);
  if (typeof value === 'string') return message.text(4, value).integer(20, 3);
  if ('float' in value) return message.float(2, value.float).integer(20, 1);
  if ('nodes' in value) return message.message(6, encodeGraph(value)).integer(20, 5);
  for (const item of value) message.integer(8, item);
  return message.integer(20, 7);
}

function encodeInitializer(tensor: OnnxInitializer): Message {
  const message = new Message();
  for (const size of tensor.shape) message.integer(1, size);
  message.integer(2, elementCodes[tensor.type]).text(8, tensor.name);
  if (tensor.data instanceof Uint8Array) return message.raw(9, tensor.data);
  const { location, offset, length } = tensor.data;
  const entry = (key: string, value: string) => message.message(13, new Message().text(1, key).text(2, value));
  entry('location', location);
  entry('offset', String(offset));
  entry('length', String(length));
  return message.integer(14, 1);
}

function encodeValue(value: OnnxValue): Message {
  const shape = new Message();
  for (const size of value.shape)
    shape.message(1, typeof size === 'number' ? new Message().integer(1, size) : new Message().text(2, size));
  const tensor = new Message().integer(1, elementCodes[value.type]).message(2, shape);
  return new Message().text(1, value.name).message(2, new Message().message(1, tensor));
}

const utf8 = new TextEncoder();

/** A protobuf message under construction: pieces in order, joined once at the end. */
class Message {
  readonly pieces: Uint8Array[] = [];
  private length = 0;

  integer(field: number, value: number): this {
    return this.push(varint(field * 8)).push(varint(value));
  }

  float(field: number, value: number): this {
    const body = new Uint8Array(4);
    new DataView(body.buffer).setFloat32(0, value, true);
    return this.push(varint(field * 8 + 5)).push(body);
  }

  text(field: number, value: string): this {
    return this.raw(field, utf8.encode(value));
  }

  raw(field: number, value: Uint8Array): this {
    return this.push(varint(field * 8 + 2))
      .push(varint(value.length))
      .push(value);
  }

  message(field: number, value: Message): this {
    this.push(varint(field * 8 + 2)).push(varint(value.length));
    for (const piece of value.pieces) this.push(piece);
    return this;
  }

  bytes(): Uint8Array {
    const all = new Uint8Array(this.length);
    let at = 0;
    for (const piece of this.pieces) {
      all.set(piece, at);
      at += piece.length;
    }
    return all;
  }

  private push(piece: Uint8Array): this {
    this.pieces.push(piece);
    this.length += piece.length;
    return this;
  }
}

/** Base-128, low group first; negative numbers as 64-bit two's complement, as protobuf's int64 wants them. */
function varint(value: number): Uint8Array {
  const groups: number[] = [];
  if (value >= 0 && Number.isSafeInteger(value)) {
    let rest = value;
    for (; rest >= 128; rest = Math.floor(rest / 128)) groups.push((rest % 128) | 128);
    groups.push(rest);
  } else {
    let rest = BigInt.asUintN(64, BigInt(value));
    for (; rest >= 128n; rest >>= 7n) groups.push(Number(rest & 127n) | 128);
    groups.push(Number(rest));
  }
  return Uint8Array.from(groups);
}
