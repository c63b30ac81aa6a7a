/**
 * Engines compile graphs into programs and run them. One engine owns one worker; its programs share it and run one after
 * another, whoever asks. The reference engine computes in this thread.
 */
import { inputError } from '../base/errors.ts';
import type { Platform } from '../base/platform.ts';
import { checkLeaves, type FilledInput, fillInputs, Value } from './feeds.ts';
import { type Feeds, inOrder, isInput, isParameter, type Tensor } from './graph.ts';
import { type Device, lowerGraph } from './lowering.ts';
import { type NdArray, ndarray } from './ndarray.ts';
import { OrtWorker, type WireValue } from './ort.ts';
import { findParameter, isFileRange, type Parameters, type ParameterValue, widen } from './parameters.ts';
import { interpret, toValue } from './reference.ts';
import { packLinears } from './rewrite.ts';
import { openTraining, type TrainedParameter, type Training } from './training.ts';

export interface EngineOptions {
  /** `ort`: ONNX Runtime in a worker (default). `reference`: the float64 interpreter. */
  backend?: 'ort' | 'reference';
  /** `auto` takes CUDA where this installation has it, the CPU otherwise. Default `cpu`. */
  device?: Device | 'auto';
  /** Threads of one operation; the platform's processors by default. */
  threads?: number;
}

export interface CompileOptions {
  /** Values of the graph's parameters, by name. */
  parameters?: Parameters;
  /** More session options of ONNX Runtime (profiling, say); no part of the product's promises. */
  sessionOptions?: Readonly<Record<string, unknown>>;
}

export interface RunOptions {
  /**
   * Hands the feeds' memory over to the worker instead of copying it: the arrays are empty afterwards. Shared memory is
   * never copied nor emptied; it must stay as it is during the run.
   */
  transfer?: boolean;
}

export interface Program<Names extends string = string> {
  run(feeds?: Feeds, options?: RunOptions): Promise<Record<Names, Value>>;
  /** Frees the program's memory. */
  close(): Promise<void>;
}

export interface Engine {
  readonly backend: 'ort' | 'reference';
  readonly device: Device;
  readonly threads: number;
  /**
   * What computes, as far as values depend on it: the library with its version and, where `quantised`, how many levels of
   * 8-bit activations this processor multiplies exactly. The number of threads is no part of it: sums are never split.
   */
  arithmetic(options?: { quantised?: boolean }): Promise<string>;
  compile<Names extends string>(
    outputs: Readonly<Record<Names, Tensor>>,
    options?: CompileOptions,
  ): Promise<Program<Names>>;
  /** Parameters that change, held by this engine; not on the reference backend. */
  openTraining(parameters: readonly TrainedParameter[]): Promise<Training>;
  /** Frees everything; programs of this engine cannot run any more. */
  close(): Promise<void>;
}

export async function openEngine(
  platform: Platform,
  { backend = 'ort', device = 'cpu', threads = platform.processors }: EngineOptions = {},
): Promise<Engine> {
  if (!(Number.isInteger(threads) && threads >= 1))
    throw inputError('the number of threads is wrong', {
      code: 'engine.threads',
      field: 'threads',
      expected: 'a whole number from 1',
      found: String(threads),
    });
  if (backend === 'reference')
    return {
      backend,
      device: 'cpu',
      threads: 1,
      arithmetic: async () => 'reference',
      compile: (outputs, options) => compileReference(platform, outputs, options),
      openTraining: () =>
        Promise.reject(inputError('the reference backend does not train', { code: 'engine.training' })),
      close: async () => {},
    };
  const worker = new OrtWorker(platform);
  const chosen = await chooseDevice(worker, device);
  return {
    backend,
    device: chosen,
    threads,
    async arithmetic({ quantised = false } = {}) {
      const library = `onnxruntime ${await worker.version()}`;
      return quantised ? `${library}, ${await worker.activationLevels()} levels` : library;
    },
    compile: (outputs, options) => compileOrt(worker, outputs, chosen, threads, options),
    openTraining: (parameters) => openTraining(worker, chosen, threads, parameters),
    close: () => worker.close(),
  };
}

async function chooseDevice(worker: OrtWorker, device: Device | 'auto'): Promise<Device> {
  if (device === 'cpu') return device;
  const backends = (await worker.ask({ kind: 'backends' })) as string[];
  if (device === 'auto') return backends.includes('cuda') ? 'cuda' : 'cpu';
  if (backends.includes(device)) return device;
  await worker.close();
  throw inputError(`this installation cannot compute on ${device}`, {
    code: 'engine.device',
    field: 'device',
    expected: backends.join(', '),
    found: device,
    hint:
      device === 'cuda'
        ? 'install onnxruntime-node with ONNXRUNTIME_NODE_INSTALL=cuda12 (Linux, x64), or use --device cpu'
        : 'use --device cpu',
  });
}

// Programs ---------------------------------------------------------------------------------------------------------

function leavesOf(outputs: Readonly<Record<string, Tensor>>) {
  const order = inOrder(Object.values(outputs));
  return { inputs: checkLeaves(order.filter(isInput)), parameters: checkLeaves(order.filter(isParameter)) };
}

function parametersOf(outputs: Readonly<Record<string, Tensor>>, given: Parameters) {
  return leavesOf(outputs).parameters.map(({ attributes: { name }, dtype, shape }) => ({
    name,
    dtype,
    value: findParameter(given, name, dtype, shape as readonly number[]),
  }));
}

async function compileOrt(
  worker: OrtWorker,
  outputs: Readonly<Record<string, Tensor>>,
  device: Device,
  threads: number,
  { parameters = {}, sessionOptions = {} }: CompileOptions = {},
): Promise<Program> {
  const { inputs } = leavesOf(outputs);
  const values = parametersOf(outputs, parameters);
  const quantised = inOrder(Object.values(outputs)).some(({ op }) => op.name === 'linearInt8');
  const activationLevels = quantised ? await worker.activationLevels() : 127;
  const { graph } = lowerGraph(packLinears(outputs), { device, activationLevels });
  const session = worker.nextSession();
  await worker.ask({ kind: 'create', session, graph, parameters: values, device, threads, options: sessionOptions });
  let closed = false;
  return {
    async run(feeds = {}, { transfer = false } = {}) {
      if (closed) throw inputError('the program is closed', { code: 'engine.closed' });
      const filled = fillInputs(inputs, feeds);
      const wire = [...filled.values].map(([name, value]): WireValue => ({ name: `in:${name}`, ...value }));
      const buffers = transfer ? [...new Set(wire.map(({ data }) => data.buffer))].filter(isOwned) : [];
      const results = (await worker.ask({ kind: 'run', session, feeds: wire }, buffers)) as WireValue[];
      return Object.fromEntries(
        results.map(({ name, dtype, shape, data }) => [name.slice('out:'.length), new Value(dtype, shape, data)]),
      );
    },
    async close() {
      if (closed) return;
      closed = true;
      await worker.ask({ kind: 'release', session });
    },
  };
}

/** Shared memory is seen by the worker as it is. */
function isOwned(buffer: ArrayBufferLike): buffer is ArrayBuffer {
  return buffer instanceof ArrayBuffer;
}

async function compileReference(
  platform: Platform,
  outputs: Readonly<Record<string, Tensor>>,
  { parameters = {} }: CompileOptions = {},
): Promise<Program> {
  const { inputs } = leavesOf(outputs);
  const arrays = new Map<string, NdArray>();
  for (const { name, value } of parametersOf(outputs, parameters))
    arrays.set(name, ndarray(value.shape, await numbersOf(platform, value)));
  return {
    async run(feeds = {}) {
      const { values, dimensions } = fillInputs(inputs, feeds);
      const results = interpret(outputs, values as ReadonlyMap<string, FilledInput>, arrays, dimensions);
      return Object.fromEntries(
        Object.entries(results).map(([name, array]) => [name, toValue(outputs[name]!.dtype, array)]),
      );
    },
    close: async () => {},
  };
}

const readers: Record<ParameterValue['dtype'], (bytes: ArrayBuffer) => ArrayLike<number | bigint>> = {
  float32: (bytes) => new Float32Array(bytes),
  float16: (bytes) => widen(new Uint16Array(bytes), 'float16'),
  bfloat16: (bytes) => widen(new Uint16Array(bytes), 'bfloat16'),
  int32: (bytes) => new Int32Array(bytes),
  int64: (bytes) => new BigInt64Array(bytes),
  int8: (bytes) => new Int8Array(bytes),
  uint8: (bytes) => new Uint8Array(bytes),
  bool: (bytes) => new Uint8Array(bytes),
};

async function numbersOf(platform: Platform, { dtype, source }: ParameterValue): Promise<Float64Array> {
  const bytes = isFileRange(source)
    ? await platform.files.readRange(source.file, source.offset, source.bytes)
    : new Uint8Array(source.buffer, source.byteOffset, source.byteLength);
  return Float64Array.from(readers[dtype](bytes.slice().buffer) as ArrayLike<number>, Number);
}
