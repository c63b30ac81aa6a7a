/**
 * Classification: corpora x views x systems x probes, one cell each. Vectors of a system are read once for all its probes, and
 * only where one of them is still to be computed.
 */
import { inputError } from '../../base/errors.ts';
import { canonicalJson } from '../../base/hash.ts';
import { duration } from '../../base/node/terminal.ts';
import { silent } from '../../base/progress.ts';
import { reportPath } from '../cell-folders.ts';
import { estimateText } from '../cell-run.ts';
import { type PlannedCell, sampleTexts, worthEstimating } from '../estimate.ts';
import { viewLabel } from '../systems.ts';
import type { TaskContext } from '../tasks.ts';
import { ClassificationStore, type FinishedClassification, predictionsFile } from './cell.ts';
import { compareClassifiers } from './compare.ts';
import { type Ground, openGround } from './ground.ts';
import { fits, type Probe } from './options.ts';
import { type ClassificationCell, type ClassificationResults, classifierName } from './results.ts';
import { type ClassificationJob, ClassificationWork, jobsOf, type ProbedSystem } from './work.ts';

/** Computes what is missing. Throws where a corpus has no labels to tell apart, or no system suits a probe. */
export async function evaluateClassification(context: TaskContext): Promise<ClassificationResults> {
  const { settings, folder, run } = context;
  const store = new ClassificationStore(settings.home, settings.study);
  const { grounds, jobs } = await planJobs(context);
  await sayEncoding(jobs, store, context);
  const cells: { result: ClassificationCell; cell: FinishedClassification; ground: Ground }[] = [];
  const work = new ClassificationWork(context);
  try {
    for (const job of jobs) {
      const { ground, view, system, probe, cell: hash } = job;
      const name = `${ground.corpus.name} ${viewLabel(view)} ${classifierName({ model: system.label, probe })}`;
      const compute = async () => {
        const cell = await work.compute(job);
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
        files: { predictions: reportPath(folder, store.path(hash), predictionsFile) },
      };
      cells.push({ result, cell, ground });
    }
  } finally {
    await work.close();
  }
  return {
    statement: classificationStatement(grounds),
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

async function openJobs(jobs: readonly ClassificationJob[], store: ClassificationStore): Promise<ClassificationJob[]> {
  const done = await Promise.all(jobs.map(async ({ cell }) => (await store.load(cell)) !== undefined));
  return jobs.filter((_, i) => !done[i]);
}

/** What encoding costs, told with the first open cell that needs the vectors; nothing where retrieval encodes the same texts. */
async function encodingOf(
  open: readonly ClassificationJob[],
  { settings, encoders }: TaskContext,
): Promise<Map<ClassificationJob, { seconds: number; bytes: number }>> {
  const costs = new Map<ClassificationJob, { seconds: number; bytes: number }>();
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
async function sayEncoding(
  jobs: readonly ClassificationJob[],
  store: ClassificationStore,
  context: TaskContext,
): Promise<void> {
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

async function planJobs(context: TaskContext): Promise<{ grounds: Ground[]; jobs: ClassificationJob[] }> {
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
  const jobs: ClassificationJob[] = [];
  // Probes of one system on one view stand together, so that its vectors are read once.
  for (const system of suited)
    for (const ground of grounds) for (const view of views) jobs.push(...(await jobsOf(ground, view, system, context)));
  return { grounds, jobs };
}

/** What is asked of which documents. */
export function classificationStatement(grounds: readonly Ground[]): string {
  return grounds
    .map(({ card: { corpus, field, level, kind, labels, documents, split } }) => {
      const what = field === 'labels' ? 'labels of its own' : `${field.toUpperCase()} codes at the level of ${level}`;
      const each = kind === 'multi-class' ? ', one a document' : '';
      return `"${corpus}" is classified by ${labels.kept} ${what}${each}: learnt from ${documents.train} documents, scored on ${documents.test}. ${split}`;
    })
    .join(' ');
}

function lineOf({ measures: { metrics, cost } }: FinishedClassification): string {
  return `micro-F1 ${estimateText(metrics['micro-f1']!)}, macro-F1 ${estimateText(metrics['macro-f1']!)}, ${cost.seconds.toFixed(1)} s`;
}
