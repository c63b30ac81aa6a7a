/**
 * Graphs as files for other runtimes: one ONNX model with its weights, written in ONNX's own ops, under the plain names of its
 * inputs, outputs and parameters. Weights beyond `inline` bytes (a protobuf message ends at 2 GB) stand in `<file>_data`
 * beside it, as ONNX calls external data; tensor by tensor, so that no more than one is in memory.
 *
 * `runOnnxFile` runs such a file on its own, as other programs will.
 */

import { workError } from '../base/errors.ts';
import type { Files, Platform } from '../base/platform.ts';
import { workerUrl } from '../base/platform.ts';
import type { Tensor, TypedArray } from './graph.ts';
import { lowerGraph } from './lowering.ts';
import { modelPieces, type OnnxGraph, type OnnxInitializer, type OnnxValue } from './onnx.ts';
import type { WireValue } from './ort.ts';
import { findParameter, isFileRange, type Parameters, type ParameterValue, widen } from './parameters.ts';

/** Of ONNX 1.13: what runtimes since 2023 take. */
export const portableOpset = 18;
const portableIr = 8;

export interface OnnxFileOptions {
  readonly parameters: Parameters;
  /** Other names of dimensions. */
  readonly dimensions?: Readonly<Record<string, string>>;
  /** Most bytes of weights within the model's own file. Default 1.9e9. */
  readonly inline?: number;
}

/** Writes the model; `external` tells whether its weights stand beside it. All weights are float32. */
export async function writeOnnxFile(
  files: Files,
  path: string,
  outputs: Readonly<Record<string, Tensor>>,
  { parameters, dimensions = {}, inline = 1.9e9 }: OnnxFileOptions,
): Promise<{ external: boolean }> {
  const lowered = lowerGraph(outputs, { device: 'cpu', activationLevels: 127 });
  const weights = lowered.parameters.map(({ name, dtype, shape }) => ({
    name,
    dtype,
    shape,
    value: findParameter(parameters, name, dtype, shape),
    bytes: shape.reduce((a, b) => a * b, 1) * 4,
  }));
  const external = weights.reduce((total, { bytes }) => total + bytes, 0) > inline;
  const data = `${path}_data`;
  const initializers: OnnxInitializer[] = [];
  let offset = 0;
  for (const { name, dtype, shape, value, bytes } of weights) {
    const place = { location: data.split(/[\\/]/).at(-1)!, offset, length: bytes };
    initializers.push({ name, type: dtype, shape, data: external ? place : await weightBytes(files, value) });
    offset += bytes;
  }
  const graph = portable(lowered.graph, dimensions);
  if (external)
    await files.writeAtomic(
      data,
      (async function* () {
        for (const { value } of weights) yield await weightBytes(files, value);
      })(),
    );
  const all = { ...graph, initializers: [...graph.initializers, ...initializers] };
  const pieces = modelPieces(all, { '': portableOpset }, portableIr);
  await files.writeAtomic(
    path,
    (async function* () {
      yield* pieces;
    })(),
  );
  return { external };
}

/** The graph under plain names: the lowering's own prefixes of inputs, outputs and parameters taken off. */
function portable(graph: OnnxGraph, dimensions: Readonly<Record<string, string>>): OnnxGraph {
  const plain = (name: string) => name.replace(/^(?:in|out|param):/, '');
  const value = ({ name, type, shape }: OnnxValue): OnnxValue => ({
    name: plain(name),
    type,
    shape: shape.map((size) => (typeof size === 'string' ? (dimensions[size] ?? size) : size)),
  });
  const foreign = graph.nodes.find(({ domain }) => domain !== '');
  if (foreign !== undefined) throw new Error(`${foreign.type} of ${foreign.domain} is not one of ONNX's own ops`);
  return {
    ...graph,
    nodes: graph.nodes.map((node) => ({
      ...node,
      inputs: node.inputs.map(plain),
      outputs: node.outputs.map(plain),
    })),
    inputs: graph.inputs.map(value),
    outputs: graph.outputs.map(value),
  };
}

async function weightBytes(files: Files, { dtype, source }: ParameterValue): Promise<Uint8Array> {
  const bytes = isFileRange(source)
    ? await files.readRange(source.file, source.offset, source.bytes)
    : new Uint8Array(source.buffer, source.byteOffset, source.byteLength);
  if (dtype !== 'float16' && dtype !== 'bfloat16') return bytes;
  const aligned = bytes.byteOffset % 2 === 0 ? bytes : bytes.slice();
  const wide = widen(new Uint16Array(aligned.buffer, aligned.byteOffset, aligned.byteLength / 2), dtype);
  return new Uint8Array(wide.buffer);
}

// Running a file ---------------------------------------------------------------------------------------------------

export interface OnnxFileRequest {
  path: string;
  threads: number;
  /** Values of all inputs that the model may ask for; those it lacks are left out. */
  feeds: readonly WireValue[];
}

export interface OnnxFileReply {
  results?: readonly WireValue[];
  error?: string;
}

/** Runs a model file once, in a worker of its own; results by the names of its outputs. */
export function runOnnxFile(
  platform: Platform,
  path: string,
  feeds: readonly WireValue[],
  threads = 1,
): Promise<ReadonlyMap<string, { shape: readonly number[]; data: TypedArray }>> {
  const port = platform.spawn(workerUrl(import.meta.url, './onnx-file.worker'), { name: 'onnx file' });
  const failed = (cause: string) =>
    workError(`ONNX Runtime does not run this model: ${cause}`, { code: 'engine.onnx-file', file: path });
  return new Promise<ReadonlyMap<string, { shape: readonly number[]; data: TypedArray }>>((resolve, reject) => {
    port.onMessage((message) => {
      const { results, error } = message as OnnxFileReply;
      if (results === undefined) reject(failed(error ?? 'it gave no answer'));
      else resolve(new Map(results.map(({ name, shape, data }) => [name, { shape, data }])));
    });
    port.onFailure((error) => reject(failed(error.message)));
    port.post({ path, threads, feeds } satisfies OnnxFileRequest);
  }).finally(() => port.terminate());
}
