/** The main thread's side of the ONNX Runtime worker: requests with ids, answers as promises. */
import { inputError, memoryError, workError } from '../base/errors.ts';
import { type Platform, type WorkerPort, workerUrl } from '../base/platform.ts';
import type { DataType, TypedArray } from './graph.ts';
import type { Device } from './lowering.ts';
import type { OnnxGraph } from './onnx.ts';
import type { ParameterValue } from './parameters.ts';
import type { KeptGradient } from './stages.ts';
import type { TrainedParameter, TrainingPart, UpdateOptions } from './training.ts';

export interface WireValue {
  name: string;
  dtype: DataType;
  shape: readonly number[];
  data: TypedArray;
}

export interface CreateRequest {
  id: number;
  kind: 'create';
  session: number;
  graph: OnnxGraph;
  parameters: readonly { name: string; dtype: DataType; value: ParameterValue }[];
  device: Device;
  threads: number;
  /** Outputs that stay in the device's buffers. Default: none. */
  staying?: readonly string[];
  /** More session options of ONNX Runtime, as its binding takes them. */
  options: Readonly<Record<string, unknown>>;
}

export interface RunRequest {
  id: number;
  kind: 'run';
  session: number;
  feeds: readonly WireValue[];
}

export type Request =
  | CreateRequest
  | RunRequest
  | { id: number; kind: 'release'; session: number }
  | { id: number; kind: 'backends' }
  | { id: number; kind: 'version' }
  | { id: number; kind: 'probe' }
  | TrainingRequest;

/** One session of a training program (stages.ts). */
export interface TrainingStage {
  session: number;
  /** What the graph takes: feeds, and outputs that earlier stages handed on. */
  inputs: readonly string[];
  /** The parameters that it takes from the training's memory. */
  trained: readonly string[];
  gradients: readonly KeptGradient[];
  /** Outputs that stay in the worker as inputs of later stages. */
  handed: readonly string[];
  /** Handed values that no stage after this one takes. */
  dropped: readonly string[];
}

/** Requests of training.ts. */
export type TrainingRequest =
  | {
      id: number;
      kind: 'train-open';
      training: number;
      tensors: readonly TrainedParameter[];
      device: Device;
      threads: number;
    }
  | {
      id: number;
      kind: 'train-run';
      training: number;
      /** Run one after another. */
      stages: readonly TrainingStage[];
      feeds: readonly WireValue[];
    }
  | { id: number; kind: 'train-update'; training: number; options: UpdateOptions }
  | { id: number; kind: 'train-forget'; training: number }
  | { id: number; kind: 'train-read'; training: number; part: TrainingPart | 'gradient'; name: string }
  | { id: number; kind: 'train-write'; training: number; part: TrainingPart; name: string; values: Float32Array }
  | { id: number; kind: 'train-step'; training: number; step?: number }
  | { id: number; kind: 'train-close'; training: number };

export interface Reply {
  id: number;
  value?: unknown;
  error?: string;
}

type RequestBody = Request extends infer R ? (R extends Request ? Omit<R, 'id'> : never) : never;

/** What ONNX Runtime said, as an error of ours. */
function failure(message: string): Error {
  const memory = memoryError(new Error(message));
  if (memory !== undefined) return memory;
  if (!message.includes('WebGPU adapter'))
    return workError(`the engine failed: ${message}`, { code: 'engine.runtime' });
  return inputError('this machine has no device for WebGPU', {
    code: 'engine.device',
    field: 'device',
    expected: 'a graphics card with a Vulkan, Metal or Direct3D 12 driver',
    found: 'none',
    hint: 'use --device cpu',
    cause: new Error(message),
  });
}

export class OrtWorker {
  private readonly port: WorkerPort;
  private readonly waiting = new Map<number, { resolve: (value: unknown) => void; reject: (error: Error) => void }>();
  private failure: Error | undefined;
  private levels: Promise<number> | undefined;
  private count = 0;
  private sessions = 0;

  constructor(platform: Platform) {
    this.port = platform.spawn(workerUrl(import.meta.url, './ort.worker'), { name: 'engine' });
    this.port.onMessage((message) => {
      const { id, value, error } = message as Reply;
      const waiter = this.waiting.get(id);
      this.waiting.delete(id);
      if (error === undefined) waiter?.resolve(value);
      else waiter?.reject(failure(error));
    });
    this.port.onFailure((cause) =>
      this.fail(workError(`the engine's worker died: ${cause.message}`, { code: 'engine.worker', cause })),
    );
  }

  /** A number for a new session. */
  nextSession(): number {
    return this.sessions++;
  }

  /** Levels of 8-bit activations on each side of zero that this machine multiplies exactly (quantised.ts). */
  activationLevels(): Promise<number> {
    this.levels ??= this.ask({ kind: 'probe' }) as Promise<number>;
    return this.levels;
  }

  /** Version of ONNX Runtime. */
  version(): Promise<string> {
    return this.ask({ kind: 'version' }) as Promise<string>;
  }

  ask(request: RequestBody, transfer: readonly ArrayBuffer[] = []): Promise<unknown> {
    if (this.failure) return Promise.reject(this.failure);
    const id = this.count++;
    return new Promise((resolve, reject) => {
      this.waiting.set(id, { resolve, reject });
      this.port.post({ ...request, id }, transfer);
    });
  }

  /** Ends the worker; whoever still waits is told. */
  async close(): Promise<void> {
    const alive = this.failure === undefined;
    this.fail(workError('the engine is closed', { code: 'engine.closed' }));
    // Ended while it loads the native library or makes a session, the thread would take the whole process along.
    if (alive) await this.lastAnswer();
    await this.port.terminate();
  }

  /** Resolves when the worker has done all it was asked to, or has died. */
  private lastAnswer(): Promise<unknown> {
    const id = this.count++;
    return new Promise((resolve) => {
      this.waiting.set(id, { resolve, reject: resolve });
      this.port.post({ id, kind: 'backends' } satisfies Request);
    });
  }

  private fail(error: Error): void {
    this.failure ??= error;
    for (const { reject } of this.waiting.values()) reject(error);
    this.waiting.clear();
  }
}
