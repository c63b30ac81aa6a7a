/**
 * The worker that owns ONNX Runtime: it creates sessions, runs them one after another and hands the results over. Its
 * runs block this thread and no other.
 *
 * Parameters never travel through the model's protobuf. A range of a file whose stored type is the wanted one is named
 * as external data, so that ONNX Runtime maps the file; anything else is read, widened to float32 where it is a 16-bit
 * float, and handed over as a buffer beside the model.
 */
import { existsSync } from 'node:fs';
import { open, realpath } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';
import { parentPort } from 'node:worker_threads';
import * as ort from 'onnxruntime-node';
import { irVersion, lowerGraph, opsets } from './lowering.ts';
import { encodeModel, type OnnxInitializer } from './onnx.ts';
import type { CreateRequest, Reply, Request, RunRequest, TrainingRequest } from './ort.ts';
import { type FileRange, isFileRange, type ParameterValue, widen } from './parameters.ts';
import { DeviceTraining, type MakeSession } from './training-device.ts';
import {
  HostTraining,
  type StartingTensor,
  type TensorMaker,
  type TrainingState,
  wireValues,
} from './training-host.ts';

const sessions = new Map<number, ort.InferenceSession>();
const trainings = new Map<number, TrainingState>();

/** One request at a time, in order of arrival: a release never overtakes a run. */
let queue: Promise<void> = Promise.resolve();
parentPort!.on('message', (request: Request) => {
  queue = queue.then(async () => {
    try {
      const { value, transfer } = await handle(request);
      parentPort!.postMessage({ id: request.id, value } satisfies Reply, transfer);
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      parentPort!.postMessage({ id: request.id, error: message } satisfies Reply);
    }
  });
});

async function handle(request: Request): Promise<{ value: unknown; transfer: ArrayBuffer[] }> {
  switch (request.kind) {
    case 'backends':
      return { value: backends(), transfer: [] };
    case 'version':
      return { value: ort.env.versions.common, transfer: [] };
    case 'probe':
      return { value: await probeActivationLevels(), transfer: [] };
    case 'create':
      await create(request);
      return { value: undefined, transfer: [] };
    case 'run':
      return run(request);
    case 'release':
      await sessions.get(request.session)?.release();
      sessions.delete(request.session);
      return { value: undefined, transfer: [] };
    case 'train-open':
      await openTraining(request);
      return { value: undefined, transfer: [] };
    case 'train-run':
      return runTraining(request);
    case 'train-update':
      return { value: await training(request.training).update(request.options), transfer: [] };
    case 'train-forget':
      training(request.training).forget();
      return { value: undefined, transfer: [] };
    case 'train-read': {
      const value = await training(request.training).read(request.part, request.name);
      return { value, transfer: [value.buffer as ArrayBuffer] };
    }
    case 'train-write':
      await training(request.training).write(request.part, request.name, request.values);
      return { value: undefined, transfer: [] };
    case 'train-step': {
      const state = training(request.training);
      state.step = request.step ?? state.step;
      return { value: state.step, transfer: [] };
    }
    case 'train-close':
      await trainings.get(request.training)?.close();
      trainings.delete(request.training);
      return { value: undefined, transfer: [] };
  }
}

/** What can compute here. CUDA is named on every Linux, but its library is there only where the installer fetched it. */
function backends(): string[] {
  const home = dirname(createRequire(import.meta.url).resolve('onnxruntime-node/package.json'));
  const fetched = existsSync(
    join(home, 'bin', 'napi-v6', process.platform, process.arch, 'libonnxruntime_providers_cuda.so'),
  );
  return ort
    .listSupportedBackends()
    .filter(({ name, bundled }) => bundled || (name === 'cuda' && fetched))
    .map(({ name }) => name);
}

// Sessions ---------------------------------------------------------------------------------------------------------

async function create(request: CreateRequest): Promise<void> {
  const { session, graph, parameters, device, threads, staying = [], options } = request;
  const initializers: OnnxInitializer[] = [...graph.initializers];
  const externalData: { path: string; data: Uint8Array }[] = [];
  const folder = await commonFolder(parameters);
  for (const { name, dtype, value } of parameters) {
    const { source } = value;
    const data = { location: '', offset: 0, length: 0 };
    if (folder !== undefined && isFileRange(source)) {
      Object.assign(data, {
        location: basename(await realpath(source.file)),
        offset: source.offset,
        length: source.bytes,
      });
    } else {
      const bytes = await load(value);
      Object.assign(data, { location: `memory-${externalData.length}`, length: bytes.byteLength });
      externalData.push({ path: data.location, data: bytes });
    }
    initializers.push({ name: `param:${name}`, type: dtype, shape: value.shape, data });
  }
  const model = encodeModel({ ...graph, initializers }, opsets, irVersion);
  sessions.set(
    session,
    await ort.InferenceSession.create(model, {
      executionProviders: device === 'cpu' ? ['cpu'] : [device, 'cpu'],
      ...(staying.length === 0
        ? {}
        : { preferredOutputLocation: Object.fromEntries(staying.map((name) => [name, 'gpu-buffer' as const])) }),
      graphOptimizationLevel: 'all',
      intraOpNumThreads: threads,
      logSeverityLevel: 3,
      externalData,
      extra: {
        session: {
          ...(folder ? { model_external_initializers_file_folder_path: folder } : {}),
          // Threads that wait by spinning take the processor from tokenising and from whoever else computes.
          intra_op: { allow_spinning: '0' },
        },
        // Two fused kernels that are slower than their parts: Gelu has a vector kernel of its own, and the sum of two rows
        // before a norm takes four times as long inside SkipLayerNormalization as before LayerNormalization.
        optimization: { disable_specified_optimizers: 'BiasGeluFusion;SkipLayerNormFusion' },
      },
      ...options,
    }),
  );
}

/**
 * The folder of all parameters' files, where every parameter can be mapped from one; ONNX Runtime knows one folder a model,
 * refuses links that leave it, and maps nothing once a buffer is handed over beside the model.
 */
async function commonFolder(parameters: CreateRequest['parameters']): Promise<string | undefined> {
  const folders = new Set<string>();
  for (const { dtype, value } of parameters) {
    if (!isFileRange(value.source) || value.dtype !== dtype) return undefined;
    folders.add(dirname(await realpath(value.source.file)));
  }
  return folders.size === 1 ? [...folders][0] : undefined;
}

async function load({ dtype, source }: ParameterValue): Promise<Uint8Array> {
  const bytes = isFileRange(source)
    ? await readRange(source)
    : new Uint8Array(source.buffer, source.byteOffset, source.byteLength);
  if (dtype !== 'float16' && dtype !== 'bfloat16') return bytes;
  const aligned = bytes.byteOffset % 2 === 0 ? bytes : bytes.slice();
  const wide = widen(new Uint16Array(aligned.buffer, aligned.byteOffset, aligned.byteLength / 2), dtype);
  return new Uint8Array(wide.buffer);
}

async function readRange({ file, offset, bytes }: FileRange): Promise<Uint8Array> {
  const handle = await open(file, 'r');
  try {
    const buffer = new Uint8Array(bytes);
    for (let done = 0; done < bytes; ) {
      const { bytesRead } = await handle.read(buffer, done, Math.min(bytes - done, 1 << 30), offset + done);
      if (bytesRead === 0) throw new Error(`${file} ends before byte ${offset + bytes}`);
      done += bytesRead;
    }
    return buffer;
  } finally {
    await handle.close();
  }
}

/** Multiplies the largest unsigned by the largest signed bytes: 127 levels a side where the sum is exact, 63 where it saturates. */
async function probeActivationLevels(): Promise<127 | 63> {
  const size = 64;
  const bytes = new Uint8Array(size * size).fill(127);
  const model = encodeModel(
    {
      name: 'probe',
      nodes: [{ type: 'MatMulInteger', domain: '', inputs: ['a', 'b'], outputs: ['y'], attributes: {} }],
      initializers: [{ name: 'b', type: 'int8', shape: [size, size], data: bytes }],
      inputs: [{ name: 'a', type: 'uint8', shape: [size, size] }],
      outputs: [{ name: 'y', type: 'int32', shape: [size, size] }],
    },
    opsets,
    irVersion,
  );
  const session = await ort.InferenceSession.create(model, { intraOpNumThreads: 1 });
  const { y } = await session.run({ a: new ort.Tensor('uint8', new Uint8Array(size * size).fill(255), [size, size]) });
  await session.release();
  return (y!.data as Int32Array).every((sum) => sum === size * 255 * 127) ? 127 : 63;
}

// Runs -------------------------------------------------------------------------------------------------------------

async function run({ session, feeds }: RunRequest) {
  const owner = sessions.get(session);
  if (!owner) throw new Error('the program is closed');
  const inputs: Record<string, ort.Tensor> = {};
  for (const { name, dtype, data, shape } of feeds) inputs[name] = new ort.Tensor(dtype, data as never, shape);
  return wireValues(await owner.run(inputs));
}

// Training ---------------------------------------------------------------------------------------------------------

type TrainingRequestOf<K> = Extract<TrainingRequest, { kind: K }>;

async function openTraining({
  training: id,
  tensors,
  device,
  threads,
}: TrainingRequestOf<'train-open'>): Promise<void> {
  const loaded: StartingTensor[] = [];
  for (const { value, ...tensor } of tensors) {
    const bytes = await load(value);
    const aligned = bytes.byteOffset % 4 === 0 ? bytes : bytes.slice();
    loaded.push({
      ...tensor,
      values: new Float32Array(aligned.buffer, aligned.byteOffset, aligned.byteLength / 4),
    });
  }
  const Tensor = ort.Tensor as unknown as TensorMaker;
  if (device !== 'webgpu') trainings.set(id, new HostTraining(Tensor, loaded));
  else {
    const makeSession: MakeSession = (outputs, location) =>
      ort.InferenceSession.create(
        encodeModel(lowerGraph(outputs, { device, activationLevels: 127 }).graph, opsets, irVersion),
        {
          executionProviders: [device, 'cpu'],
          preferredOutputLocation: location,
          intraOpNumThreads: threads,
          logSeverityLevel: 3,
        },
      );
    trainings.set(id, await DeviceTraining.open(Tensor, makeSession, loaded));
  }
}

function training(id: number): TrainingState {
  const state = trainings.get(id);
  if (state === undefined) throw new Error('the training is closed');
  return state;
}

/** Runs the stages of a program; what one hands on stays here until the last that takes it has run. */
async function runTraining({ training: id, stages, feeds }: TrainingRequestOf<'train-run'>) {
  const state = training(id);
  const held = new Map<string, ort.Tensor>();
  for (const { name, dtype, data, shape } of feeds) held.set(name, new ort.Tensor(dtype, data as never, shape));
  const answer: Record<string, ort.Tensor> = {};
  try {
    for (const { session, inputs, trained, gradients, handed, dropped } of stages) {
      const owner = sessions.get(session);
      if (!owner) throw new Error('the program is closed');
      const taken = state.feeds(trained);
      for (const name of inputs) taken[`in:${name}`] = held.get(name)!;
      const results = gradients.length === 0 ? await owner.run(taken) : await state.accumulate(owner, taken, gradients);
      for (const name of dropped) {
        held.get(name)!.dispose(); // a device's buffer is no garbage that anybody collects
        held.delete(name);
      }
      for (const [output, tensor] of Object.entries(results)) {
        const name = output.slice('out:'.length);
        if (handed.includes(name)) held.set(name, tensor);
        else answer[name] = tensor;
      }
    }
    await state.keep();
  } finally {
    state.drop(); // where a stage failed, what those before it gave
    for (const tensor of held.values()) tensor.dispose();
  }
  return wireValues(answer);
}
