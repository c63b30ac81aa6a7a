/**
 * Classification: corpora x views x systems x probes, one cell each. Vectors of a system are read once for all its probes, and
 * only where one of them is still to be computed.
 */
import { join, relative, sep } from 'node:path';
import { inputError } from '../../base/errors.ts';
import { canonicalJson } from '../../base/hash.ts';
import { duration } from '../../base/node/terminal.ts';
import { silent } from '../../base/progress.ts';
import { lsaSettings } from '../../encode/lsa.ts';
import { type Engine, openEngine } from '../../engine/index.ts';
import { definitionsVersion } from '../../metrics/definitions.ts';
import type { Estimate } from '../../metrics/types.ts';
import { cellHash, environmentOf } from '../cell-folders.ts';
import { measured } from '../clock.ts';
import { type PlannedCell, sampleTexts, worthEstimating } from '../estimate.ts';
import { lexicalSettings } from '../lexical.ts';
import { requestOf } from '../request.ts';
import { type DenseSystem, type SystemSpec, type ViewSpec, viewLabel } from '../systems.ts';
import type { TaskContext } from '../tasks.ts';
import { type ClassificationKey, ClassificationStore, type FinishedClassification, predictionsFile } from './cell.ts';
import { compareClassifiers } from './compare.ts';
import { type Ground, openGround } from './ground.ts';
import { measureClassifier } from './measure.ts';
import { fits, type Probe, probeSettings, thresholdFolds } from './options.ts';
import { type Features, readFeatures, runProbe } from './probe.ts';
import { type ClassificationCell, type ClassificationResults, classifierName } from './results.ts';

type ProbedSystem = DenseSystem | (SystemSpec & { kind: 'bm25' });

interface Job {
  ground: Ground;
  view: ViewSpec;
  system: ProbedSystem;
  probe: Probe;
  key: ClassificationKey;
  cell: string;
}

/** Computes what is missing. Throws where a corpus has no labels to tell apart, or no system suits a probe. */
export async function evaluateClassification(context: TaskContext): Promise<ClassificationResults> {
  const { settings, folder, run } = context;
  const store = new ClassificationStore(settings.home, settings.study);
  const { grounds, jobs } = await planJobs(context);
  await sayEncoding(jobs, store, context);
  const cells: { result: ClassificationCell; cell: FinishedClassification; ground: Ground }[] = [];
  let engine: Promise<Engine> | undefined;
  let open: { of: string; features: Promise<Features> } | undefined;
  try {
    for (const job of jobs) {
      const { ground, view, system, probe, cell: hash } = job;
      const name = `${ground.corpus.name} ${viewLabel(view)} ${classifierName({ model: system.label, probe })}`;
      const compute = async () => {
        engine ??= openEngine(settings.platform, { threads: settings.threads });
        const of = canonicalJson([ground.corpus.name, view, system]);
        const features = () => {
          if (open?.of !== of) open = { of, features: readFeatures(ground, view, system, context.encoders, settings) };
          return open.features;
        };
        const cell = await computeCell(job, await engine, features, context);
        await store.save(cell);
        return cell;
      };
      const cell = await run.cell(store, hash, name, compute, lineOf);
      if (cell === undefined) continue;
      const result: ClassificationCell = {
        corpus: ground.corpus.name,
        task: 'classification',
        model: system.label,
        view: viewLabel(view),
        probe,
        ...cell.measures,
        manifest: cell.manifest,
        files: {
          predictions: relative(folder, join(store.path(hash), predictionsFile))
            .split(sep)
            .join('/'),
        },
      };
      cells.push({ result, cell, ground });
    }
  } finally {
    await (await engine)?.close();
  }
  return {
    statement: statementOf(grounds),
    cells: cells.map(({ result }) => result),
    comparisons: [...Map.groupBy(cells, ({ result }) => canonicalJson([result.corpus, result.view])).values()].flatMap(
      (group) => compareClassifiers(group, settings),
    ),
    labelCards: grounds.map(({ card }) => card),
  };
}

/** What `evaluateClassification` would compute. */
export async function planClassification(context: TaskContext): Promise<PlannedCell[]> {
  const { settings } = context;
  const { jobs } = await planJobs(context);
  const open = await openJobs(jobs, new ClassificationStore(settings.home, settings.study));
  const encoding = await encodingOf(open, context);
  return jobs.map((job): PlannedCell => {
    const { ground, view, system, probe, cell } = job;
    const { train, test, names } = ground;
    const done = !open.includes(job);
    const vectors = encoding.get(job) ?? { seconds: 0, bytes: 0 };
    return {
      task: 'classification',
      corpus: ground.corpus.name,
      view: viewLabel(view),
      system: classifierName({ model: system.label, probe }),
      cell,
      done,
      seconds: done ? 0 : vectors.seconds + probeSeconds(probe, train.rows.length, test.rows.length, names.length),
      // Three lists of labels and an id a document, resamples, a row a label.
      bytes: done ? 0 : vectors.bytes + test.rows.length * 40 + settings.resamples * 32 + names.length * 300,
    };
  });
}

async function openJobs(jobs: readonly Job[], store: ClassificationStore): Promise<Job[]> {
  const done = await Promise.all(jobs.map(async ({ cell }) => (await store.load(cell)) !== undefined));
  return jobs.filter((_, i) => !done[i]);
}

/** What encoding costs, told with the first open cell that needs the vectors; nothing where retrieval encodes the same texts. */
async function encodingOf(
  open: readonly Job[],
  { settings, encoders }: TaskContext,
): Promise<Map<Job, { seconds: number; bytes: number }>> {
  const costs = new Map<Job, { seconds: number; bytes: number }>();
  const counted = new Set<string>();
  for (const job of open) {
    const { ground, view, system } = job;
    const of = canonicalJson([ground.corpus.name, view, system]);
    if (system.kind !== 'encoder' || settings.tasks.includes('retrieval') || counted.has(of)) continue;
    counted.add(of);
    costs.set(job, await encoders.estimate(system, await sampleTexts(ground, view), ground.corpus.size));
  }
  return costs;
}

/** Before encoders begin on a corpus of some size: how long they will take. */
async function sayEncoding(jobs: readonly Job[], store: ClassificationStore, context: TaskContext): Promise<void> {
  const { progress } = context.settings;
  if (progress === silent) return;
  const open = await openJobs(
    jobs.filter(({ ground }) => ground.corpus.size >= worthEstimating),
    store,
  );
  for (const [{ ground, view, system }, { seconds, bytes }] of await encodingOf(open, context))
    progress.say(
      `${ground.corpus.name} ${viewLabel(view)} ${system.label}: about ${duration(seconds)}, less what is stored already; ${(bytes / 1e6).toFixed(0)} MB on disk`,
    );
}

/** Rough: tells seconds from hours. */
function probeSeconds(probe: Probe, train: number, test: number, labels: number): number {
  const rate = 2e10; // operations a second
  const width = 768;
  switch (probe) {
    case 'knn':
      return 1 + (2 * train * test * width) / rate;
    case 'logistic':
      return 1 + (40 * 4 * train * labels * width) / rate;
    default:
      return 2 + (100 * 6 * train * (labels + 256) * width) / rate;
  }
}

async function planJobs(context: TaskContext): Promise<{ grounds: Ground[]; jobs: Job[] }> {
  const { settings, corpora, views, systems } = context;
  const suited = systems.filter((system): system is ProbedSystem =>
    settings.probes.some((probe) => fits(probe, system)),
  );
  if (suited.length === 0)
    throw inputError('no probe can read any of these models', {
      code: 'classification.probes',
      field: '--probe',
      expected: 'knn or logistic for bm25; any probe for lsa and text encoders',
      found: `--probe ${settings.probes.join(',')} --model ${settings.models.join(',')}`,
    });
  const order = { bm25: 0, lsa: 1, encoder: 2 };
  suited.sort((a, b) => order[a.kind] - order[b.kind]);
  const grounds: Ground[] = [];
  for (const corpus of corpora) grounds.push(await openGround(corpus, settings));
  const jobs: Job[] = [];
  for (const system of suited)
    for (const ground of grounds)
      // Probes of one system on one view stand together, so that its vectors are read once.
      for (const view of views)
        for (const probe of settings.probes.filter((one) => fits(one, system))) {
          settings.signal?.throwIfAborted();
          const key = await keyOf(ground, view, system, probe, context);
          jobs.push({ ground, view, system, probe, key, cell: await cellHash(key) });
        }
  return { grounds, jobs };
}

/** Everything that can change the result. */
async function keyOf(
  { corpus, settings: ground }: Ground,
  view: ViewSpec,
  system: ProbedSystem,
  probe: Probe,
  { settings, encoders }: TaskContext,
): Promise<ClassificationKey> {
  return {
    task: 'classification',
    corpus: { name: corpus.name, hash: corpus.hash, revision: corpus.revision, invented: corpus.invented },
    model: system.label,
    view: view.view,
    maskCitations: view.masked,
    device: 'cpu',
    probe,
    ...(system.kind === 'encoder' ? await encoders.manifestOf(system) : {}),
    ...(system.kind === 'lsa' ? { dimensions: system.dimensions ?? settings.lsaDimensions } : {}),
    settings: {
      labels: ground,
      probe: probeSettings[probe],
      thresholdFolds,
      resamples: settings.resamples,
      ...(system.kind === 'bm25' ? lexicalSettings(settings) : {}),
      ...(system.kind === 'lsa'
        ? {
            analyser: lexicalSettings(settings).analyser,
            lsa: lsaSettings({ dimensions: settings.lsaDimensions, seed: settings.seed }),
          }
        : {}),
    },
    seeds: [settings.seed],
    packageVersion: settings.packageVersion,
    definitions: definitionsVersion,
  };
}

async function computeCell(
  { ground, view, system, probe, key, cell }: Job,
  engine: Engine,
  read: () => Promise<Features>,
  { settings }: TaskContext,
): Promise<FinishedClassification> {
  const started = new Date().toISOString();
  const { test, train, names, corpus } = ground;
  const { result, spent } = await measured(async () => {
    const features = await read();
    const probed = await runProbe(probe, ground, features, engine, settings);
    return { features, probed, measures: measureClassifier(ground, probed, settings) };
  });
  const { probed, features } = result;
  const { tuned, replicates, ...measures } = result.measures;
  const { relevance: _, ...request } = await requestOf(system, view, corpus.name, settings);
  return {
    manifest: {
      ...key,
      format: 1,
      cell,
      request: { ...request, tasks: ['classification'], labels: settings.labels, probes: [probe] },
      environment: environmentOf(started, settings.threads),
    },
    measures: {
      documents: test.rows.length,
      trained: train.rows.length,
      labels: names.length,
      ...measures,
      cost: {
        seconds: spent.seconds,
        ...(features.kind === 'vectors' ? features.cost : {}),
        trainSeconds: probed.trainSeconds,
        predictSeconds: probed.predictSeconds,
        peakMemoryBytes: spent.peakMemoryBytes,
      },
      ...(probed.convergence === undefined ? {} : { convergence: probed.convergence }),
    },
    names,
    documentIds: Array.from(test.rows, (row) => corpus.id(row)),
    truth: test.truth,
    predicted: probed.predicted,
    ...(tuned === undefined ? {} : { tuned }),
    replicates,
  };
}

function statementOf(grounds: readonly Ground[]): string {
  return grounds
    .map(({ card: { corpus, field, level, kind, labels, documents, split } }) => {
      const what = field === 'labels' ? 'labels of its own' : `${field.toUpperCase()} codes at the level of ${level}`;
      const each = kind === 'multi-class' ? ', one a document' : '';
      return `"${corpus}" is classified by ${labels.kept} ${what}${each}: learnt from ${documents.train} documents, scored on ${documents.test}. ${split}`;
    })
    .join(' ');
}

function lineOf({ measures: { metrics, cost } }: FinishedClassification): string {
  const told = (name: string, { value, lower, upper }: Estimate) =>
    `${name} ${value.toFixed(4)}${Number.isNaN(lower) ? '' : ` [${lower.toFixed(4)}, ${upper.toFixed(4)}]`}`;
  return `${told('micro-F1', metrics['micro-f1']!)}, ${told('macro-F1', metrics['macro-f1']!)}, ${cost.seconds.toFixed(1)} s`;
}
