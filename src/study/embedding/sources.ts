/**
 * What a study stands on, opened once: its corpora with their splits, judged within their test parts, and the checkpoints that
 * its models start from. `tiny` is built once for the study, with a vocabulary of the train parts of all its corpora: it takes
 * the place of a pretrained model, the same for every recipe, seed and landscape.
 */
import { rm } from 'node:fs/promises';
import { inputError, PatentlabError } from '../../base/errors.ts';
import { type CorpusSplit, type SplitOptions, splitCorpus } from '../../corpus/splits.ts';
import { loadTextPrints, type TextPrints } from '../../corpus/text-prints.ts';
import { openModelParts, parameterCount } from '../../model/load.ts';
import { createTinyModel } from '../../model/tiny.ts';
import type { HardNegativeOptions } from '../../tune/hard-negatives.ts';
import { trainTexts } from '../../tune/train-texts.ts';
import { type Ground, openGround } from '../classification/ground.ts';
import { type ClusterGround, openClusterGround } from '../clustering/ground.ts';
import { type CorpusUnderStudy, studyOf } from '../corpus-under-study.ts';
import { type EvaluateSettings, settingsOf } from '../evaluate-options.ts';
import { builtinCorpus } from '../landscapes.ts';
import { isFolder, locateModel } from '../model-source.ts';
import { defined } from '../request.ts';
import type { Task } from '../results.ts';
import { openForTasks, type TaskCorpus } from '../tasks.ts';
import { type CheckpointStore, checkpointHash } from './checkpoints.ts';
import type { StudySettings } from './options.ts';
import type { CorpusSpec, EmbeddingSpec, ModelSpec } from './spec.ts';

/** A corpus of the study, open. */
export interface Landscape {
  name: string;
  spec: CorpusSpec;
  /** With a split where it is trained on; then its test part alone is judged. */
  study: TaskCorpus & { split?: CorpusSplit };
  prints: TextPrints;
  /** Of its evaluation cells. */
  settings: EvaluateSettings;
  /** What it can be asked: its queries, the labels of its documents. */
  searched?: CorpusUnderStudy;
  classified?: Ground;
  clustered?: ClusterGround;
  /** Tasks of the study that it has no ground for. */
  lacks: { task: Task; reason: string }[];
}

/** A corpus that is trained on. */
export type TrainingLandscape = Landscape & { study: { split: CorpusSplit } };

export function trainingOnes(landscapes: readonly Landscape[]): TrainingLandscape[] {
  return landscapes.filter((landscape): landscape is TrainingLandscape => landscape.study.split !== undefined);
}

/** Patents that may be found in it. */
export function testedPatents({ study }: Landscape): number {
  return study.split?.summary.patents.test ?? study.corpus.size;
}

/** The checkpoint that a model of the study starts from. */
export interface Start {
  spec: ModelSpec;
  folder: string;
  /** For registry and model card. */
  id?: string;
  hash: string;
  parameters: number;
}

/** Who looks for hard negatives. */
export interface Miner {
  options: HardNegativeOptions;
  /** What decides its negatives; a model by its hash, not by its place. */
  key: Record<string, unknown>;
}

export async function openLandscapes(spec: EmbeddingSpec, settings: StudySettings): Promise<Landscape[]> {
  const { home, progress, signal, packageVersion, platform, threads, device, offline } = settings;
  const opened: Landscape[] = [];
  try {
    for (const corpus of spec.corpora) {
      const name = corpus.builtin ? await builtinCorpus(corpus.builtin, { home, progress, signal }) : corpus.name!;
      // Fields that are absent are not there, rather than undefined.
      const split = corpus.train ? (defined(corpus.split ?? spec.split) as SplitOptions) : undefined;
      const relevance = { relevance: corpus.relevance, onlyEarlier: corpus.onlyEarlier };
      const own = settingsOf({
        platform,
        home,
        corpora: [name],
        relevance,
        ...(split === undefined ? {} : { split }),
        views: spec.views,
        tasks: spec.tasks,
        labels: defined(spec.labels),
        probes: spec.probes,
        clustering: defined(spec.clustering),
        // A tuned checkpoint keeps the limit it was trained with: its start must not read more.
        ...(spec.training.maxLength === undefined ? {} : { length: spec.training.maxLength }),
        margin: spec.margin,
        resamples: spec.resamples,
        seed: 1,
        threads,
        device,
        offline,
        study: spec.name,
        progress,
        signal,
        packageVersion,
      });
      opened.push(await openLandscape(name, corpus, own));
    }
    const last = opened.at(-1)!;
    if (opened.every(({ lacks }) => lacks.length === spec.tasks.length))
      throw inputError('no corpus of the study has what its tasks need', {
        code: 'study.tasks',
        file: settings.file,
        field: 'tasks',
        expected: 'citations for retrieval; labels, CPC or IPC codes for classification and clustering',
        found: last.lacks.map(({ task, reason }) => `${task} on ${last.name}: ${reason}`).join('; '),
      });
    return opened;
  } catch (error) {
    for (const { study } of opened) await study.corpus.close();
    throw error;
  }
}

async function openLandscape(name: string, spec: CorpusSpec, settings: EvaluateSettings): Promise<Landscape> {
  const { home, tasks, split: rule, relevance } = settings;
  const corpus = await openForTasks(home, name);
  try {
    const split = rule && (await splitCorpus(corpus.corpus, rule, { relations: corpus.relations }));
    const study = { ...corpus, ...(split === undefined ? {} : { split }) };
    const landscape: Landscape = {
      name,
      spec,
      study,
      prints: await loadTextPrints(corpus.corpus),
      settings,
      lacks: [],
    };
    const ground = async <T>(task: Task, open: () => Promise<T>): Promise<T | undefined> => {
      if (!tasks.includes(task)) return undefined;
      try {
        return await open();
      } catch (error) {
        // With other tasks to do a corpus may lack one of them; alone it is an error.
        if (!(error instanceof PatentlabError) || tasks.length === 1) throw error;
        landscape.lacks.push({ task, reason: error.message });
        return undefined;
      }
    };
    const searched = await ground('retrieval', () => studyOf(study, { ...relevance, seed: settings.seed }));
    const classified = await ground('classification', () => openGround(study, settings));
    const clustered = await ground('clustering', () => openClusterGround(study, settings));
    return Object.assign(landscape, defined({ searched, classified, clustered }));
  } catch (error) {
    await corpus.corpus.close();
    throw error;
  }
}

/** The starts of all models; those that are not here or cannot run are told apart, with the reason. */
export async function openStarts(
  spec: EmbeddingSpec,
  landscapes: readonly Landscape[],
  store: CheckpointStore,
  settings: StudySettings,
): Promise<{ starts: Start[]; missing: { model: ModelSpec; reason: string }[] }> {
  const starts: Start[] = [];
  const missing: { model: ModelSpec; reason: string }[] = [];
  for (const model of spec.models) {
    settings.signal?.throwIfAborted();
    try {
      starts.push(await openStart(model, landscapes, store, settings));
    } catch (error) {
      if (!(error instanceof PatentlabError)) throw error;
      missing.push({ model, reason: [error.message, error.details.found].filter(Boolean).join(': ') });
    }
  }
  if (missing.length > 0 && spec.missingModels === 'refuse')
    throw inputError('models of the study are not here or cannot run', {
      code: 'study.models',
      file: settings.file,
      field: 'models',
      expected: 'tiny, folders of checkpoints, or ids of models that this version runs',
      found: missing.map(({ model, reason }) => `${model.model} (${reason})`).join('; '),
      hint: 'get them with `patentlab models get ID`, or say `missingModels: skip`: the report then names them',
    });
  if (starts.length === 0)
    throw inputError('no model of the study can run here', {
      code: 'study.models',
      file: settings.file,
      field: 'models',
      found: missing.map(({ model, reason }) => `${model.model} (${reason})`).join('; '),
    });
  return { starts, missing };
}

/** The miner that `training.hardNegatives` names. Throws `study.models` where it is a model that is not here or cannot run. */
export async function openMiner({ training }: EmbeddingSpec, settings: StudySettings): Promise<Miner | undefined> {
  if (training.hardNegatives === undefined) return undefined;
  const { from, per: perPair, skip } = training.hardNegatives;
  const counts = { perPair, skip };
  if (from === 'bm25' || from === 'model') return { options: { by: from, ...counts }, key: { from, ...counts } };
  const { platform, home, progress, signal, plan, offline } = settings;
  try {
    const { folder, id } = await locateModel(platform, from, { home, offline: offline || plan, progress, signal });
    const { hash } = await openModelParts(platform, folder, { id });
    return { options: { by: folder, ...counts }, key: { from: hash, ...counts } };
  } catch (error) {
    if (!(error instanceof PatentlabError)) throw error;
    throw inputError('the model that is to find hard negatives is not here or cannot run', {
      code: 'study.models',
      file: settings.file,
      field: 'training.hardNegatives.from',
      expected: 'bm25, model, or the folder or id of an encoder',
      found: [from, error.message, error.details.found].filter(Boolean).join(': '),
      ...(error.details.hint === undefined ? {} : { hint: error.details.hint }),
    });
  }
}

async function openStart(
  model: ModelSpec,
  landscapes: readonly Landscape[],
  store: CheckpointStore,
  settings: StudySettings,
): Promise<Start> {
  const { platform, home, progress, signal, plan } = settings;
  if (model.model === 'tiny') {
    const { folder, modelHash, parameters } = await tinyStart(model, landscapes, store, settings);
    return { spec: model, folder, hash: modelHash, parameters };
  }
  // A plan fetches nothing.
  const offline = settings.offline || plan;
  const found = await locateModel(platform, model.model, { home, offline, progress, signal });
  const parts = await openModelParts(platform, found.folder, { id: found.id });
  const id = (await isFolder(model.model)) ? undefined : found.id;
  return {
    spec: model,
    folder: found.folder,
    ...(id === undefined ? {} : { id }),
    hash: parts.hash,
    parameters: parameterCount(parts.specs),
  };
}

async function tinyStart(
  model: ModelSpec,
  landscapes: readonly Landscape[],
  store: CheckpointStore,
  settings: StudySettings,
): Promise<{ folder: string; modelHash: string; parameters: number }> {
  const { platform, progress, packageVersion } = settings;
  const { vocabulary, ...options } = defined(model.tiny ?? {});
  const key = {
    kind: 'start',
    tiny: { ...options, vocabulary: vocabulary ?? null },
    texts: trainingOnes(landscapes).map(({ study }) => ({ corpus: study.corpus.hash, split: study.split.options })),
    packageVersion,
  };
  const hash = await checkpointHash(key);
  const folder = store.model(hash);
  const made = await store.alone(
    hash,
    async () => {
      const there = await store.load(hash);
      if (there !== undefined) return there;
      const started = performance.now();
      await rm(store.path(hash), { recursive: true, force: true });
      const task = progress.begin(`vocabulary of ${model.name}`, { unit: 'patents' });
      await createTinyModel(platform.files, folder, vocabularyTexts(landscapes), {
        ...options,
        ...(vocabulary === undefined ? {} : { vocabulary: { size: vocabulary } }),
        replace: true,
      });
      task.finish();
      const parts = await openModelParts(platform, folder);
      const seconds = (performance.now() - started) / 1000;
      return store.finish({ hash, key, modelHash: parts.hash, parameters: parameterCount(parts.specs), seconds });
    },
    settings,
  );
  return { folder, modelHash: made.modelHash, parameters: made.parameters };
}

async function* vocabularyTexts(landscapes: readonly Landscape[]): AsyncGenerator<string> {
  for (const { study } of trainingOnes(landscapes)) yield* trainTexts(study.corpus, study.split);
}
