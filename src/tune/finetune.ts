/**
 * Fine-tuning from a corpus to a checkpoint: split → pairs of a recipe (and hard negatives) → leakage audit → training, with
 * the validation part looked at on the way → checkpoint → proof (`proof.ts`) → before and after on the test part.
 *
 * While it trains, `<out>.training` holds what a killed run goes on from, and the checkpoint until it is proven; `out` comes
 * into being in one move at the end, and the other folder goes.
 */
import { inputError } from '../base/errors.ts';
import type { Platform } from '../base/platform.ts';
import { type Progress, silent } from '../base/progress.ts';
import { withValidation } from '../corpus/carve.ts';
import { loadRelations } from '../corpus/relations.ts';
import { type SplitOptions, splitCorpus } from '../corpus/splits.ts';
import type { Corpus } from '../corpus/store.ts';
import { loadTextPrints } from '../corpus/text-prints.ts';
import { type Device, openEngine } from '../engine/index.ts';
import { createAdapter, type LoraOptions } from '../model/lora.ts';
import { freeFolder } from '../model/save.ts';
import { createTinyModel, type TinyOptions } from '../model/tiny.ts';
import { openTrainable } from '../model/trainable.ts';
import { withAdapter } from '../model/trainable-lora.ts';
import { type LoopTask, type StepRecord, train } from '../train/loop.ts';
import { type ScheduleOptions, schedule } from '../train/schedule.ts';
import { contrastiveTask } from './contrastive.ts';
import {
  type EvaluationOptions,
  evaluationSteps,
  type HeldOutComparison,
  openEvaluation,
  planEvaluation,
  type ValidationSummary,
} from './evaluation.ts';
import { type HardNegativeOptions, hardNegatives } from './hard-negatives.ts';
import type { EncodeSequences } from './held-out.ts';
import { auditLeakage, type LeakageAudit, requireClean } from './leakage.ts';
import type { MinedNegatives } from './negatives.ts';
import type { PairTable } from './pairs.ts';
import { planTraining, type TrainingPlan } from './plan.ts';
import { type Reloaded, writeProven } from './proof.ts';
import { buildPairs, type RecipeOptions } from './recipes.ts';
import { Relatedness } from './related.ts';
import { shufflePairs } from './shuffled.ts';
import { trainTexts } from './train-texts.ts';

export interface FinetuneOptions {
  corpus: Corpus;
  /** Folder of a checkpoint, or `tiny`: a small encoder made from the seed and the corpus's train part. */
  model: string;
  /** Its id, for the model card and the registry. Default: the folder. */
  modelId?: string;
  /** Folder of the new checkpoint: absent or empty. */
  out: string;
  /** R1, R2, R3, R4, or a sum such as R1+R3. */
  recipe: string;
  recipeOptions?: Omit<RecipeOptions, 'seed'>;
  /** Positives torn from their anchors: what the recipe's pairs are worth shows beside it. Default false. */
  shuffled?: boolean;
  /** Default: by family, with the seed. */
  split?: SplitOptions;
  /** Default 64 pairs; fewer where the corpus has fewer. */
  batchSize?: number;
  /** One of the two; default 1 epoch. */
  epochs?: number;
  maxSteps?: number;
  /** Trains an adapter in place of the model's own weights; the checkpoint holds both merged, and the adapter in `adapter/`. */
  lora?: Omit<LoraOptions, 'seed'>;
  /** Negatives beside those of the batch. Default: none. */
  hardNegatives?: HardNegativeOptions;
  /** Scores before and after training on what is held out, and on the way. Default: none. */
  evaluation?: EvaluationOptions;
  /** Default 2e-5; 2e-4 with LoRA, 5e-4 for `tiny`. */
  learningRate?: number;
  /** Default: linear with a tenth of warm-up. */
  schedule?: Pick<ScheduleOptions, 'kind' | 'warmupRatio'>;
  weightDecay?: number;
  /** Most tokens of a text. Default: the model's own limit. */
  maxLength?: number;
  /** Sequences through the model at a time; fewer need less memory. Default 16. */
  chunk?: number;
  /** Layers are computed a second time on the way back instead of being kept: half the memory and less, a third to a half more time. Default false. */
  recompute?: boolean;
  /** In place of every rate of dropout in the checkpoint's configuration; 0 for none. Default: those rates. */
  dropout?: number;
  /** 1 / temperature. Default 20. */
  scale?: number;
  symmetric?: boolean;
  /** Lengths to which vectors may be cut afterwards. */
  dimensions?: readonly number[];
  maskCitations?: boolean;
  tiny?: TinyOptions;
  seed?: number;
  threads?: number;
  device?: Device | 'auto';
  progress?: Progress;
  signal?: AbortSignal;
}

export interface FinetuneResult {
  readonly checkpoint: string;
  readonly recipe: string;
  readonly plan: TrainingPlan;
  readonly audit: LeakageAudit;
  /** What the split did, in one sentence. */
  readonly split: string;
  readonly records: readonly StepRecord[];
  readonly loss: { first: number; last: number };
  readonly reloaded: Reloaded;
  /** The step whose parameters the checkpoint holds. */
  readonly step: number;
  readonly hardNegatives?: { readonly perPair: number; readonly lacking: number };
  /** Where the training was evaluated on its way. */
  readonly validation?: ValidationSummary;
  /** Where an evaluation was asked for and something held out could be scored. */
  readonly comparison?: HeldOutComparison;
  /** What could not be scored, and why. */
  readonly missing: readonly string[];
  readonly seconds: number;
}

export function finetune(platform: Platform, options: FinetuneOptions): Promise<FinetuneResult> {
  return finetuneInspected(platform, options, async () => {});
}

/** What a training is about to learn from. */
interface Learnt {
  plan: TrainingPlan;
  pairs: PairTable;
  negatives?: MinedNegatives;
}

/** The same; `inspect` is told what will be trained on, and what it throws ends the training before its first step. */
export async function finetuneInspected(
  platform: Platform,
  options: FinetuneOptions,
  inspect: (learnt: Learnt) => Promise<void>,
): Promise<FinetuneResult> {
  const started = performance.now();
  const { files } = platform;
  const { corpus, recipe, seed = 0, progress = silent, signal, chunk = 16, lora } = options;
  const { maxLength, device = 'cpu', threads, maskCitations = false, recipeOptions = {} } = options;
  const out = options.out.replace(/[\\/]+$/, '');
  const isTiny = options.model === 'tiny';
  if (isTiny && lora !== undefined)
    throw inputError('an adapter of random weights would be of no use', {
      code: 'finetune.lora',
      field: 'lora',
      expected: 'a trained model',
      found: 'tiny',
      hint: 'train tiny whole, then the checkpoint with LoRA',
    });
  await freeFolder(files, out);
  const work = `${out}.training`;
  // A place that cannot be written to is told now, not after hours.
  await files.makeDirectory(work);
  if ((await files.list(work)).length === 0) await files.remove(work);

  const relations = await loadRelations(corpus);
  const prints = await loadTextPrints(corpus);
  const plain = await splitCorpus(corpus, options.split ?? { by: 'family', seed }, { relations, prints });
  const { evaluation } = options;
  const isEvaluated = evaluation?.every !== undefined || evaluation?.patience !== undefined;
  const split = isEvaluated ? withValidation(plain, { relations, prints, seed }) : plain;
  const sources = { corpus, relations, split, prints };
  const made = await buildPairs(recipe, sources, { ...recipeOptions, seed });
  const related = new Relatedness(split, relations, made.labels);
  const pairs = options.shuffled ? shufflePairs(made, { split, related, seed }) : made;
  const batchSize = options.batchSize ?? Math.max(2, Math.min(64, pairs.pairs.length));
  const plan = planTraining(pairs, {
    split,
    batchSize,
    ...(options.epochs === undefined ? {} : { epochs: options.epochs }),
    ...(options.maxSteps === undefined ? {} : { steps: options.maxSteps }),
    seeds: [seed],
  });
  const { view = 'TA' } = recipeOptions;
  const heldOut =
    evaluation &&
    (await planEvaluation(
      {
        ...sources,
        recipe,
        recipeOptions: { ...recipeOptions, seed },
        batchSize,
        seed,
        view,
        maskCitations,
        documents: evaluation.documents ?? 2000,
        scale: options.scale ?? 20,
      },
      evaluationSteps(evaluation, plan.steps),
    ));

  const base = isTiny ? files.join(work, 'base') : options.model;
  if (isTiny && (await files.size(files.join(base, 'config.json'))) === undefined) {
    const task = progress.begin('vocabulary', { unit: 'patents' });
    await createTinyModel(files, base, trainTexts(corpus, split), { ...options.tiny, seed });
    task.finish();
  }
  const whole = await openTrainable(platform, base, {
    ...(maxLength === undefined ? {} : { maxLength }),
    ...(options.modelId === undefined ? {} : { id: options.modelId }),
  });
  const adapter = lora && createAdapter(whole.parts.specs, { ...lora, seed });
  const model = adapter === undefined ? whole : withAdapter(whole, adapter);
  const machine = { device, ...(threads === undefined ? {} : { threads }) };

  const negatives =
    options.hardNegatives &&
    (await hardNegatives(platform, pairs.pairs, options.hardNegatives, {
      ...sources,
      related,
      view,
      maskCitations,
      seed,
      model: base,
      maxLength: whole.parts.maxLength,
      folder: work,
      ...machine,
      progress,
      ...(signal === undefined ? {} : { signal }),
    }));
  const judged = (heldOut?.final ?? heldOut?.validation)?.relevance;
  const audit = await auditLeakage(pairs.pairs, {
    ...sources,
    ...(negatives === undefined ? {} : { negatives }),
    ...(heldOut === undefined ? {} : { views: [view] }),
    ...(judged === undefined ? {} : { relevance: judged }),
  });
  requireClean(audit);
  await inspect({ plan, pairs: pairs.pairs, ...(negatives === undefined ? {} : { negatives }) });

  const { learningRate = isTiny ? 5e-4 : lora ? 2e-4 : 2e-5, weightDecay = 0.01 } = options;
  const shape = options.schedule ?? { kind: 'linear', warmupRatio: 0.1 };
  const evaluated = heldOut && (await openEvaluation(platform, whole.parts, heldOut, { seed, progress, ...machine }));
  const engine = await openEngine(platform, machine);
  try {
    const training = await engine.openTraining(model.trained);
    const forward = await training.compile({ vectors: model.vectors() }, { parameters: model.frozen });
    const encode: EncodeSequences = async (ids, promptTokens) =>
      (await forward.run(model.feeds(ids, promptTokens))).vectors!.floats;
    const settings = {
      plan: { ...plan },
      model: model.parts.hash,
      maxLength: model.parts.maxLength,
      lora: adapter && { ...lora, layers: Object.fromEntries(adapter.layers) },
      negatives: negatives?.settings,
      evaluation: heldOut?.validation && {
        every: heldOut.every,
        patience: evaluation?.patience,
        statement: heldOut.validation.statement,
      },
      learningRate,
      weightDecay,
      shape,
      chunk,
      recompute: options.recompute ?? false,
      dropout: options.dropout ?? null,
      scale: options.scale ?? null,
      symmetric: options.symmetric ?? false,
      dimensions: options.dimensions ?? null,
      maskCitations,
    };
    const contrastive = await contrastiveTask(platform, engine, training, model, {
      corpus,
      pairs: pairs.pairs,
      batchSize,
      seed,
      group: split.group,
      ...(options.shuffled ? {} : { related }),
      ...(negatives === undefined ? {} : { negatives }),
      chunk,
      recompute: options.recompute ?? false,
      maskCitations,
      ...(options.dropout === undefined ? {} : { dropout: options.dropout }),
      ...(options.scale === undefined ? {} : { scale: options.scale }),
      ...(options.symmetric === undefined ? {} : { symmetric: options.symmetric }),
      ...(options.dimensions === undefined ? {} : { dimensions: options.dimensions }),
    });
    const { validation: looked, every } = heldOut ?? {};
    const task: LoopTask =
      looked === undefined || evaluated === undefined
        ? contrastive
        : {
            accumulate: (step) => contrastive.accumulate(step),
            async evaluate(step) {
              const score = await evaluated.score(encode);
              progress.say(
                `step ${step}: ${looked.metric} ${score.toFixed(4)} on the validation part (before training ${evaluated.start!.toFixed(4)})`,
              );
              return { [looked.metric]: score };
            },
          };
    try {
      const result = await train(files, training, task, {
        steps: plan.steps,
        learningRate,
        weightDecay,
        maxNorm: 1,
        schedule: schedule({ ...shape, steps: plan.steps }),
        ...(looked === undefined || every === undefined
          ? {}
          : {
              evaluateEvery: every,
              best: {
                score: looked.metric,
                ...(evaluation?.patience === undefined ? {} : { patience: evaluation.patience }),
              },
            }),
        folder: work,
        settings,
        progress,
        label: `train ${plan.recipe}`,
        ...(signal === undefined ? {} : { signal }),
      });
      signal?.throwIfAborted();
      const { records, step } = result;
      const validation: ValidationSummary | undefined =
        looked === undefined || every === undefined
          ? undefined
          : {
              metric: looked.metric,
              statement: looked.statement,
              every,
              start: evaluated!.start!,
              scores: records.flatMap(({ step: at, scores }) =>
                scores === undefined ? [] : { step: at, score: scores[looked.metric]! },
              ),
              best: result.best!,
              stoppedEarly: result.stopped === 'early',
            };
      const comparison = await evaluated?.compare(encode);
      const loss = { first: records[0]!.loss, last: records.at(-1)!.loss };
      const outcome = {
        recipe: plan.recipe,
        plan,
        split: split.summary.statement,
        audit,
        step,
        loss,
        ...(negatives === undefined
          ? {}
          : { hardNegatives: { perPair: negatives.perPair, lacking: negatives.lacking } }),
        ...(validation === undefined ? {} : { validation }),
        ...(comparison === undefined ? {} : { comparison }),
        missing: heldOut?.missing ?? [],
      };
      const proven = files.join(work, 'checkpoint');
      const baseModel = options.modelId ?? base;
      const reloaded = await writeProven(
        platform,
        proven,
        { training, model, baseModel, ...(adapter === undefined ? {} : { adapter }) },
        {
          card: {
            ...(isTiny ? {} : { baseModel }),
            recipe: describe(options, outcome, corpus.name),
            facts: factsOf({ ...outcome, batchSize, learningRate, seed }),
          },
          record: { ...outcome, settings, losses: records.map((record) => record.loss) },
        },
      );
      if ((await freeFolder(files, out)).there) await files.remove(out);
      await files.rename(proven, out);
      await files.remove(work);
      return {
        checkpoint: out,
        ...outcome,
        records,
        reloaded,
        seconds: (performance.now() - started) / 1000,
      };
    } finally {
      await contrastive.close();
    }
  } finally {
    await engine.close();
    await evaluated?.close();
  }
}

type Outcome = Omit<FinetuneResult, 'checkpoint' | 'records' | 'reloaded' | 'seconds'>;

/** How it was trained, in sentences, for the model card. */
function describe(
  { lora, shuffled, hardNegatives: mined }: FinetuneOptions,
  { plan, split, ...rest }: Outcome,
  corpus: string,
) {
  const { validation, comparison } = rest;
  const negatives = mined === undefined ? '' : `, with hard negatives by ${mined.by}`;
  return [
    `Contrastive fine-tuning${lora === undefined ? '' : ' with LoRA'} on pairs of recipe ${plan.recipe}${shuffled ? ', shuffled' : ''} of the corpus "${corpus}": multiple negatives ranking with false negatives masked${negatives}. ${split}`,
    ...(validation === undefined
      ? []
      : [`Kept are the parameters of step ${validation.best.step}, the best by ${validation.statement}.`]),
    ...(comparison === undefined ? [] : [`Before and after: ${comparison.statement}.`]),
  ].join(' ');
}

function factsOf(outcome: Outcome & { batchSize: number; learningRate: number; seed: number }) {
  const { plan, step, loss, batchSize, learningRate, seed, validation, comparison } = outcome;
  const short = (value: number) => Number(value.toPrecision(4));
  return {
    pairs: plan.pairs,
    'batch size': batchSize,
    steps: step,
    'learning rate': learningRate,
    seed,
    'loss of the first step': short(loss.first),
    'loss of the last step': short(loss.last),
    ...(validation === undefined
      ? {}
      : {
          [`validation ${validation.metric} before training`]: short(validation.start),
          [`validation ${validation.metric} of the step kept`]: short(validation.best.score),
        }),
    ...(comparison === undefined
      ? {}
      : {
          [`${comparison.part} ${comparison.metric} before training`]: short(comparison.start.value),
          [`${comparison.part} ${comparison.metric} after training`]: short(comparison.trained.value),
          'difference (95 % interval)': `${short(comparison.difference)} (${short(comparison.lower)} to ${short(comparison.upper)}), ${comparison.verdict}`,
        }),
  };
}
