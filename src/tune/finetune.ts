/**
 * Fine-tuning from a corpus to a checkpoint: split → pairs of a recipe → leakage audit → training → checkpoint → proof.
 *
 * The checkpoint is read back from disk before anything is called done: its vectors of some training texts must be those of
 * the weights that were trained (largest difference at most 1e-4, else `finetune.reload`).
 *
 * While it trains, `<out>.training` holds what a killed run goes on from; it is removed at the end.
 */
import { inputError, workError } from '../base/errors.ts';
import type { Platform } from '../base/platform.ts';
import { type Progress, silent } from '../base/progress.ts';
import { loadRelations } from '../corpus/relations.ts';
import { type SplitOptions, splitCorpus } from '../corpus/splits.ts';
import type { Corpus } from '../corpus/store.ts';
import { loadTextPrints } from '../corpus/text-prints.ts';
import { viewText } from '../corpus/views.ts';
import { type Device, openEngine, type Training } from '../engine/index.ts';
import { loadModel } from '../model/load.ts';
import { saveCheckpoint } from '../model/save.ts';
import { createTinyModel, type TinyOptions } from '../model/tiny.ts';
import { openTrainable, type TrainableModel } from '../model/trainable.ts';
import { type StepRecord, train } from '../train/loop.ts';
import { type ScheduleOptions, schedule } from '../train/schedule.ts';
import { contrastiveTask } from './contrastive.ts';
import { auditLeakage, type LeakageAudit, requireClean } from './leakage.ts';
import { planTraining, type TrainingPlan } from './plan.ts';
import { buildPairs, type RecipeOptions } from './recipes.ts';
import { Relatedness } from './related.ts';
import { shufflePairs } from './shuffled.ts';

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
  /** Default 2e-5; 5e-4 for `tiny`. */
  learningRate?: number;
  /** Default: linear with a tenth of warm-up. */
  schedule?: Pick<ScheduleOptions, 'kind' | 'warmupRatio'>;
  weightDecay?: number;
  /** Most tokens of a text. Default: the model's own limit. */
  maxLength?: number;
  /** Sequences through the model at a time; fewer need less memory. Default 16. */
  chunk?: number;
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
  readonly reloaded: { maxDifference: number };
  readonly seconds: number;
}

export async function finetune(platform: Platform, options: FinetuneOptions): Promise<FinetuneResult> {
  const started = performance.now();
  const { files } = platform;
  const { corpus, out, recipe, seed = 0, progress = silent, signal, chunk = 16 } = options;
  const { maxLength, device = 'cpu', threads, maskCitations = false } = options;
  const relations = await loadRelations(corpus);
  const prints = await loadTextPrints(corpus);
  const split = await splitCorpus(corpus, options.split ?? { by: 'family', seed }, { relations, prints });
  const made = await buildPairs(recipe, { corpus, relations, split, prints }, { ...options.recipeOptions, seed });
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
  const audit = await auditLeakage(pairs.pairs, { corpus, relations, split });
  requireClean(audit);

  const work = `${out}.training`;
  const isTiny = options.model === 'tiny';
  const base = isTiny ? files.join(work, 'base') : options.model;
  if (isTiny && (await files.size(files.join(base, 'config.json'))) === undefined) {
    const task = progress.begin('vocabulary', { unit: 'patents' });
    await createTinyModel(files, base, trainTexts(corpus, split.part), { ...options.tiny, seed });
    task.finish();
  }
  const model = await openTrainable(platform, base, {
    ...(maxLength === undefined ? {} : { maxLength }),
    ...(options.modelId === undefined ? {} : { id: options.modelId }),
  });
  const { learningRate = isTiny ? 5e-4 : 2e-5, weightDecay = 0.01 } = options;
  const shape = options.schedule ?? { kind: 'linear', warmupRatio: 0.1 };
  const engine = await openEngine(platform, { device, ...(threads === undefined ? {} : { threads }) });
  try {
    const training = await engine.openTraining(model.trained);
    const settings = {
      plan: { ...plan },
      model: model.parts.hash,
      maxLength: model.parts.maxLength,
      learningRate,
      weightDecay,
      shape,
      chunk,
      dropout: options.dropout ?? null,
      scale: options.scale ?? null,
      symmetric: options.symmetric ?? false,
      dimensions: options.dimensions ?? null,
      maskCitations,
    };
    const task = await contrastiveTask(platform, engine, training, model, {
      corpus,
      pairs: pairs.pairs,
      batchSize,
      seed,
      group: split.group,
      ...(options.shuffled ? {} : { related }),
      chunk,
      maskCitations,
      ...(options.dropout === undefined ? {} : { dropout: options.dropout }),
      ...(options.scale === undefined ? {} : { scale: options.scale }),
      ...(options.symmetric === undefined ? {} : { symmetric: options.symmetric }),
      ...(options.dimensions === undefined ? {} : { dimensions: options.dimensions }),
    });
    try {
      const result = await train(files, training, task, {
        steps: plan.steps,
        learningRate,
        weightDecay,
        maxNorm: 1,
        schedule: schedule({ ...shape, steps: plan.steps }),
        folder: work,
        settings,
        progress,
        label: `train ${plan.recipe}`,
        ...(signal === undefined ? {} : { signal }),
      });
      signal?.throwIfAborted();
      const weights = new Map<string, Float32Array>();
      for (const { name } of model.trained) weights.set(name, await training.read('weights', name));
      const loss = { first: result.records[0]!.loss, last: result.records.at(-1)!.loss };
      await saveCheckpoint(files, out, model.parts, weights, {
        card: {
          ...(isTiny ? {} : { baseModel: options.modelId ?? base }),
          recipe: `Contrastive fine-tuning on pairs of recipe ${plan.recipe}${options.shuffled ? ', shuffled' : ''} of the corpus "${corpus.name}": multiple negatives ranking with false negatives masked. ${split.summary.statement}`,
          facts: {
            pairs: plan.pairs,
            'batch size': batchSize,
            steps: result.step,
            'learning rate': learningRate,
            seed,
            'loss of the first step': Number(loss.first.toPrecision(4)),
            'loss of the last step': Number(loss.last.toPrecision(4)),
          },
        },
      });
      const maxDifference = await compareReloaded(platform, out, training, model);
      if (!(maxDifference <= 1e-4))
        throw workError('the checkpoint on disk does not give the vectors of the trained weights', {
          code: 'finetune.reload',
          file: out,
          expected: 'a largest difference of at most 1e-4',
          found: String(maxDifference),
        });
      await files.remove(work);
      return {
        checkpoint: out,
        recipe: plan.recipe,
        plan,
        audit,
        split: split.summary.statement,
        records: result.records,
        loss,
        reloaded: { maxDifference },
        seconds: (performance.now() - started) / 1000,
      };
    } finally {
      await task.close();
    }
  } finally {
    await engine.close();
  }
}

/** Sequences of ids that show every layer, of unequal lengths; no text is needed to compare weights. */
function probes({ parts }: TrainableModel): Int32Array[] {
  const { vocabulary } = parts.config;
  return [3, 17, 60].map((length, at) =>
    Int32Array.from({ length: Math.min(length, parts.maxLength) }, (_, i) => (7919 * (i + 1) * (at + 1)) % vocabulary),
  );
}

/** The largest difference between vectors of the checkpoint in `folder` and of the weights in training. */
async function compareReloaded(
  platform: Platform,
  folder: string,
  training: Training,
  model: TrainableModel,
): Promise<number> {
  const sequences = probes(model);
  const program = await training.compile({ vectors: model.vectors() }, { parameters: model.frozen });
  const expected = (await program.run(model.feeds(sequences))).vectors!.floats;
  const reloaded = await loadModel(platform, folder, { threads: 1 });
  try {
    const found = await reloaded.encode(sequences);
    if (found.length !== expected.length)
      throw inputError('the checkpoint gives vectors of another length', { code: 'finetune.reload', file: folder });
    return found.reduce((most, value, i) => Math.max(most, Math.abs(value - expected[i]!)), 0);
  } finally {
    await reloaded.close();
    await program.close();
  }
}

/** Texts of the train part: a vocabulary must not be learnt from what is tested. */
async function* trainTexts(corpus: Corpus, part: Uint8Array): AsyncGenerator<string> {
  for (let row = 0; row < corpus.size; row++) if (part[row] === 0) yield viewText(await corpus.get(row), 'TAC');
}
