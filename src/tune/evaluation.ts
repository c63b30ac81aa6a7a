/**
 * Evaluation around a fine-tuning: the validation part every so many steps, for early stopping and the choice of the
 * parameters that are kept; and the model before and after on the test part (the validation part where nothing is tested),
 * computed once, printed at the end and never chosen on. Differences are paired by query; families are resampled together.
 * The interval is that of this checkpoint: another seed of the training is not in it.
 */
import { inputError } from '../base/errors.ts';
import type { Platform } from '../base/platform.ts';
import type { Progress } from '../base/progress.ts';
import { testPart, validationPart } from '../corpus/splits.ts';
import { comparePairs, type Estimate, estimateMeans, type Verdict } from '../metrics/index.ts';
import { loadModel } from '../model/index.ts';
import type { ModelParts } from '../model/load.ts';
import type { LoadModelOptions } from '../model/types.ts';
import { openMatrixProduct } from '../retrieve/matrix-product.ts';
import {
  type EncodeSequences,
  type HeldOut,
  type HeldOutOptions,
  heldOut,
  openScorer,
  type Scorer,
} from './held-out.ts';

export interface EvaluationOptions {
  /** Steps between two evaluations on the validation part. Default: none; a tenth of the steps where `patience` is given. */
  every?: number;
  /** Stops after so many evaluations without a better one. Default: never. */
  patience?: number;
  /** Most documents of a part that are looked at. Default 2000. */
  documents?: number;
}

export interface ValidationSummary {
  metric: HeldOut['metric'];
  /** What was scored, in one sentence. */
  statement: string;
  every: number;
  /** Score of the model before training. */
  start: number;
  scores: { step: number; score: number }[];
  /** Whose parameters were kept. */
  best: { step: number; score: number };
  stoppedEarly: boolean;
}

/** The model after training against the model before, on what neither was chosen on. */
export interface HeldOutComparison {
  part: HeldOut['part'];
  metric: HeldOut['metric'];
  statement: string;
  /** Queries or pairs. */
  count: number;
  start: Estimate;
  trained: Estimate;
  difference: number;
  lower: number;
  upper: number;
  p: number;
  verdict: Verdict;
}

interface EvaluationPlan {
  readonly every?: number;
  readonly validation?: HeldOut;
  readonly final?: HeldOut;
  /** What cannot be scored, and why. */
  readonly missing: readonly string[];
}

/** How often a validation part is looked at; undefined: not at all. */
export function evaluationSteps({ every, patience }: EvaluationOptions, steps: number): number | undefined {
  for (const [field, value] of Object.entries({ every, patience }))
    if (value !== undefined && !(Number.isInteger(value) && value >= 1))
      throw inputError('a training cannot be evaluated with this setting', {
        code: 'finetune.evaluation',
        field,
        expected: 'a whole number from 1',
        found: String(value),
      });
  if (every !== undefined && every > steps)
    throw inputError('the training is shorter than the steps between two evaluations', {
      code: 'finetune.evaluation',
      field: 'every',
      expected: `at most ${steps} steps`,
      found: String(every),
    });
  return every ?? (patience === undefined ? undefined : Math.max(1, Math.ceil(steps / 10)));
}

/** What can be scored. Throws `finetune.validation` where training is to be evaluated and the part gives nothing. */
export async function planEvaluation(
  sources: Omit<HeldOutOptions, 'part'>,
  every: number | undefined,
): Promise<EvaluationPlan> {
  const missing: string[] = [];
  const found = async (part: HeldOut['part']) => {
    const task = await heldOut({ ...sources, part });
    if (typeof task !== 'string') return task;
    missing.push(task);
    return undefined;
  };
  const validation = every === undefined ? undefined : await found('validation');
  if (every !== undefined && validation === undefined)
    throw inputError('there is nothing to evaluate the training on', {
      code: 'finetune.validation',
      field: 'evaluation',
      expected: 'a validation part with citations or pairs of its own',
      found: missing.join('; '),
      hint: 'Train without evaluation, or on a larger corpus.',
    });
  const { part } = sources.split;
  const final = part.includes(testPart)
    ? await found('test')
    : (validation ?? (part.includes(validationPart) ? await found('validation') : undefined));
  return {
    ...(every === undefined ? {} : { every }),
    ...(validation === undefined ? {} : { validation }),
    ...(final === undefined ? {} : { final }),
    missing,
  };
}

interface OpenEvaluation {
  /** Of the model before training, on the validation part. */
  readonly start: number | undefined;
  /** The validation score of the model behind `encode`. */
  score(encode: EncodeSequences): Promise<number>;
  compare(encode: EncodeSequences): Promise<HeldOutComparison | undefined>;
  close(): Promise<void>;
}

/** Tokenises what is held out and scores the model as it is before training. */
export async function openEvaluation(
  platform: Platform,
  parts: ModelParts,
  { validation, final }: EvaluationPlan,
  { seed, progress, ...machine }: Pick<LoadModelOptions, 'threads' | 'device'> & { seed: number; progress: Progress },
): Promise<OpenEvaluation> {
  const product = await openMatrixProduct(platform, machine.threads === undefined ? {} : { threads: machine.threads });
  try {
    const open = async (task: HeldOut | undefined) => task && openScorer(platform, parts, task, { product });
    const scorer = await open(validation);
    const finalScorer = final === validation ? scorer : await open(final);
    const before = new Map<Scorer, Float64Array>();
    const task = progress.begin('before training', { unit: 'parts' });
    const { id, folder, maxLength } = parts;
    const untrained = await loadModel(platform, folder, { id, maxLength, ...machine });
    try {
      const encode: EncodeSequences = (ids, promptTokens) => untrained.encode(ids, { promptTokens });
      for (const one of new Set([scorer, finalScorer]))
        if (one !== undefined) {
          before.set(one, await one.score(encode));
          task.advance();
        }
    } finally {
      await untrained.close();
    }
    task.finish();
    return {
      start: scorer && meanOf(before.get(scorer)!),
      async score(encode) {
        if (scorer === undefined) throw new Error('there is no validation part');
        return meanOf(await scorer.score(encode));
      },
      compare: async (encode) =>
        finalScorer && compared(finalScorer.heldOut, before.get(finalScorer)!, await finalScorer.score(encode), seed),
      close: () => product.close(),
    };
  } catch (error) {
    await product.close();
    throw error;
  }
}

function compared(
  { part, metric, statement, count, clusters }: HeldOut,
  before: Float64Array,
  after: Float64Array,
  seed: number,
): HeldOutComparison {
  const [start, trained] = estimateMeans([before, after], clusters, { seed });
  const [pair] = comparePairs({ systems: ['trained', 'start'], values: [after, before], clusters, metric, seed });
  const { difference, lower, upper, p, verdict } = pair!;
  return { part, metric, statement, count, start: start!, trained: trained!, difference, lower, upper, p, verdict };
}

function meanOf(values: Float64Array): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
