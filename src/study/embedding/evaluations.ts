/**
 * What a study evaluates of one system on one landscape and view: a retrieval cell, a classification cell a probe, a clustering
 * cell, as far as the landscape has the ground for them. Each is known by its hash before it is computed.
 */
import type { ReplicatedValue } from '../../metrics/replicates.ts';
import type { Estimate } from '../../metrics/types.ts';
import { CellStore, type FinishedCell } from '../cell.ts';
import { cellHash } from '../cell-folders.ts';
import { ClassificationStore, type FinishedClassification } from '../classification/cell.ts';
import { fits, tunedHeadlines } from '../classification/options.ts';
import { ClassificationWork, jobsOf } from '../classification/work.ts';
import { ClusteringStore, type FinishedClustering } from '../clustering/cell.ts';
import { hasVectors } from '../clustering/options.ts';
import { ClusteringWork, jobOf } from '../clustering/work.ts';
import type { EncoderPool } from '../dense.ts';
import type { LeasedFolders } from '../lease.ts';
import { keyOf, runCell } from '../run-cell.ts';
import { bm25System, type SystemSpec, type ViewSpec, viewLabel } from '../systems.ts';
import type { Unit } from './design.ts';
import type { Corner } from './results.ts';
import type { Landscape } from './sources.ts';

export type Finished =
  | { task: 'retrieval'; cell: FinishedCell }
  | { task: 'classification'; cell: FinishedClassification }
  | { task: 'clustering'; cell: FinishedClustering };

/** One cell, there or not. */
export interface Evaluation {
  corner: Corner;
  hash: string;
  folders: LeasedFolders;
  /** Undefined where there is none, or a damaged one. */
  load(): Promise<Finished | undefined>;
  /** Computes and stores it. */
  compute(): Promise<Finished>;
}

/** Systems that are searched, and read by probes and clusterers. */
export type StudiedSystem = Exclude<SystemSpec, { kind: 'fused' } | { kind: 'reranked' }>;

/** What a unit evaluates; `folder` of the model, where it has one. */
export function systemOf({ source, system, seed }: Unit, folder: string | undefined): StudiedSystem {
  if (source.kind === 'bm25') return bm25System;
  if (source.kind === 'lsa') return { kind: 'lsa', label: 'lsa' };
  const label = `${system.name}${seed === undefined ? '' : `, seed ${seed}`}`;
  return { kind: 'encoder', label, source: folder!, dtype: 'fp32' };
}

export class Evaluations {
  private readonly encoders: EncoderPool;
  private readonly retrieval: CellStore;
  private readonly classification: ClassificationStore;
  private readonly clustering: ClusteringStore;
  private readonly work = new Map<Landscape, { classification: ClassificationWork; clustering: ClusteringWork }>();

  constructor(home: string, study: string, encoders: EncoderPool) {
    this.encoders = encoders;
    this.retrieval = new CellStore(home, study);
    this.classification = new ClassificationStore(home, study);
    this.clustering = new ClusteringStore(home, study);
  }

  async of(system: StudiedSystem, landscape: Landscape, view: ViewSpec): Promise<Evaluation[]> {
    const { encoders } = this;
    const { settings, searched, classified, clustered } = landscape;
    const all: Evaluation[] = [];
    const place = { corpus: landscape.name, view: viewLabel(view) };
    if (searched !== undefined) {
      const context = { settings, study: searched, store: this.retrieval, encoders };
      const key = await keyOf(system, view, context);
      const hash = await cellHash(key);
      all.push({
        corner: { ...place, task: 'retrieval' },
        hash,
        folders: this.retrieval,
        load: () => finished('retrieval', this.retrieval.load(hash)),
        compute: async () => ({ task: 'retrieval', cell: await runCell(system, view, key, context) }),
      });
    }
    if (classified !== undefined && settings.probes.some((probe) => fits(probe, system)))
      for (const job of await jobsOf(classified, view, system, { settings, encoders }))
        all.push({
          corner: { ...place, task: 'classification', probe: job.probe },
          hash: job.cell,
          folders: this.classification,
          load: () => finished('classification', this.classification.load(job.cell)),
          compute: async () => {
            const cell = await this.workOn(landscape).classification.compute(job);
            await this.classification.save(cell);
            return { task: 'classification', cell };
          },
        });
    if (clustered !== undefined && hasVectors(system)) {
      const job = await jobOf(clustered, view, system, { settings, encoders });
      all.push({
        corner: { ...place, task: 'clustering' },
        hash: job.cell,
        folders: this.clustering,
        load: () => finished('clustering', this.clustering.load(job.cell)),
        compute: async () => {
          const cell = await this.workOn(landscape).clustering.compute(job);
          await this.clustering.save(cell);
          return { task: 'clustering', cell };
        },
      });
    }
    return all;
  }

  async close(): Promise<void> {
    for (const { classification, clustering } of this.work.values()) {
      await classification.close();
      await clustering.close();
    }
  }

  private workOn(landscape: Landscape) {
    const { settings } = landscape;
    const context = { settings, encoders: this.encoders };
    let work = this.work.get(landscape);
    if (work === undefined) {
      work = { classification: new ClassificationWork(context), clustering: new ClusteringWork(context) };
      this.work.set(landscape, work);
    }
    return work;
  }
}

async function finished<T extends Finished['task'], C>(task: T, cell: Promise<C | undefined>) {
  const found = await cell;
  return found === undefined ? undefined : ({ task, cell: found } as Finished);
}

/** `TA`, `TA, logistic`, `TA, clustering`: how pages name a corner within its corpus. */
export function cornerLabel({ view, task, probe }: Corner): string {
  return task === 'retrieval' ? view : `${view}, ${probe ?? task}`;
}

export function sameCorner(a: Corner, b: Corner): boolean {
  return a.corpus === b.corpus && a.view === b.view && a.task === b.task && a.probe === b.probe;
}

/** Every measured metric of a finished cell. */
export function metricsOf({ task, cell }: Finished): Record<string, Estimate> {
  return task === 'retrieval' ? cell.metrics : cell.measures.metrics;
}

/** The metrics that systems are compared by, the leading one first. */
export function comparedMetrics({ task, cell }: Finished): string[] {
  if (task === 'retrieval') return ['ndcg@10'];
  const names = Object.keys(cell.replicates);
  // Of several labels a document, thresholds that were chosen by cross-fitting say more than one half.
  return tunedHeadlines.every((name) => names.includes(name)) ? [...tunedHeadlines] : names;
}

/** A compared metric on resamples: of clusterings the mean over the seeds of k-means. */
export function replicatedValue(outcome: Exclude<Finished, { task: 'retrieval' }>, metric: string): ReplicatedValue {
  return outcome.task === 'classification'
    ? outcome.cell.replicates[metric]!
    : meanOf(outcome.cell.replicates[metric]!);
}

function meanOf(values: readonly ReplicatedValue[]): ReplicatedValue {
  const [first] = values as [ReplicatedValue, ...ReplicatedValue[]];
  const mean = (of: (value: ReplicatedValue) => Float64Array) =>
    of(first).map((_, at) => values.reduce((sum, value) => sum + of(value)[at]!, 0) / values.length);
  return {
    ...first,
    value: values.reduce((sum, { value }) => sum + value, 0) / values.length,
    replicates: mean(({ replicates }) => replicates),
    ...(first.jackknife === undefined ? {} : { jackknife: mean(({ jackknife }) => jackknife!) }),
  };
}
