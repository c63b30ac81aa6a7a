/** Clustering: corpora x views x systems, one cell each; systems without vectors of documents are left out by name. */
import { inputError } from '../../base/errors.ts';
import { canonicalJson } from '../../base/hash.ts';
import { reportPath } from '../cell-folders.ts';
import { estimateText } from '../cell-run.ts';
import type { PlannedCell } from '../estimate.ts';
import { viewLabel } from '../systems.ts';
import type { TaskContext } from '../tasks.ts';
import { assignmentsFile, ClusteringStore, type FinishedClustering, mapFile } from './cell.ts';
import { compareClusteredViews, compareClusterings } from './compare.ts';
import { type ClusterGround, openClusterGround } from './ground.ts';
import { bestMap } from './maps.ts';
import { hasVectors, mapPoints, reductionWords } from './options.ts';
import type { ClusteringCell, ClusteringResults } from './results.ts';
import { type ClusteringJob, ClusteringWork, jobOf } from './work.ts';

/** Computes what is missing. Throws where a corpus has no labels to tell apart, or no system has vectors. */
export async function evaluateClustering(context: TaskContext): Promise<ClusteringResults> {
  const { settings, folder, run } = context;
  const store = new ClusteringStore(settings.home, settings.study);
  const { grounds, jobs, leftOut } = await planJobs(context);
  const rows: { result: ClusteringCell; cell: FinishedClustering; ground: ClusterGround }[] = [];
  const work = new ClusteringWork(context);
  try {
    for (const job of jobs) {
      const { ground, view, system, cell: hash } = job;
      const name = `${ground.corpus.name} ${viewLabel(view)} ${system.label} clustering`;
      const compute = async () => {
        const cell = await work.compute(job);
        await store.save(cell);
        return cell;
      };
      const cell = await run.cell(store, hash, name, compute, lineOf);
      if (cell === undefined) continue;
      const path = (file: string) => reportPath(folder, store.path(hash), file);
      const result: ClusteringCell = {
        corpus: ground.corpus.name,
        task: 'clustering',
        model: system.label,
        view: viewLabel(view),
        ...cell.measures,
        manifest: cell.manifest,
        files: { assignments: path(assignmentsFile), ...(cell.map === undefined ? {} : { map: path(mapFile) }) },
      };
      rows.push({ result, cell, ground });
    }
  } finally {
    await work.close();
  }
  const grouped = (name: (cell: ClusteringCell) => string) => [
    ...Map.groupBy(rows, ({ result }) => canonicalJson([result.corpus, name(result)])).values(),
  ];
  const byView = grouped(({ view }) => view);
  const maps = [];
  for (const group of byView) {
    const map = await bestMap(group.map(({ ground: { rows, corpus }, ...row }) => ({ ...row, rows, corpus })));
    if (map !== undefined) maps.push(map);
  }
  return {
    statement: clusteringStatement(grounds),
    cells: rows.map(({ result }) => result),
    comparisons: byView.flatMap((group) => compareClusterings(group, settings)),
    viewComparisons: grouped(({ model }) => model).flatMap((group) => compareClusteredViews(group, settings)),
    maps,
    cards: grounds.map(({ card }) => card),
    leftOut,
  };
}

/** What `evaluateClustering` would compute. */
export async function planClustering(context: TaskContext): Promise<PlannedCell[]> {
  const { settings } = context;
  const store = new ClusteringStore(settings.home, settings.study);
  const { jobs } = await planJobs(context);
  const planned: PlannedCell[] = [];
  for (const { ground, view, system, key, cell } of jobs) {
    const done = (await store.load(cell)) !== undefined;
    const documents = ground.rows.length;
    planned.push({
      task: 'clustering',
      corpus: ground.corpus.name,
      view: viewLabel(view),
      system: system.label,
      cell,
      done,
      seconds: done ? 0 : clusterSeconds(ground, key.seeds.length, settings.resamples),
      // An id, a label and a number a seed a document; resamples of three metrics; the map.
      bytes: done ? 0 : documents * 30 + key.seeds.length * 3 * 8 * (settings.resamples + 1000) + mapPoints * 30,
    });
  }
  return planned;
}

/** Rough: tells seconds from hours. Vectors are counted with retrieval, or read from the store. */
function clusterSeconds({ rows, clusters, names, draws }: ClusterGround, seeds: number, resamples: number): number {
  const rate = 2e10; // operations a second
  const [width, iterations] = [768, 40];
  const documents = rows.length;
  const clustering = (seeds * iterations * 2 * documents * clusters * width) / rate;
  const drawn = (draws.length * 10 * 2 * draws[0]!.length * names.length * width) / rate;
  const intervals = seeds * (resamples + Math.min(documents, 1000)) * documents * 1e-7;
  const map = Math.min(documents, mapPoints) * 8e-3;
  return 1 + clustering + drawn + intervals + map;
}

async function planJobs(
  context: TaskContext,
): Promise<{ grounds: ClusterGround[]; jobs: ClusteringJob[]; leftOut: string[] }> {
  const { settings, corpora, views, systems } = context;
  const dense = systems.filter(hasVectors);
  if (dense.length === 0)
    throw inputError('none of these models has vectors of documents to cluster', {
      code: 'clustering.models',
      field: '--model',
      expected: 'lsa or text encoders; bm25 has no vectors, nor has an encoder one vector for passages by max',
      found: settings.models.join(','),
    });
  const order = { lsa: 0, encoder: 1 };
  dense.sort((a, b) => order[a.kind] - order[b.kind]);
  const grounds: ClusterGround[] = [];
  for (const corpus of corpora) grounds.push(await openClusterGround(corpus, settings));
  const jobs: ClusteringJob[] = [];
  for (const system of dense)
    for (const ground of grounds)
      for (const view of views) {
        settings.signal?.throwIfAborted();
        jobs.push(await jobOf(ground, view, system, context));
      }
  const leftOut = systems.filter((system) => !hasVectors(system)).map(({ label }) => label);
  return { grounds, jobs, leftOut: [...new Set(leftOut)] };
}

/** What is asked of which documents. */
export function clusteringStatement(grounds: readonly ClusterGround[]): string {
  return grounds
    .map(({ card: { corpus, field, level, rule, documents, labels, clusters } }) => {
      const what = field === 'labels' ? 'labels of its own' : `${field.toUpperCase()} codes at the level of ${level}`;
      return `${documents.kept} documents of "${corpus}" are put into ${clusters} clusters and judged by ${labels.kept} ${what} (${reductionWords[rule]}).`;
    })
    .join(' ');
}

function lineOf({ measures: { metrics, cost } }: FinishedClustering): string {
  return `V-measure ${estimateText(metrics['v-measure']!)}, ${cost.seconds.toFixed(1)} s`;
}
