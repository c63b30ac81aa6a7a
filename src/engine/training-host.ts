/**
 * The worker's side of training on the CPU: the parameters' memory, fed to ONNX Runtime as views and written by it as such. The
 * first run after an update fetches gradients straight into place; later ones arrive beside them and are added. Tables that are
 * read by rows get the rows of every run added, and are emptied after the update.
 *
 * A run of several programs counts as a whole or not at all: until its last one has run, nothing is added to what was there.
 */
import type * as ort from 'onnxruntime-node';
import { ParameterMemory, type TrainedTensor } from './adamw.ts';
import type { WireValue } from './ort.ts';
import { gradientOutput, indicesOutput, type KeptGradient, rowsOutput } from './stages.ts';
import type { TrainingPart, UpdateOptions, UpdateResult } from './training.ts';

export type TensorMaker = new (type: 'float32', data: Float32Array, shape: readonly number[]) => ort.Tensor;

/** One training's parameters where they live: here in WebAssembly memories, in training-device.ts in a device's buffers. */
export interface TrainingState {
  /** Updates made so far. */
  step: number;
  /** Feeds of the trained parameters, by their names in the graph. */
  feeds(names: readonly string[]): Record<string, ort.Tensor>;
  /** Runs one program, and holds its gradients until they are kept or dropped; gives back the other outputs. */
  accumulate(
    session: ort.InferenceSession,
    feeds: Record<string, ort.Tensor>,
    gradients: readonly KeptGradient[],
  ): Promise<Record<string, ort.Tensor>>;
  /** Adds the gradients that are held to those of earlier runs. */
  keep(): Promise<void>;
  /** Forgets the gradients that are held. */
  drop(): void;
  /** Forgets all gradients. */
  forget(): void;
  update(options: UpdateOptions): Promise<UpdateResult>;
  read(part: TrainingPart | 'gradient', name: string): Promise<Float32Array>;
  write(part: TrainingPart, name: string, values: Float32Array): Promise<void>;
  close(): Promise<void>;
}

/** A tensor to train with the values that it starts from. */
export type StartingTensor = TrainedTensor & { readonly values: Float32Array };

/** What the programs of a run gave, in their order. */
const nothingHeld = () => ({
  /** Gradients that are in place, where there was nothing before. */
  fresh: new Set<string>(),
  /** Others, the first part of which lies beside the gradient. */
  beside: new Set<string>(),
  /** Further parts of those. */
  more: [] as { name: string; values: Float32Array }[],
  /** Of tables. */
  rows: [] as { name: string; ids: Int32Array; values: Float32Array }[],
});

export class HostTraining implements TrainingState {
  step = 0;
  private readonly Tensor: TensorMaker;
  private readonly memory: ParameterMemory;
  private readonly shapes: ReadonlyMap<string, readonly number[]>;
  /** Tables whose gradient arrives as rows. */
  private readonly tables: ReadonlySet<string>;
  /** The others, where the gradient holds something since the last update. */
  private readonly touched = new Set<string>();
  /** What the programs of one run gave. */
  private held = nothingHeld();

  constructor(Tensor: TensorMaker, tensors: readonly StartingTensor[]) {
    this.Tensor = Tensor;
    this.memory = new ParameterMemory(tensors, { incoming: true });
    for (const { name, values } of tensors) this.memory.weights(name).set(values);
    this.shapes = new Map(tensors.map(({ name, shape }) => [name, shape]));
    this.tables = new Set(tensors.filter(({ rows }) => rows).map(({ name }) => name));
  }

  feeds(names: readonly string[]): Record<string, ort.Tensor> {
    return Object.fromEntries(
      names.map((name) => [
        `param:${name}`,
        new this.Tensor('float32', this.memory.weights(name), this.shapes.get(name)!),
      ]),
    );
  }

  async accumulate(
    session: ort.InferenceSession,
    feeds: Record<string, ort.Tensor>,
    gradients: readonly KeptGradient[],
  ): Promise<Record<string, ort.Tensor>> {
    const { memory, shapes, tables, touched, held } = this;
    const fetches: Record<string, ort.Tensor | null> = Object.fromEntries(
      session.outputNames.map((name) => [name, null]),
    );
    const inPlace = gradients.filter(({ name, whole }) => whole && !tables.has(name) && !held.beside.has(name));
    for (const { name } of inPlace) {
      const place = touched.has(name) || held.fresh.has(name) ? memory.incoming(name) : memory.gradient(name);
      fetches[`out:${gradientOutput(name)}`] = new this.Tensor('float32', place, shapes.get(name)!);
    }
    const results = (await session.run(feeds, fetches)) as Record<string, ort.Tensor>;
    const again: string[] = [];
    for (const { name } of inPlace)
      if (touched.has(name)) held.beside.add(name);
      else if (held.fresh.has(name)) again.push(name);
      else held.fresh.add(name);
    memory.accumulate(1, again); // of this run both
    const placed = new Set(inPlace);
    const take = (output: string) => {
      const { data } = results[`out:${output}`]!;
      delete results[`out:${output}`];
      return data;
    };
    for (const gradient of gradients) {
      const { name, whole, lists } = gradient;
      if (whole) {
        const values = take(gradientOutput(name)) as Float32Array;
        if (tables.has(name)) held.rows.push({ name, ids: allRows(shapes.get(name)!), values });
        else if (!placed.has(gradient)) held.more.push({ name, values });
      }
      for (let list = 0; list < lists; list++) {
        const ids = take(indicesOutput(name, list)) as Int32Array;
        memory.requireRows(name, ids); // now, while nothing is added yet
        held.rows.push({ name, ids, values: take(rowsOutput(name, list)) as Float32Array });
      }
    }
    return results;
  }

  async keep(): Promise<void> {
    const { memory, touched, held } = this;
    for (const name of held.fresh) touched.add(name);
    memory.accumulate(1, held.beside);
    for (const { name, values } of held.more) {
      memory.incoming(name).set(values);
      memory.accumulate(1, [name]);
    }
    for (const { name, ids, values } of held.rows) memory.addRows(name, ids, values);
    this.drop();
  }

  drop(): void {
    this.held = nothingHeld();
  }

  forget(): void {
    this.touched.clear();
    this.memory.zeroGradients(this.tables);
  }

  async update({ learningRate, maxNorm, ...options }: UpdateOptions): Promise<UpdateResult> {
    const { memory, shapes, tables, touched } = this;
    memory.zeroGradients([...shapes.keys()].filter((name) => !touched.has(name) && !tables.has(name)));
    const gradientNorm = memory.gradientNorm();
    if (Number.isFinite(gradientNorm)) {
      this.step++;
      const gradientScale = clipFactor(gradientNorm, maxNorm);
      memory.adamw({ learningRate, ...options, gradientScale, step: this.step });
    }
    this.forget();
    return { gradientNorm, step: this.step };
  }

  async read(part: TrainingPart | 'gradient', name: string): Promise<Float32Array> {
    if (part === 'gradient' && !this.touched.has(name) && !this.tables.has(name))
      return new Float32Array(this.memory.gradient(name).length);
    return this.memory[part](name).slice();
  }

  async write(part: TrainingPart, name: string, values: Float32Array): Promise<void> {
    const { memory } = this;
    if (part === 'weights') memory.weights(name).set(values);
    else
      memory.loadMoments(
        name,
        part === 'first' ? values : memory.first(name),
        part === 'second' ? values : memory.second(name),
      );
  }

  async close(): Promise<void> {}
}

/** torch.nn.utils.clip_grad_norm_'s factor. */
export function clipFactor(gradientNorm: number, maxNorm: number | undefined): number {
  return maxNorm === undefined ? 1 : Math.min(1, maxNorm / (gradientNorm + 1e-6));
}

const allRows = ([height = 1]: readonly number[]) => Int32Array.from({ length: height }, (_, row) => row);

/** What `WireValue`s the outputs make, and the memory they hand over. */
export function wireValues(results: Readonly<Record<string, ort.Tensor>>): {
  value: WireValue[];
  transfer: ArrayBuffer[];
} {
  const value: WireValue[] = [];
  const transfer: ArrayBuffer[] = [];
  for (const [name, tensor] of Object.entries(results)) {
    const data = tensor.data as Float32Array<ArrayBuffer>;
    value.push({ name, dtype: tensor.type as WireValue['dtype'], shape: [...tensor.dims], data });
    transfer.push(data.buffer);
  }
  return { value, transfer };
}
