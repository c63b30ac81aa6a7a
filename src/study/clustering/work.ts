/** The work of clustering, one cell at a time: what identifies a cell, and how it is computed. */
import { selectRows } from '../../classify/features.ts';
import { type MatrixProduct, openMatrixProduct } from '../../retrieve/matrix-product.ts';
import { cellHash, environmentOf } from '../cell-folders.ts';
import { commonKey, lsaKey } from '../cell-key.ts';
import { measured } from '../clock.ts';
import { documentVectors } from '../document-vectors.ts';
import { requestOf } from '../request.ts';
import { type DenseSystem, type ViewSpec, viewLabel } from '../systems.ts';
import type { WorkContext } from '../tasks.ts';
import type { ClusteringKey, FinishedClustering } from './cell.ts';
import type { ClusterGround } from './ground.ts';
import { measureClusterings } from './measure.ts';
import { type Clusterer, mapPoints } from './options.ts';
import { clusterDocuments, seedsOf } from './run.ts';

export interface ClusteringJob {
  ground: ClusterGround;
  view: ViewSpec;
  system: DenseSystem;
  key: ClusteringKey;
  cell: string;
}

export async function jobOf(
  ground: ClusterGround,
  view: ViewSpec,
  system: DenseSystem,
  context: WorkContext,
): Promise<ClusteringJob> {
  const key = await keyOf(ground, view, system, context);
  return { ground, view, system, key, cell: await cellHash(key) };
}

export class ClusteringWork {
  private readonly context: WorkContext;
  private product: Promise<MatrixProduct> | undefined;

  constructor(context: WorkContext) {
    this.context = context;
  }

  /** The finished cell; not stored. */
  async compute(job: ClusteringJob): Promise<FinishedClustering> {
    const { platform, threads } = this.context.settings;
    this.product ??= openMatrixProduct(platform, { threads });
    return computeCell(job, await this.product, this.context);
  }

  async close(): Promise<void> {
    await (await this.product)?.close();
  }
}

/** Everything that can change the result. */
async function keyOf(
  { corpus, settings: ground, clusters }: ClusterGround,
  view: ViewSpec,
  system: DenseSystem,
  { settings, encoders }: WorkContext,
): Promise<ClusteringKey> {
  return {
    task: 'clustering',
    ...commonKey(corpus, view, system.label, settings),
    clusterer: clustererOf(settings),
    ...(system.kind === 'encoder'
      ? await encoders.manifestOf(system)
      : { dimensions: system.dimensions ?? settings.lsaDimensions }),
    settings: {
      labels: ground,
      clusters,
      map: { points: mapPoints },
      resamples: settings.resamples,
      ...(system.kind === 'lsa' ? lsaKey(settings) : {}),
    },
    seeds: seedsOf(settings),
  };
}

function clustererOf({ clustering }: WorkContext['settings']): Clusterer {
  return clustering.clusterer ?? 'kmeans';
}

async function computeCell(
  { ground, view, system, key, cell }: ClusteringJob,
  product: MatrixProduct,
  { settings, encoders }: WorkContext,
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
