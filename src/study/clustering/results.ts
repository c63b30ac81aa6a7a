/** What clustering leaves behind: plain data, as `results.ts` of the whole evaluation. */
import type { LabelField, SymbolLevel } from '../../corpus/labels.ts';
import type { ClusteringMetrics } from '../../metrics/clustering.ts';
import type { Comparison, Estimate } from '../../metrics/types.ts';
import type { TaskManifest } from '../results.ts';
import type { Clusterer, Reduction } from './options.ts';

/** Of a clustering cell; `seeds` are those of k-means. */
export interface ClusteringManifest extends TaskManifest {
  task: 'clustering';
  clusterer: Clusterer;
}

export interface ClusteringCost {
  seconds: number;
  /** Of the vectors, as far as they were not stored before. */
  encodeSeconds?: number;
  /** Where all vectors were computed now: documents a second. */
  documentsPerSecond?: number;
  /** All documents, once: the mean over the seeds. */
  clusterSeconds: number;
  bootstrapSeconds: number;
  mapSeconds: number;
  peakMemoryBytes: number;
  /** Share of texts cut at the length limit, 0..1. */
  truncated?: number;
}

/** One clustering of all documents. */
export interface SeedRun {
  seed: number;
  iterations: number;
  converged: boolean;
  /** Sum of squared distances to the centres. */
  inertia: number;
  metrics: ClusteringMetrics;
}

/** The benchmark's protocol: samples drawn with replacement, each clustered anew. */
export interface BootstrapScores {
  /** Documents of each. */
  size: number;
  vMeasures: number[];
  /** Mean, and standard deviation divided by the number: `v_measure` and `v_measure_std`. */
  mean: number;
  deviation: number;
}

/** One cluster's row. */
export interface ClusterRow {
  cluster: number;
  documents: number;
  /** Share of its most frequent label. */
  purity: number;
  /** Most frequent first. */
  labels: { label: string; documents: number }[];
}

/** One label's row. */
export interface SpreadLabel {
  label: string;
  documents: number;
  /** Over how many clusters of equal size it would be spread as widely: exp of the entropy of its clusters. */
  spread: number;
  /** Fullest first. */
  clusters: { cluster: number; documents: number }[];
}

/** Two labels in the same clusters. */
export interface MixedLabels {
  a: string;
  b: string;
  /** Chance that a document of `a` and one of `b` lie in one cluster. */
  together: number;
  /** The same for two documents of `a`, of `b`. */
  within: [a: number, b: number];
}

export interface ClusteringCell {
  corpus: string;
  task: 'clustering';
  model: string;
  view: string;
  documents: number;
  labels: number;
  clusters: number;
  /** `v-measure`, `homogeneity`, `completeness`, `ari`, `ami`, `nmi`, `purity`: means over the seeds. */
  metrics: Record<string, Estimate>;
  runs: SeedRun[];
  bootstraps: BootstrapScores;
  /** Of the clustering with the first seed. */
  perCluster: ClusterRow[];
  perLabel: SpreadLabel[];
  /** Most often together first. */
  mixed: MixedLabels[];
  /** Of the map, where there are documents enough for one. */
  map?: { documents: number; neighbours: number; trustworthiness: number };
  cost: ClusteringCost;
  manifest: ClusteringManifest;
  /** Of the cell, relative to the report's folder. */
  files: { assignments?: string; map?: string };
}

/** All systems of one corpus and view on one metric. */
export interface ClusteringComparison {
  corpus: string;
  view: string;
  metric: string;
  margin: number;
  systems: string[];
  pairs: Comparison[];
}

/** The views of one system against one another. */
export interface ClusteringViews {
  corpus: string;
  model: string;
  metric: string;
  margin: number;
  views: string[];
  pairs: Comparison[];
}

/** Documents of the best system of a corpus and view in the plane; columns of equal length. */
export interface ClusteringMap {
  corpus: string;
  view: string;
  model: string;
  neighbours: number;
  trustworthiness: number;
  /** Labels, those of most documents first. */
  names: string[];
  ids: string[];
  titles: string[];
  /** Numbers within `names`. */
  labels: number[];
  clusters: number[];
  x: number[];
  y: number[];
}

/** What was to be found, and what was left out. */
export interface ReductionCard {
  corpus: string;
  field: LabelField;
  level?: SymbolLevel;
  rule: Reduction;
  /** Of `first`: how often, of documents with several labels, the first is also the first of the alphabet, 0..1. */
  alphabetical?: number;
  least: number;
  /** Which documents were taken at all. */
  split: string;
  documents: {
    all: number;
    /** In another part of the split. */
    unsplit: number;
    unlabelled: number;
    /** With several labels, where the rule takes none of them. */
    several: number;
    /** Of labels that were too small. */
    small: number;
    kept: number;
  };
  families: number;
  labels: { used: number; dropped: number; kept: number };
  /** Documents of the labels kept. */
  sizes: { smallest: number; median: number; largest: number; largestLabel: string };
  clusters: number;
}

export interface ClusteringResults {
  /** What is clustered, by which labels it is judged. */
  statement: string;
  cells: ClusteringCell[];
  comparisons: ClusteringComparison[];
  viewComparisons: ClusteringViews[];
  maps: ClusteringMap[];
  cards: ReductionCard[];
  /** Systems without vectors of documents. */
  leftOut: string[];
}
