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
 * Accumulation: the gradient kept is Σ weightᵢ · ∇lossᵢ over the runs since the last update, in the order of the runs. A run
 * that fails adds nothing, whichever of its programs it was.
 */
import { inputError } from '../base/errors.ts';
import { checkLeaves, fillInputs, Value } from './feeds.ts';
import { type Feeds, inOrder, isInput, isParameter, type Tensor } from './graph.ts';
import { type Device, lowerGraph } from './lowering.ts';
import type { OrtWorker, TrainingStage, WireValue } from './ort.ts';
import { findParameter, type Parameters, type ParameterValue } from './parameters.ts';
import { gradientOutput, planStages, type Stage, weightInput } from './stages.ts';

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
  /**
   * Recomputation: `accumulate` keeps of its forward pass these tensors only (float32, on the way to the loss) and computes the rest
   * again, segment by segment, on the way back. The memory of activations becomes that of the largest segment, for up to one more
   * forward pass. The states after each layer are what saves most. Default: everything is kept.
   */
  boundaries?: readonly Tensor[];
  /** Values of the parameters that are not trained. */
  parameters?: Parameters;
  /** More session options of ONNX Runtime (profiling, say). */
  sessionOptions?: Readonly<Record<string, unknown>>;
}

export interface TrainingProgram<Names extends string = string> {
  /** The outputs, as the parameters are now; gradients stay as they were. */
  run(feeds?: Feeds): Promise<Record<Names, Value>>;
  /** The same, and adds `weight` (default 1) times the gradient of the loss. */
  accumulate(feeds?: Feeds, options?: { weight?: number }): Promise<Record<Names, Value>>;
  close(): Promise<void>;
}

export interface Training {
  readonly parameters: readonly TrainedParameter[];
  compile<Names extends string>(
    outputs: Readonly<Record<Names, Tensor>>,
    options?: TrainingCompileOptions,
  ): Promise<TrainingProgram<Names>>;
  /** One AdamW step with the accumulated gradient, which is then forgotten. */
  update(options: UpdateOptions): Promise<UpdateResult>;
  /** Forgets the accumulated gradient without a step: of runs that were to make one together and did not all succeed. */
  forget(): Promise<void>;
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
  await worker.ask({ kind: 'train-open', training: id, tensors: parameters, device, threads });
  // A device's buffers take no rows: there a table has a gradient like any other parameter.
  const byRows = new Map(parameters.map(({ name, rows = false }) => [name, { rows: rows && device !== 'webgpu' }]));
  const open = new Set<number>(); // sessions of programs that are not closed
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
    async compile(
      outputs: Readonly<Record<string, Tensor>>,
      { loss, boundaries, parameters: frozen = {}, sessionOptions = {} } = {},
    ) {
      const forward = once(() => program([{ outputs, gradients: [], handed: [] }], frozen, sessionOptions));
      if (loss === undefined) {
        if (boundaries !== undefined) throw withoutLoss('boundaries');
        await forward.made();
        return {
          run: async (feeds = {}) => (await forward.made()).run(feeds),
          accumulate: () => {
            throw withoutLoss('loss');
          },
          close: forward.close,
        };
      }
      const scalar = outputs[loss];
      if (scalar === undefined || scalar.dtype !== 'float32' || scalar.shape.length > 0)
        throw inputError('the loss is not one number', {
          code: 'engine.training',
          field: loss,
          expected: 'the name of an output that is a float32 scalar',
          found: scalar === undefined ? 'no such output' : `${scalar.dtype} [${scalar.shape.join(', ')}]`,
        });
      const backward = await program(planStages(outputs, loss, byRows, boundaries), frozen, sessionOptions);
      return {
        // Made when it is first asked for: most programs with a loss never run without its gradient.
        run: async (feeds = {}) => (await forward.made()).run(feeds),
        accumulate: (feeds = {}, { weight = 1 } = {}) =>
          backward.run({ ...feeds, [weightInput]: { data: Float32Array.of(weight), shape: [] } }),
        async close() {
          await forward.close();
          await backward.close();
        },
      };
    },
    update: (options) => worker.ask({ kind: 'train-update', training: id, options }) as Promise<UpdateResult>,
    async forget() {
      await worker.ask({ kind: 'train-forget', training: id });
    },
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
      await release([...open]);
      await worker.ask({ kind: 'train-close', training: id });
    },
  };

  /** A chain of ONNX graphs; gradients among their outputs land in the parameters' memory. */
  async function program(
    stages: readonly Stage[],
    frozen: Parameters,
    options: Readonly<Record<string, unknown>>,
  ): Promise<{ run(feeds: Feeds): Promise<Record<string, Value>>; close(): Promise<void> }> {
    const handed = new Set(stages.flatMap((stage) => stage.handed));
    const leaves = stages.map((stage) => inOrder(Object.values(stage.outputs)).filter(isInput));
    const inputs = checkLeaves(leaves.flat().filter(({ attributes: { name } }) => !handed.has(name)));
    // A block planned for each shape of a batch takes more memory than its parts, and no less time. Of a chain each session
    // would keep the memory of its largest run for itself, all segments' together.
    const memory = { enableMemPattern: false, ...(stages.length > 1 ? { enableCpuMemArena: false } : {}) };
    const made: TrainingStage[] = [];
    for (const [at, stage] of stages.entries()) {
      const sizes = inputsOfSizes(stage, inputs);
      const wanted = new Set([...leaves[at]!, ...sizes].map(({ attributes: { name } }) => name));
      const later = new Set(leaves.slice(at + 1).flatMap((list) => list.map(({ attributes: { name } }) => name)));
      made.push({
        ...(await session(stage, sizes, frozen, { ...memory, ...options })),
        inputs: [...wanted],
        gradients: stage.gradients,
        handed: stage.handed,
        dropped: [...wanted].filter((name) => handed.has(name) && !later.has(name)),
      });
    }
    return {
      async run(feeds) {
        const { values } = fillInputs(inputs, feeds);
        const wire = [...values].map(([name, value]): WireValue => ({ name, ...value }));
        const results = (await worker.ask({
          kind: 'train-run',
          training: id,
          stages: made,
          feeds: wire,
        })) as WireValue[];
        return Object.fromEntries(results.map(({ name, dtype, shape, data }) => [name, new Value(dtype, shape, data)]));
      },
      close: () => release(made.map(({ session }) => session)),
    };
  }

  async function session(
    { outputs, gradients, handed }: Stage,
    sizes: readonly Tensor[],
    frozen: Parameters,
    options: Readonly<Record<string, unknown>>,
  ): Promise<{ session: number; trained: string[] }> {
    const all = checkLeaves(inOrder(Object.values(outputs)).filter(isParameter));
    const trained = new Set(all.map(({ attributes: { name } }) => name).filter((name) => byName.has(name)));
    const values = all
      .filter(({ attributes: { name } }) => !trained.has(name))
      .map(({ attributes: { name }, dtype, shape }) => ({
        name,
        dtype,
        value: findParameter(frozen, name, dtype, shape as readonly number[]),
      }));
    const { graph } = lowerGraph(outputs, { device, activationLevels: 127, trained, sizes });
    const staying = device === 'webgpu' ? [...handed, ...gradients.map(({ name }) => gradientOutput(name))] : [];
    const number = worker.nextSession();
    open.add(number);
    await worker.ask({
      kind: 'create',
      session: number,
      graph,
      parameters: values,
      device,
      threads,
      staying: staying.map((name) => `out:${name}`),
      options,
    });
    return { session: number, trained: [...trained] };
  }

  async function release(sessions: readonly number[]): Promise<void> {
    for (const session of sessions) if (open.delete(session)) await worker.ask({ kind: 'release', session });
  }
}

/** Of `inputs`, those that know the size of a named axis of the stage that none of its own inputs has. */
function inputsOfSizes<T extends Tensor>({ outputs }: Stage, inputs: readonly T[]): T[] {
  const order = inOrder(Object.values(outputs));
  const known = new Set(order.filter(isInput).flatMap(({ shape }) => shape));
  const missing = new Set(order.flatMap(({ shape }) => shape).filter((size) => !known.has(size)));
  const named = [...missing].filter((size) => typeof size === 'string');
  return [...new Set(named.flatMap((size) => inputs.find(({ shape }) => shape.includes(size)) ?? []))];
}

const withoutLoss = (field: string) =>
  inputError('the program was compiled without a loss', { code: 'engine.training', field });

/** Something made at its first use, and closed if it was made. */
function once<T extends { close(): Promise<void> }>(make: () => Promise<T>) {
  let one: Promise<T> | undefined;
  return {
    made() {
      one ??= make();
      return one;
    },
    async close() {
      await (await one)?.close();
    },
  };
}
