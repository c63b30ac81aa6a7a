/**
 * Training: parameters that live in the engine's worker, programs that compute gradients of them, and the AdamW step that
 * changes them (adamw.ts). Gradients are written where the optimiser reads them; only losses, norms and what a program's
 * outputs ask for come back, until weights are read.
 *
 *   const training = await engine.openTraining([{ name: 'w', shape: [3, 4], decay: true, value }]);
 *   const step = await training.compile({ loss }, { loss: 'loss', parameters: frozen });
 *   const { loss } = await step.accumulate({ x, y });        // adds the gradient of the loss to what is there
 *   const { gradientNorm } = await training.update({ learningRate: 1e-3, maxNorm: 1 });   // clips, steps, forgets it
 *
 * Computing gradients and applying them are two calls: between them others' gradients can be added. Several programs may
 * share the parameters (an evaluation's forward pass, the parts of a cached loss). A run sees the parameters as the last
 * update left them.
 *
 * Accumulation: the gradient kept is Σ weightᵢ · ∇lossᵢ over the runs since the last update, in the order of the runs.
 */
import { inputError } from '../base/errors.ts';
import { multiply } from './elementwise.ts';
import { checkLeaves, fillInputs, Value } from './feeds.ts';
import { rowGradients } from './gradients.ts';
import { type Feeds, inOrder, input, isInput, isParameter, type Tensor } from './graph.ts';
import { type Device, lowerGraph } from './lowering.ts';
import type { OrtWorker, WireValue } from './ort.ts';
import { findParameter, type Parameters, type ParameterValue } from './parameters.ts';

export interface TrainedParameter {
  readonly name: string;
  readonly shape: readonly number[];
  /** Weight decay acts on it; norms and biases go without. */
  readonly decay: boolean;
  /**
   * A table that is read by `gather`: its gradient comes as the rows that a batch met, never as a whole table. The same
   * numbers, sooner where the table is large. Default false.
   */
  readonly rows?: boolean;
  readonly value: ParameterValue;
}

export interface UpdateOptions {
  learningRate: number;
  /** Gradients are scaled down to this global norm where it is larger. Default: never. */
  maxNorm?: number;
  /** Default 0.9, 0.999, 1e-8, 0.01: torch.optim.AdamW's. */
  beta1?: number;
  beta2?: number;
  epsilon?: number;
  weightDecay?: number;
}

export interface UpdateResult {
  /** Of the accumulated gradient, before clipping. Not finite: nothing was changed but the gradient, which is forgotten. */
  readonly gradientNorm: number;
  /** Updates made so far, this one counted if it was made. */
  readonly step: number;
}

/** What a parameter consists of: its values, and AdamW's first and second moments. */
export type TrainingPart = 'weights' | 'first' | 'second';

export interface TrainingCompileOptions {
  /** Which output is the loss, a float32 scalar: `accumulate` needs one. */
  loss?: string;
  /** Values of the parameters that are not trained. */
  parameters?: Parameters;
  /** More session options of ONNX Runtime (profiling, say). */
  sessionOptions?: Readonly<Record<string, unknown>>;
}

export interface TrainingProgram {
  /** The outputs, as the parameters are now; gradients stay as they were. */
  run(feeds?: Feeds): Promise<Record<string, Value>>;
  /** The same, and adds `weight` (default 1) times the gradient of the loss. */
  accumulate(feeds?: Feeds, options?: { weight?: number }): Promise<Record<string, Value>>;
  close(): Promise<void>;
}

export interface Training {
  readonly parameters: readonly TrainedParameter[];
  compile(outputs: Readonly<Record<string, Tensor>>, options?: TrainingCompileOptions): Promise<TrainingProgram>;
  /** One AdamW step with the accumulated gradient, which is then forgotten. */
  update(options: UpdateOptions): Promise<UpdateResult>;
  /** A copy. */
  read(part: TrainingPart, name: string): Promise<Float32Array>;
  write(part: TrainingPart, name: string, values: Float32Array): Promise<void>;
  /** A copy of the accumulated gradient. */
  readGradient(name: string): Promise<Float32Array>;
  /** Updates made so far; set when a run is resumed. */
  step(): Promise<number>;
  setStep(step: number): Promise<void>;
  /** Frees parameters and programs. */
  close(): Promise<void>;
}

/** The scale of the loss in the program of `accumulate`. */
const weightInput = 'gradient weight';

export async function openTraining(
  worker: OrtWorker,
  device: Device,
  threads: number,
  parameters: readonly TrainedParameter[],
): Promise<Training> {
  const byName = new Map(parameters.map((parameter) => [parameter.name, parameter]));
  if (byName.size < parameters.length)
    throw inputError('two trained parameters have one name', { code: 'engine.training' });
  for (const { name, shape, value } of parameters) findParameter({ [name]: value }, name, 'float32', shape);
  const id = worker.nextSession();
  await worker.ask({ kind: 'train-open', training: id, tensors: parameters });
  const known = (name: string) => {
    if (!byName.has(name))
      throw inputError(`'${name}' is not trained`, {
        code: 'engine.training',
        field: name,
        expected: 'the name of a trained parameter',
        found: name,
      });
    return name;
  };

  return {
    parameters,
    async compile(outputs, { loss, parameters: frozen = {}, sessionOptions = {} } = {}) {
      const forward = await session(outputs, [], frozen, sessionOptions);
      if (loss === undefined)
        return {
          run: (feeds = {}) => forward.run('run', feeds),
          accumulate: () => {
            throw inputError('the program was compiled without a loss', { code: 'engine.training', field: 'loss' });
          },
          close: forward.close,
        };
      const scalar = outputs[loss];
      if (scalar === undefined || scalar.dtype !== 'float32' || scalar.shape.length > 0)
        throw inputError('the loss is not one number', {
          code: 'engine.training',
          field: loss,
          expected: 'the name of an output that is a float32 scalar',
          found: scalar === undefined ? 'no such output' : `${scalar.dtype} [${scalar.shape.join(', ')}]`,
        });
      const leaves = new Map(
        inOrder([scalar])
          .filter(isParameter)
          .filter(({ attributes: { name } }) => byName.has(name))
          .map((leaf) => [leaf.attributes.name, leaf]),
      );
      const { outputs: made, kept } = gradientOutputs(
        multiply(scalar, input(weightInput, 'float32', [])),
        leaves,
        byName,
      );
      const backward = await session({ ...outputs, ...made }, kept, frozen, sessionOptions);
      return {
        run: (feeds = {}) => forward.run('run', feeds),
        accumulate: (feeds = {}, { weight = 1 } = {}) =>
          backward.run('accumulate', {
            ...feeds,
            [weightInput]: { data: Float32Array.of(weight), shape: [] },
          }),
        async close() {
          await forward.close();
          await backward.close();
        },
      };
    },
    update: (options) => worker.ask({ kind: 'train-update', training: id, options }) as Promise<UpdateResult>,
    read: (part, name) =>
      worker.ask({ kind: 'train-read', training: id, part, name: known(name) }) as Promise<Float32Array>,
    readGradient: (name) =>
      worker.ask({ kind: 'train-read', training: id, part: 'gradient', name: known(name) }) as Promise<Float32Array>,
    async write(part, name, values) {
      const size = byName.get(known(name))!.shape.reduce((a, b) => a * b, 1);
      if (values.length !== size)
        throw inputError('the values do not fit the parameter', {
          code: 'engine.training',
          field: name,
          expected: `${size} values`,
          found: String(values.length),
        });
      await worker.ask({ kind: 'train-write', training: id, part, name, values });
    },
    step: () => worker.ask({ kind: 'train-step', training: id }) as Promise<number>,
    async setStep(step) {
      await worker.ask({ kind: 'train-step', training: id, step });
    },
    async close() {
      await worker.ask({ kind: 'train-close', training: id });
    },
  };

  /** One ONNX graph; gradients among its outputs land in the parameters' memory. */
  async function session(
    outputs: Readonly<Record<string, Tensor>>,
    kept: readonly KeptGradient[],
    frozen: Parameters,
    options: Readonly<Record<string, unknown>>,
  ) {
    const order = inOrder(Object.values(outputs));
    const inputs = checkLeaves(order.filter(isInput));
    const all = checkLeaves(order.filter(isParameter));
    const trained = new Set(all.map(({ attributes: { name } }) => name).filter((name) => byName.has(name)));
    const values = all
      .filter(({ attributes: { name } }) => !trained.has(name))
      .map(({ attributes: { name }, dtype, shape }) => ({
        name,
        dtype,
        value: findParameter(frozen, name, dtype, shape as readonly number[]),
      }));
    const { graph } = lowerGraph(outputs, { device, activationLevels: 127, trained });
    const number = worker.nextSession();
    await worker.ask({ kind: 'create', session: number, graph, parameters: values, device, threads, options });
    return {
      async run(kind: 'run' | 'accumulate', feeds: Feeds): Promise<Record<string, Value>> {
        const { values: filled } = fillInputs(inputs, feeds);
        const wire = [...filled].map(([name, value]): WireValue => ({ name: `in:${name}`, ...value }));
        const results = (await worker.ask({
          kind: 'train-run',
          training: id,
          session: number,
          feeds: wire,
          trained: [...trained],
          gradients: kind === 'accumulate' ? kept : [],
        })) as WireValue[];
        return Object.fromEntries(
          results.map(({ name, dtype, shape, data }) => [name.slice('out:'.length), new Value(dtype, shape, data)]),
        );
      },
      async close() {
        await worker.ask({ kind: 'release', session: number });
      },
    };
  }
}

/** How the gradient of a parameter comes out of a program. */
export interface KeptGradient {
  readonly name: string;
  /** As a whole, in the output `gradientOutput(name)`. */
  readonly whole: boolean;
  /** So many lists of rows, in `rowsOutput(name, i)`, to be added at `indicesOutput(name, i)`. */
  readonly lists: number;
}

export const gradientOutput = (name: string) => `gradient of ${name}`;
export const rowsOutput = (name: string, list: number) => `gradient rows ${list} of ${name}`;
export const indicesOutput = (name: string, list: number) => `gradient indices ${list} of ${name}`;

/** The outputs that hold the gradient of `loss` by each of `leaves`. */
function gradientOutputs(
  loss: Tensor,
  leaves: ReadonlyMap<string, Tensor>,
  trained: ReadonlyMap<string, TrainedParameter>,
): { outputs: Record<string, Tensor>; kept: KeptGradient[] } {
  const names = [...leaves.keys()];
  const found = rowGradients(
    loss,
    names.map((name) => leaves.get(name)!),
    (table) => isParameter(table) && trained.get(table.attributes.name)?.rows === true,
  );
  const outputs: Record<string, Tensor> = {};
  const kept = found.map(({ rows, dense }, i): KeptGradient => {
    const name = names[i]!;
    if (dense !== undefined) outputs[gradientOutput(name)] = dense;
    rows.forEach((list, at) => {
      outputs[rowsOutput(name, at)] = list.rows;
      outputs[indicesOutput(name, at)] = list.indices;
    });
    return { name, whole: dense !== undefined, lists: rows.length };
  });
  return { outputs, kept };
}
