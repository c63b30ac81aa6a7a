/**
 * The worker's side of training: the parameters' memory, fed to ONNX Runtime as views and written by it as such. The first
 * run after an update fetches gradients straight into place; later ones arrive beside them and are added. Tables that are read
 * by rows get the rows of every run added, and are emptied after the update.
 */
import type * as ort from 'onnxruntime-node';
import { ParameterMemory, type TrainedTensor } from './adamw.ts';
import type { WireValue } from './ort.ts';
import { gradientOutput, indicesOutput, type KeptGradient, rowsOutput } from './stages.ts';
import type { TrainingPart, UpdateOptions, UpdateResult } from './training.ts';

type Part = TrainingPart | 'gradient';
type TensorMaker = new (type: 'float32', data: Float32Array, shape: readonly number[]) => ort.Tensor;

interface State {
  readonly memory: ParameterMemory;
  readonly shapes: ReadonlyMap<string, readonly number[]>;
  /** Tables whose gradient arrives as rows. */
  readonly tables: ReadonlySet<string>;
  /** The others, where the gradient holds something since the last update. */
  readonly touched: Set<string>;
  step: number;
}

export class TrainingHost {
  private readonly trainings = new Map<number, State>();
  private readonly Tensor: TensorMaker;

  constructor(Tensor: TensorMaker) {
    this.Tensor = Tensor;
  }

  open(training: number, tensors: readonly (TrainedTensor & { values: Float32Array })[]): void {
    const memory = new ParameterMemory(tensors, { incoming: true });
    for (const { name, values } of tensors) memory.weights(name).set(values);
    const shapes = new Map(tensors.map(({ name, shape }) => [name, shape]));
    const tables = new Set(tensors.filter(({ rows }) => rows).map(({ name }) => name));
    this.trainings.set(training, { memory, shapes, tables, touched: new Set(), step: 0 });
  }

  close(training: number): void {
    this.trainings.delete(training);
  }

  /** Feeds of the trained parameters, by their names in the graph. */
  feeds(training: number, names: readonly string[]): Record<string, ort.Tensor> {
    const { memory, shapes } = this.find(training);
    return Object.fromEntries(
      names.map((name) => [`param:${name}`, new this.Tensor('float32', memory.weights(name), shapes.get(name)!)]),
    );
  }

  /** Runs, and keeps the gradients; gives back the other outputs. */
  async accumulate(
    training: number,
    session: ort.InferenceSession,
    feeds: Record<string, ort.Tensor>,
    gradients: readonly KeptGradient[],
  ): Promise<Record<string, ort.Tensor>> {
    const { memory, shapes, tables, touched } = this.find(training);
    const fetches: Record<string, ort.Tensor | null> = Object.fromEntries(
      session.outputNames.map((name) => [name, null]),
    );
    const added: string[] = [];
    for (const { name, whole } of gradients) {
      if (tables.has(name) || !whole) continue;
      const place = touched.has(name) ? memory.incoming(name) : memory.gradient(name);
      fetches[`out:${gradientOutput(name)}`] = new this.Tensor('float32', place, shapes.get(name)!);
      if (touched.has(name)) added.push(name);
      touched.add(name);
    }
    const results = (await session.run(feeds, fetches)) as Record<string, ort.Tensor>;
    memory.accumulate(1, added);
    const take = (output: string) => {
      const { data } = results[`out:${output}`]!;
      delete results[`out:${output}`];
      return data;
    };
    for (const { name, whole, lists } of gradients) {
      if (whole) {
        const values = take(gradientOutput(name)) as Float32Array;
        if (tables.has(name)) memory.addRows(name, allRows(shapes.get(name)!), values);
      }
      for (let list = 0; list < lists; list++)
        memory.addRows(
          name,
          take(indicesOutput(name, list)) as Int32Array,
          take(rowsOutput(name, list)) as Float32Array,
        );
    }
    return results;
  }

  update(training: number, { learningRate, maxNorm, ...options }: UpdateOptions): UpdateResult {
    const state = this.find(training);
    const { memory, shapes, tables, touched } = state;
    memory.zeroGradients([...shapes.keys()].filter((name) => !touched.has(name) && !tables.has(name)));
    const gradientNorm = memory.gradientNorm();
    if (Number.isFinite(gradientNorm)) {
      // torch.nn.utils.clip_grad_norm_'s factor
      const gradientScale = maxNorm === undefined ? 1 : Math.min(1, maxNorm / (gradientNorm + 1e-6));
      state.step++;
      memory.adamw({ learningRate, ...options, gradientScale, step: state.step });
    }
    touched.clear();
    memory.zeroGradients(tables);
    return { gradientNorm, step: state.step };
  }

  read(training: number, part: Part, name: string): Float32Array {
    const state = this.find(training);
    if (part === 'gradient' && !state.touched.has(name) && !state.tables.has(name))
      return new Float32Array(state.memory.gradient(name).length);
    return view(state.memory, part, name).slice();
  }

  write(training: number, part: TrainingPart, name: string, values: Float32Array): void {
    const { memory } = this.find(training);
    if (part === 'weights') memory.weights(name).set(values);
    else
      memory.loadMoments(
        name,
        part === 'first' ? values : memory.first(name),
        part === 'second' ? values : memory.second(name),
      );
  }

  step(training: number, step?: number): number {
    const state = this.find(training);
    if (step !== undefined) state.step = step;
    return state.step;
  }

  private find(training: number): State {
    const state = this.trainings.get(training);
    if (state === undefined) throw new Error('the training is closed');
    return state;
  }
}

const allRows = ([height = 1]: readonly number[]) => Int32Array.from({ length: height }, (_, row) => row);

function view(memory: ParameterMemory, part: Part, name: string): Float32Array {
  if (part === 'weights') return memory.weights(name);
  if (part === 'gradient') return memory.gradient(name);
  return part === 'first' ? memory.first(name) : memory.second(name);
}

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
