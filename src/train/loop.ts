/**
 * The training loop. It knows no task: it is given a function that computes the gradient of step t, and one that evaluates.
 *
 *   for t = 1 … steps:  gradient of batch t → clip to maxNorm → AdamW with learningRate · schedule(t)
 *
 * Which batch belongs to step t, and which random numbers, is the task's: a function of t alone. So the state is the
 * parameters, their moments and t, and a run that was killed goes on to the same bits (checkpoint.ts).
 *
 * A loss or gradient that is not finite changes nothing: the loop stops there, and the last good state stays.
 */
import { inputError, workError } from '../base/errors.ts';
import type { Files } from '../base/platform.ts';
import { type Progress, silent } from '../base/progress.ts';
import type { Training, UpdateOptions } from '../engine/index.ts';
import { StateFolder } from './checkpoint.ts';

/** What a step's gradient was computed from. */
export interface StepResult {
  /** Mean loss over the step's examples. */
  readonly loss: number;
  readonly examples: number;
  /** Tokens without padding. */
  readonly tokens: number;
}

export interface LoopTask {
  /** Accumulates the gradient of step t (from 1) on the training, a function of t alone. */
  accumulate(step: number): Promise<StepResult>;
  /** Scores the parameters as they are, by name; larger is better for `best`. */
  evaluate?(step: number): Promise<Readonly<Record<string, number>>>;
}

export interface LoopOptions extends Omit<UpdateOptions, 'learningRate'> {
  steps: number;
  learningRate: number;
  /** Factor of the learning rate at step t of 1 … steps (schedule.ts). Default: constant. */
  schedule?: (step: number) => number;
  /** Evaluates after every so many steps, and after the last. Default: the last only. */
  evaluateEvery?: number;
  /**
   * Gives the parameters back that had this score highest, the earliest of equals; stops where it has not grown for `patience`
   * evaluations in a row. A score that is no number counts as none.
   */
  best?: { score: string; patience?: number };
  /** Where the state is kept; without it nothing is, and a killed run begins anew. */
  folder?: string;
  /** Seconds between two states. Default 300. */
  saveSeconds?: number;
  /** Everything that a resumed run must share with its beginning. */
  settings?: unknown;
  progress?: Progress;
  label?: string;
  signal?: AbortSignal;
  /** Told of every step. */
  onStep?: (record: StepRecord) => void;
}

export interface StepRecord {
  readonly step: number;
  readonly loss: number;
  readonly learningRate: number;
  readonly gradientNorm: number;
  readonly examples: number;
  readonly tokens: number;
  readonly scores?: Readonly<Record<string, number>>;
}

export interface LoopResult {
  /** One record a step, those before a resumption included. */
  readonly records: readonly StepRecord[];
  /** The step whose parameters stand now. */
  readonly step: number;
  readonly stopped: 'end' | 'early' | 'aborted';
  /** The best evaluation so far. */
  readonly best?: { readonly step: number; readonly score: number };
  /** Steps that this call computed, and its seconds. */
  readonly computed: number;
  readonly seconds: number;
}

interface Memory {
  best?: { step: number; score: number } | undefined;
  /** Evaluations since the best one. */
  sinceBest: number;
}

export async function train(
  files: Files,
  training: Training,
  task: LoopTask,
  options: LoopOptions,
): Promise<LoopResult> {
  const {
    steps,
    learningRate,
    schedule = () => 1,
    evaluateEvery,
    best,
    folder,
    saveSeconds = 300,
    settings = {},
    progress = silent,
    label = 'train',
    signal,
    onStep,
    ...update
  } = options;
  if (!(Number.isInteger(steps) && steps >= 1))
    throw inputError('the number of steps is wrong', {
      code: 'train.steps',
      field: 'steps',
      expected: 'a whole number from 1',
      found: String(steps),
    });
  const started = performance.now();
  const state = folder === undefined ? undefined : new StateFolder(files, files.join(folder, 'state'), settings);
  const bestState = folder === undefined ? undefined : new StateFolder(files, files.join(folder, 'best'), settings);
  await training.forget(); // what a step that failed left
  const saved = await state?.restore(training);
  const memory: Memory = saved ? (saved.memory as Memory) : { sinceBest: 0 };
  const records: StepRecord[] = saved ? [...(saved.records as StepRecord[])] : [];
  const first = (saved ? saved.step : 0) + 1;
  let kept: Map<string, Float32Array> | undefined; // the best weights, where there is no folder

  const bar = progress.begin(label, { total: steps, unit: 'steps' });
  if (saved) bar.advance(saved.step, 'resumed');
  let lastSaved = performance.now();
  let stopped: LoopResult['stopped'] = 'end';
  let step = first - 1;
  let tokensSeen = 0;
  const save = async () => {
    await state?.save(training, memory, records);
    lastSaved = performance.now();
  };
  while (step < steps) {
    if (best?.patience !== undefined && memory.sinceBest >= best.patience) {
      stopped = 'early';
      break;
    }
    if (signal?.aborted) {
      stopped = 'aborted';
      break;
    }
    step++;
    const rate = learningRate * schedule(step);
    const { loss, examples, tokens } = await task.accumulate(step);
    const { gradientNorm } = Number.isFinite(loss)
      ? await training.update({ ...update, learningRate: rate })
      : { gradientNorm: Number.NaN };
    if (!Number.isFinite(gradientNorm)) {
      step--;
      await save();
      throw workError(`the training left the numbers at step ${step + 1}`, {
        code: 'train.finite',
        found: `a loss of ${loss}, a gradient of norm ${gradientNorm}`,
        hint: `use a smaller learning rate${state ? `; the parameters after step ${step} are kept in ${state.folder}` : ''}`,
      });
    }
    const isEvaluated =
      task.evaluate && (step === steps || (evaluateEvery !== undefined && step % evaluateEvery === 0));
    const scores = isEvaluated ? await task.evaluate!(step) : undefined;
    const record = { step, loss, learningRate: rate, gradientNorm, examples, tokens, ...(scores ? { scores } : {}) };
    records.push(record);
    onStep?.(record);
    if (best && scores) {
      const score = scores[best.score];
      if (score === undefined)
        throw inputError('the evaluation has no such score', {
          code: 'train.score',
          field: 'best',
          expected: Object.keys(scores).join(', '),
          found: best.score,
        });
      if (score > (memory.best?.score ?? Number.NEGATIVE_INFINITY)) {
        memory.best = { step, score };
        memory.sinceBest = 0;
        if (bestState) await bestState.save(training, {});
        else kept = await readWeights(training);
      } else memory.sinceBest++;
    }
    tokensSeen += tokens;
    bar.advance(1, describe(record, tokensSeen / ((performance.now() - started) / 1000)));
    if (performance.now() - lastSaved > saveSeconds * 1000) await save();
  }
  await save();
  if (stopped !== 'aborted' && memory.best !== undefined && memory.best.step !== step) {
    if (bestState) await bestState.restore(training);
    else if (kept) for (const [name, values] of kept) await training.write('weights', name, values);
    step = memory.best.step;
  }
  bar.finish();
  return {
    records,
    step,
    stopped,
    ...(memory.best === undefined ? {} : { best: memory.best }),
    computed: records.length - (first - 1),
    seconds: (performance.now() - started) / 1000,
  };
}

async function readWeights(training: Training): Promise<Map<string, Float32Array>> {
  const weights = new Map<string, Float32Array>();
  for (const { name } of training.parameters) weights.set(name, await training.read('weights', name));
  return weights;
}

/** Loss, rate and speed in a few words. */
function describe(record: StepRecord, tokensPerSecond: number): string {
  const scores = Object.entries(record.scores ?? {}).map(([name, value]) => `${name} ${value.toFixed(4)}`);
  return [
    `loss ${record.loss.toFixed(4)}`,
    `rate ${record.learningRate.toExponential(1)}`,
    `${Math.round(tokensPerSecond)} tokens/s`,
    ...scores,
  ].join(' · ');
}
