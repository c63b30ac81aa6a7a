/** Makes the checkpoints of a study: trains, or takes weights between start and tuned. Each call holds the checkpoint's lease. */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { PatentlabError, workError } from '../../base/errors.ts';
import { canonicalJson } from '../../base/hash.ts';
import type { View } from '../../corpus/views.ts';
import { openModelParts, parameterCount } from '../../model/load.ts';
import type { StepRecord } from '../../train/loop.ts';
import { type FinetuneOptions, finetuneInspected } from '../../tune/finetune.ts';
import { auditLeakage, type LeakageAudit } from '../../tune/leakage.ts';
import type { MinedNegatives } from '../../tune/negatives.ts';
import type { PairTable } from '../../tune/pairs.ts';
import type { TrainingPlan } from '../../tune/plan.ts';
import { defined } from '../request.ts';
import type { CheckpointManifest, CheckpointStore } from './checkpoints.ts';
import { rateOf, recipeOptions, type TrainingJob, type Unit } from './design.ts';
import { interpolateCheckpoints } from './interpolate.ts';
import { allCorpora } from './mixed.ts';
import type { StudySettings } from './options.ts';
import type { Landscape } from './sources.ts';
import type { EmbeddingSpec } from './spec.ts';

export interface TrainContext {
  spec: EmbeddingSpec;
  store: CheckpointStore;
  landscapes: readonly Landscape[];
  settings: StudySettings;
}

/** Trains, or goes on with a training that was killed. An error says which training of the study it was. */
export async function trainCheckpoint(job: TrainingJob, context: TrainContext): Promise<CheckpointManifest> {
  try {
    return await trained(job, context);
  } catch (error) {
    if (!(error instanceof PatentlabError)) throw error;
    const { start, recipe, ground, seed } = job;
    throw new PatentlabError(`${start.spec.name} ${recipe.label} on ${ground.name}, seed ${seed}: ${error.message}`, {
      ...error.details,
      hint: error.details.hint ?? 'what the study has finished is kept: run it again when this is mended',
    });
  }
}

async function trained(job: TrainingJob, context: TrainContext): Promise<CheckpointManifest> {
  const { spec, store, settings } = context;
  const { hash, key, start, ground, recipe, seed, asked, miner } = job;
  const { platform, threads, device, progress, signal } = settings;
  const { training } = spec;
  const out = store.model(hash);
  await clear(store, hash);
  let audit: LeakageAudit | undefined;
  const options: FinetuneOptions = {
    corpus: ground.corpus,
    model: start.folder,
    ...(start.id === undefined ? {} : { modelId: start.id }),
    out,
    recipe: recipe.recipe,
    recipeOptions: { ...recipeOptions(spec), pairs: asked },
    shuffled: recipe.shuffled,
    split: ground.split.options,
    batchSize: job.plan.batchSize,
    maxSteps: job.plan.steps,
    learningRate: rateOf(spec, start),
    symmetric: training.symmetric,
    scale: training.scale,
    ...(training.maxLength === undefined ? {} : { maxLength: training.maxLength }),
    ...(training.lora === undefined ? {} : { lora: defined(training.lora) }),
    ...(miner === undefined ? {} : { hardNegatives: miner.options }),
    ...(training.dropout === undefined ? {} : { dropout: training.dropout }),
    seed,
    threads,
    device,
    progress,
    ...(signal === undefined ? {} : { signal }),
  };
  const result = await finetuneInspected(platform, options, async ({ plan, pairs, negatives }) => {
    requirePlanned(plan, job.plan);
    audit = await auditEverywhere(pairs, negatives, job, context);
  });
  const { plan, split, records, loss, reloaded, seconds } = result;
  const parts = await openModelParts(platform, out);
  return store.finish({
    hash,
    key,
    modelHash: parts.hash,
    parameters: parameterCount(parts.specs),
    seconds,
    training: {
      plan,
      split,
      steps: records.length,
      loss,
      curve: curveOf(records),
      seconds,
      reloaded: reloaded.maxDifference,
      audit: audit!,
    },
  });
}

/** What trains must be what was planned, and thereby matched. */
function requirePlanned(found: TrainingPlan, planned: TrainingPlan): void {
  const differing = (['corpusHash', 'split', 'pairs', 'pairsByKind', 'batchSize', 'steps'] as const).filter(
    (field) => canonicalJson(found[field]) !== canonicalJson(planned[field]),
  );
  if (differing.length === 0) return;
  throw workError('what is to be trained on is not what the study planned', {
    code: 'study.changed',
    field: differing.join(', '),
    expected: differing.map((field) => canonicalJson(planned[field])).join('; '),
    found: differing.map((field) => canonicalJson(found[field])).join('; '),
    hint: 'run the study again: a corpus may have been imported anew meanwhile',
  });
}

export async function deriveCheckpoint(
  { hash, key, job, weight }: Unit['source'] & { kind: 'derived' },
  { store, settings }: TrainContext,
): Promise<CheckpointManifest> {
  const started = performance.now();
  const out = store.model(hash);
  await clear(store, hash);
  await settings.platform.files.makeDirectory(store.path(hash));
  await interpolateCheckpoints(settings.platform, {
    start: job.start.folder,
    tuned: store.model(job.hash),
    out,
    weight,
  });
  const parts = await openModelParts(settings.platform, out);
  const seconds = (performance.now() - started) / 1000;
  return store.finish({ hash, key, modelHash: parts.hash, parameters: parameterCount(parts.specs), seconds });
}

/** Takes away a checkpoint without a manifest, or a damaged one; what a killed training goes on from stays. */
async function clear(store: CheckpointStore, hash: string): Promise<void> {
  await rm(join(store.path(hash), 'manifest.json'), { force: true });
  await rm(store.model(hash), { recursive: true, force: true });
}

/** The leakage audit against everything that the checkpoint will be tested on: its own test part, and those of the others. */
async function auditEverywhere(
  pairs: PairTable,
  negatives: MinedNegatives | undefined,
  { ground }: TrainingJob,
  { spec, landscapes }: TrainContext,
): Promise<LeakageAudit> {
  const { corpus, relations, split } = ground;
  const own = landscapes.find(({ name }) => name === ground.name);
  const elsewhere = landscapes
    .filter(({ name }) => name !== ground.name && (spec.transfer || ground.name === allCorpora))
    .map(({ study: { corpus: other, split: parts } }) => ({
      corpus: other,
      ...(parts === undefined ? {} : { split: parts }),
    }));
  return auditLeakage(pairs, {
    corpus,
    relations,
    split,
    ...(negatives === undefined ? {} : { negatives }),
    ...(own?.searched === undefined ? {} : { relevance: own.searched.relevance }),
    views: [...new Set(spec.views.map((view) => view.replace(/-masked$/, '') as View))],
    elsewhere,
  });
}

/** Means over at most 50 stretches of steps. */
function curveOf(records: readonly StepRecord[]): { step: number; loss: number }[] {
  const stretch = Math.max(1, Math.ceil(records.length / 50));
  return Array.from({ length: Math.ceil(records.length / stretch) }, (_, at) => {
    const own = records.slice(at * stretch, (at + 1) * stretch);
    return { step: own.at(-1)!.step, loss: own.reduce((sum, { loss }) => sum + loss, 0) / own.length };
  });
}
