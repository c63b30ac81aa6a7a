/**
 * Settings of clustering, all of which are part of a cell's identity.
 *
 *   kmeans     Lloyd's algorithm on all documents, k-means++ starts
 *   minibatch  mini-batch k-means on all documents, k-means++ starts on a sample
 *
 * Every system is clustered once a seed, and once more on each bootstrap as the Massive Text Embedding Benchmark does it, always
 * by mini-batch k-means into as many clusters as there are labels there. Vectors are taken as the model makes them.
 */
import { inputError } from '../../base/errors.ts';
import { type LabelRule as Reduction, labelRules as reductions } from '../../cluster/reduce-labels.ts';
import type { LabelField } from '../../corpus/labels.ts';
import { fewestSeeds } from '../../metrics/significance.ts';
import type { DenseSystem, SystemSpec } from '../systems.ts';

export { type Reduction, reductions };

export const clusterers = ['kmeans', 'minibatch'] as const;
export type Clusterer = (typeof clusterers)[number];

export interface ClusteringOptions {
  /** How documents with several labels come to one. Default: first for CPC and IPC, single for labels of the user's own. */
  reduce?: Reduction;
  /** Default: the number of labels. */
  clusters?: number;
  /** Default kmeans. */
  clusterer?: Clusterer;
  /** Samples that are clustered anew. Default 10. */
  bootstraps?: number;
}

/** Labels of fewer documents are left out: too small a group to be found. */
export const defaultLeast = 5;
export const defaultBootstraps = 10;
/** Documents a bootstrap at most. */
export const bootstrapRows = 16384;
/** Starts of k-means, one clustering each: as many as the statistics ask of anything that depends on seeds. */
export const starts = fewestSeeds;
/** Documents on a map at most. */
export const mapPoints = 2000;

/** In CPC and IPC the first symbol is meant to be the invention's; labels of one's own have no order that one may count on. */
export function defaultReduction(field: LabelField): Reduction {
  return field === 'labels' ? 'single' : 'first';
}

/** The rules in words. */
export const reductionWords: Readonly<Record<Reduction, string>> = {
  single: 'documents with exactly one label, the others left out',
  first: 'the label that each document names first',
  frequent: 'of each document’s labels the one that most documents have',
  rare: 'of each document’s labels the one that fewest documents have',
};

export function checkClustering(options: ClusteringOptions): ClusteringOptions {
  const { clusters, bootstraps } = options;
  const whole = (field: string, value: number | undefined, least: number) => {
    if (value === undefined || (Number.isInteger(value) && value >= least)) return;
    throw inputError(`${field} is wrong`, {
      code: 'clustering.options',
      field,
      expected: `a whole number from ${least}`,
      found: String(value),
    });
  };
  whole('--clusters', clusters, 2);
  whole('--bootstraps', bootstraps, 1);
  return options;
}

/** Whether a system has one vector a document: bm25 has none, and the best of a document's passages depends on a query. */
export function hasVectors(system: SystemSpec): system is DenseSystem {
  return system.kind === 'lsa' || (system.kind === 'encoder' && system.passages?.aggregate !== 'max');
}
