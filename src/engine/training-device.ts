/**
 * The worker's side of training on a device (WebGPU): weights, gradients and moments stay in its buffers, and the update is a
 * graph like any other (adamw-graph.ts), run once a parameter. Nothing but losses, the gradient's norm and what is read crosses over.
 *
 * A buffer's contents cannot be asked of the tensor that holds it (ONNX Runtime ends the process): values are moved both ways by
 * graphs that copy. The norm's squares are summed in float32; on the CPU they are in float64.
 */
import type * as ort from 'onnxruntime-node';
import { adamwGraph, adamwScalars, copyGraph, squaresGraph, sumGraph } from './adamw-graph.ts';
import type { Tensor } from './graph.ts';
import { gradientOutput, type KeptGradient } from './stages.ts';
import type { TrainingPart, UpdateOptions, UpdateResult } from './training.ts';
import { clipFactor, type StartingTensor, type TensorMaker, type TrainingState } from './training-host.ts';

type Tensors = Record<string, ort.Tensor>;
/** A session of a graph on the device, with its outputs where they are wanted. */
export type MakeSession = (
  outputs: Readonly<Record<string, Tensor>>,
  location: ort.Tensor.DataLocation,
) => Promise<ort.InferenceSession>;

export class DeviceTraining implements TrainingState {
  step = 0;
  private readonly Tensor: TensorMaker;
  private readonly makeSession: MakeSession;
  private readonly tensors: ReadonlyMap<string, { shape: readonly number[]; decay: boolean }>;
  private readonly parts: Record<TrainingPart | 'gradient', Map<string, ort.Tensor>>;
  private readonly sessions = new Map<string, ort.InferenceSession>();
  /** Gradients of the programs of one run, in their order. */
  private readonly held: { name: string; found: ort.Tensor }[] = [];

  static async open(
    Tensor: TensorMaker,
    makeSession: MakeSession,
    tensors: readonly StartingTensor[],
  ): Promise<DeviceTraining> {
    const training = new DeviceTraining(Tensor, makeSession, tensors);
    for (const { name, values } of tensors) {
      await training.write('weights', name, values);
      for (const part of ['first', 'second'] as const)
        await training.write(part, name, new Float32Array(values.length));
    }
    return training;
  }

  private constructor(Tensor: TensorMaker, makeSession: MakeSession, tensors: readonly StartingTensor[]) {
    this.Tensor = Tensor;
    this.makeSession = makeSession;
    this.tensors = new Map(tensors.map(({ name, shape, decay }) => [name, { shape, decay }]));
    this.parts = { weights: new Map(), gradient: new Map(), first: new Map(), second: new Map() };
  }

  feeds(names: readonly string[]): Tensors {
    return Object.fromEntries(names.map((name) => [`param:${name}`, this.parts.weights.get(name)!]));
  }

  async accumulate(
    session: ort.InferenceSession,
    feeds: Tensors,
    gradients: readonly KeptGradient[],
  ): Promise<Tensors> {
    const results = (await session.run(feeds)) as Tensors;
    for (const { name } of gradients) {
      const output = `out:${gradientOutput(name)}`;
      this.held.push({ name, found: results[output]! });
      delete results[output];
    }
    return results;
  }

  async keep(): Promise<void> {
    for (const { name, found } of this.held.splice(0)) {
      const kept = this.parts.gradient.get(name);
      if (kept === undefined) this.parts.gradient.set(name, found);
      else {
        const { y } = await this.run('sum', this.rank(name), { a: kept, b: found });
        found.dispose();
        this.replace('gradient', name, y!);
      }
    }
  }

  drop(): void {
    for (const { found } of this.held.splice(0)) found.dispose();
  }

  forget(): void {
    for (const tensor of this.parts.gradient.values()) tensor.dispose();
    this.parts.gradient.clear();
  }

  async update({ learningRate, maxNorm, ...options }: UpdateOptions): Promise<UpdateResult> {
    const { parts, tensors } = this;
    for (const [name, { shape }] of tensors)
      if (!parts.gradient.has(name))
        parts.gradient.set(name, await this.upload(shape, new Float32Array(shape.reduce((a, b) => a * b, 1))));
    const gradientNorm = Math.sqrt(await this.squares());
    if (Number.isFinite(gradientNorm)) {
      this.step++;
      const given = { learningRate, ...options, gradientScale: clipFactor(gradientNorm, maxNorm), step: this.step };
      const [decaying, other] = [true, false].map((decays) => this.scalars(adamwScalars(given, decays)));
      for (const [name, { decay }] of tensors) {
        const made = await this.run('adamw', this.rank(name), {
          ...Object.fromEntries(Object.entries(parts).map(([part, list]) => [part, list.get(name)!])),
          ...(decay ? decaying : other),
        });
        for (const part of ['weights', 'first', 'second'] as const) this.replace(part, name, made[part]!);
      }
    }
    this.forget();
    return { gradientNorm, step: this.step };
  }

  async read(part: TrainingPart | 'gradient', name: string): Promise<Float32Array> {
    const x = this.parts[part].get(name);
    const { shape } = this.tensors.get(name)!;
    if (x === undefined) return new Float32Array(shape.reduce((a, b) => a * b, 1));
    const { y } = await this.run('download', shape.length, { x });
    return (y!.data as Float32Array).slice();
  }

  async write(part: TrainingPart, name: string, values: Float32Array): Promise<void> {
    this.replace(part, name, await this.upload(this.tensors.get(name)!.shape, values));
  }

  async close(): Promise<void> {
    for (const list of Object.values(this.parts)) for (const tensor of list.values()) tensor.dispose();
    for (const session of this.sessions.values()) await session.release();
  }

  // Small programs ---------------------------------------------------------------------------------------------------

  private async run(kind: keyof typeof graphs, rank: number, inputs: Tensors): Promise<Tensors> {
    const key = `${kind} ${rank}`;
    const session = await this.session(key, graphs[kind](rank), kind === 'download' ? 'cpu' : 'gpu-buffer');
    const feeds = Object.fromEntries(Object.entries(inputs).map(([name, tensor]) => [`in:${name}`, tensor]));
    const results = (await session.run(feeds)) as Tensors;
    return Object.fromEntries(Object.entries(results).map(([name, tensor]) => [name.slice('out:'.length), tensor]));
  }

  /** Σ g² over all gradients. */
  private async squares(): Promise<number> {
    const y = squaresGraph([...this.tensors.values()].map(({ shape }) => shape));
    const session = await this.session('squares', { y }, 'cpu');
    const feeds = [...this.tensors.keys()].map((name, at) => [`in:${at}`, this.parts.gradient.get(name)!] as const);
    const results = (await session.run(Object.fromEntries(feeds))) as Tensors;
    return (results['out:y']!.data as Float32Array)[0]!;
  }

  private async session(key: string, outputs: Readonly<Record<string, Tensor>>, location: ort.Tensor.DataLocation) {
    const session = this.sessions.get(key) ?? (await this.makeSession(outputs, location));
    this.sessions.set(key, session);
    return session;
  }

  private async upload(shape: readonly number[], values: Float32Array): Promise<ort.Tensor> {
    return (await this.run('upload', shape.length, { x: new this.Tensor('float32', values, shape) })).y!;
  }

  private scalars(values: Readonly<Record<string, number>>): Tensors {
    return Object.fromEntries(
      Object.entries(values).map(([name, value]) => [name, new this.Tensor('float32', Float32Array.of(value), [])]),
    );
  }

  private replace(part: TrainingPart | 'gradient', name: string, tensor: ort.Tensor): void {
    this.parts[part].get(name)?.dispose();
    this.parts[part].set(name, tensor);
  }

  private rank(name: string): number {
    return this.tensors.get(name)!.shape.length;
  }
}

const graphs = {
  adamw: adamwGraph,
  sum: (rank: number) => ({ y: sumGraph(rank) }),
  upload: (rank: number) => ({ y: copyGraph(rank) }),
  download: (rank: number) => ({ y: copyGraph(rank) }),
} satisfies Record<string, (rank: number) => Record<string, Tensor>>;
