/** Clustering: corpora x views x systems, one cell each; systems without vectors of documents are left out by name. */
import { join, relative, sep } from 'node:path';
import { inputError } from '../../base/errors.ts';
import { canonicalJson } from '../../base/hash.ts';
import { selectRows } from '../../classify/features.ts';
import { lsaSettings } from '../../encode/lsa.ts';
import { definitionsVersion } from '../../metrics/definitions.ts';
import { type MatrixProduct, openMatrixProduct } from '../../retrieve/matrix-product.ts';
import { cellHash, environmentOf } from '../cell-folders.ts';
import { measured } from '../clock.ts';
import { documentVectors } from '../document-vectors.ts';
import type { PlannedCell } from '../estimate.ts';
import { lexicalSettings } from '../lexical.ts';
import { requestOf } from '../request.ts';
import { type DenseSystem, type ViewSpec, viewLabel } from '../systems.ts';
import type { TaskContext } from '../tasks.ts';
import { assignmentsFile, type ClusteringKey, ClusteringStore, type FinishedClustering, mapFile } from './cell.ts';
import { compareClusteredViews, compareClusterings } from './compare.ts';
import { type ClusterGround, openClusterGround } from './ground.ts';
import { bestMap } from './maps.ts';
import { measureClusterings } from './measure.ts';
import { type Clusterer, hasVectors, mapPoints } from './options.ts';
import type { ClusteringCell, ClusteringResults } from './results.ts';
import { clusterDocuments, seedsOf } from './run.ts';

interface Job {
  ground: ClusterGround;
  view: ViewSpec;
  system: DenseSystem;
  key: ClusteringKey;
  cell: string;
}

/** Computes what is missing. Throws where a corpus has no labels to tell apart, or no system has vectors. */
export async function evaluateClustering(context: TaskContext): Promise<ClusteringResults> {
  const { settings, folder, run } = context;
  const store = new ClusteringStore(settings.home, settings.study);
  const { grounds, jobs, leftOut } = await planJobs(context);
  const rows: { result: ClusteringCell; cell: FinishedClustering; ground: ClusterGround }[] = [];
  let product: Promise<MatrixProduct> | undefined;
  try {
    for (const job of jobs) {
      const { ground, view, system, cell: hash } = job;
      const name = `${ground.corpus.name} ${viewLabel(view)} ${system.label} clustering`;
      const compute = async () => {
        product ??= openMatrixProduct(settings.platform, { threads: settings.threads });
        const cell = await computeCell(job, await product, context);
        await store.save(cell);
        return cell;
      };
      const cell = await run.cell(store, hash, name, compute, lineOf);
      if (cell === undefined) continue;
      const path = (file: string) =>
        relative(folder, join(store.path(hash), file))
          .split(sep)
          .join('/');
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
    await (await product)?.close();
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
    statement: statementOf(grounds),
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
  const intervals = seeds * (resamples + Math.min(documents, 1000)) * documents * 1e-8;
  const map = Math.min(documents, mapPoints) * 3e-3;
  return 1 + clustering + drawn + intervals + map;
}

async function planJobs(context: TaskContext): Promise<{ grounds: ClusterGround[]; jobs: Job[]; leftOut: string[] }> {
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
  const jobs: Job[] = [];
  for (const system of dense)
    for (const ground of grounds)
      for (const view of views) {
        settings.signal?.throwIfAborted();
        const key = await keyOf(ground, view, system, context);
        jobs.push({ ground, view, system, key, cell: await cellHash(key) });
      }
  const leftOut = systems.filter((system) => !hasVectors(system)).map(({ label }) => label);
  return { grounds, jobs, leftOut: [...new Set(leftOut)] };
}

/** Everything that can change the result. */
async function keyOf(
  { corpus, settings: ground, clusters }: ClusterGround,
  view: ViewSpec,
  system: DenseSystem,
  { settings, encoders }: TaskContext,
): Promise<ClusteringKey> {
  return {
    task: 'clustering',
    corpus: { name: corpus.name, hash: corpus.hash, revision: corpus.revision, invented: corpus.invented },
    model: system.label,
    view: view.view,
    maskCitations: view.masked,
    device: 'cpu',
    clusterer: clustererOf(settings),
    ...(system.kind === 'encoder'
      ? await encoders.manifestOf(system)
      : { dimensions: system.dimensions ?? settings.lsaDimensions }),
    settings: {
      labels: ground,
      clusters,
      map: { points: mapPoints },
      resamples: settings.resamples,
      ...(system.kind === 'lsa'
        ? {
            analyser: lexicalSettings(settings).analyser,
            lsa: lsaSettings({ dimensions: settings.lsaDimensions, seed: settings.seed }),
          }
        : {}),
    },
    seeds: seedsOf(settings),
    packageVersion: settings.packageVersion,
    definitions: definitionsVersion,
  };
}

function clustererOf({ clustering }: TaskContext['settings']): Clusterer {
  return clustering.clusterer ?? 'kmeans';
}

async function computeCell(
  { ground, view, system, key, cell }: Job,
  product: MatrixProduct,
  { settings, encoders }: TaskContext,
): Promise<FinishedClustering> {
  const started = new Date().toISOString();
  const { corpus, rows, names, truth, clusters } = ground;
  const { result, spent } = await measured(async () => {
    const { vectors, dimensions, ...cost } = await documentVectors(corpus, view, system, encoders, settings);
    const own = selectRows({ vectors, dimensions }, rows);
    const label = `${system.label}, ${corpus.name} ${viewLabel(view)}`;
    const clustered = await clusterDocuments(ground, own, key.clusterer, product, label, settings);
    return { clustered, cost, measures: measureClusterings(ground, clustered, settings) };
  });
  const { clustered, cost } = result;
  const { map, seconds } = clustered;
  const { replicates, ...measures } = result.measures;
  const { relevance: _, ...request } = await requestOf(system, view, corpus.name, settings);
  return {
    manifest: {
      ...key,
      format: 1,
      cell,
      request: { ...request, tasks: ['clustering'], labels: settings.labels, clustering: settings.clustering },
      environment: environmentOf(started, settings.threads),
    },
    measures: {
      documents: rows.length,
      labels: names.length,
      clusters,
      ...measures,
      bootstraps: clustered.bootstraps,
      ...(map === undefined
        ? {}
        : {
            map: {
              documents: map.places.length,
              neighbours: map.neighbours,
              trustworthiness: map.trustworthiness,
            },
          }),
      cost: {
        seconds: spent.seconds,
        ...cost,
        clusterSeconds: seconds.clustering / key.seeds.length,
        bootstrapSeconds: seconds.bootstraps,
        mapSeconds: seconds.map,
        peakMemoryBytes: spent.peakMemoryBytes,
      },
    },
    documentIds: Array.from(rows, (row) => corpus.id(row)),
    truth: Array.from(truth, (label) => names[label]!),
    assigned: clustered.runs.map(({ labels }) => labels),
    replicates,
    ...(map === undefined ? {} : { map: { places: map.places, points: map.points } }),
  };
}

const ruleWords = {
  single: 'documents with one label only',
  first: 'the label that each names first',
  frequent: 'the most frequent label of each',
  rare: 'the rarest label of each',
} as const;

function statementOf(grounds: readonly ClusterGround[]): string {
  return grounds
    .map(({ card: { corpus, field, level, rule, documents, labels, clusters } }) => {
      const what = field === 'labels' ? 'labels of its own' : `${field.toUpperCase()} codes at the level of ${level}`;
      return `${documents.kept} documents of "${corpus}" are put into ${clusters} clusters and judged by ${labels.kept} ${what} (${ruleWords[rule]}).`;
    })
    .join(' ');
}

function lineOf({ measures: { metrics, cost } }: FinishedClustering): string {
  const { value, lower, upper } = metrics['v-measure']!;
  const interval = Number.isNaN(lower) ? '' : ` [${lower.toFixed(4)}, ${upper.toFixed(4)}]`;
  return `V-measure ${value.toFixed(4)}${interval}, ${cost.seconds.toFixed(1)} s`;
}
