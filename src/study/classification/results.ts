/** What classification leaves behind: plain data, as `results.ts` of the whole evaluation. */
import type { LabelField, SymbolLevel } from '../../corpus/labels.ts';
import type { ReliabilityBin } from '../../metrics/calibration.ts';
import type { Comparison, Estimate } from '../../metrics/types.ts';
import type { TaskManifest } from '../results.ts';
import type { DecisionRule, Probe } from './options.ts';

/** Of a classification cell. */
export interface ClassificationManifest extends TaskManifest {
  task: 'classification';
  probe: Probe;
}

export interface ClassificationCost {
  seconds: number;
  /** Of the vectors, as far as they were not stored before. */
  encodeSeconds?: number;
  /** Where all of them were computed now. */
  documentsPerSecond?: number;
  /** Fitting the probe, and asking it about all test documents. */
  trainSeconds: number;
  predictSeconds: number;
  peakMemoryBytes: number;
  /** Share of texts cut at the length limit, 0..1. */
  truncated?: number;
}

/** How the training of a probe ended; `knn` has none. */
export interface ConvergenceReport {
  converged: boolean;
  /** Most iterations of a label (logistic), epochs (heads). */
  iterations: number;
  /** Labels that were solved for, and how many of them did not converge. */
  problems: number;
  unconverged: number;
  warnings: string[];
}

/** One label's row. */
export interface LabelRow {
  label: string;
  train: number;
  /** Test documents that have it. */
  support: number;
  predicted: number;
  precision: number;
  recall: number;
  f1: number;
  averagePrecision: number;
  /** With the tuned threshold, and that threshold: the mean over the folds. */
  tunedF1?: number;
  threshold?: number;
}

/** Predictions cut to a coarser level of the hierarchy and scored there. */
export interface LevelScore {
  level: SymbolLevel;
  labels: number;
  thresholds: DecisionRule;
  microF1: Estimate;
  macroF1: Estimate;
}

export interface ClassificationCell {
  corpus: string;
  task: 'classification';
  model: string;
  view: string;
  probe: Probe;
  /** Scored. */
  documents: number;
  /** Learnt from. */
  trained: number;
  labels: number;
  /**
   * `micro-f1`, `macro-f1`, `weighted-f1`, `sample-f1`, `subset-accuracy`, `hamming` (also with `-shared` and `-tuned`), `p@k`, `recall@k`,
   * `lrap`, `map`, `ece`, `brier`.
   */
  metrics: Record<string, Estimate>;
  cost: ClassificationCost;
  perLabel: LabelRow[];
  levels: LevelScore[];
  reliability: ReliabilityBin[];
  convergence?: ConvergenceReport;
  /** Labels too rare to have a threshold of their own: they share one. */
  sharedThresholds?: number;
  manifest: ClassificationManifest;
  /** Of the cell, relative to the report's folder. */
  files: { predictions?: string };
}

/** A row's system as comparisons name it: model and probe. */
export function classifierName({ model, probe }: { model: string; probe: Probe }): string {
  return `${model} ${probe}`;
}

/** All classifiers of one corpus x view on one metric. */
export interface ClassificationComparison {
  corpus: string;
  view: string;
  metric: string;
  margin: number;
  systems: string[];
  pairs: Comparison[];
}

/** What was to be predicted, and what was left out. */
export interface LabelCard {
  corpus: string;
  field: LabelField;
  level?: SymbolLevel;
  /** `multi-class`: every document has exactly one label. */
  kind: 'multi-label' | 'multi-class';
  split: string;
  least: number;
  documents: {
    all: number;
    /** Without any label. */
    unlabelled: number;
    /** Whose labels were all left out. */
    emptied: number;
    /** In no part of the split. */
    unsplit: number;
    train: number;
    test: number;
  };
  /** Families of the test part: what is resampled. */
  testFamilies: number;
  labels: {
    found: number;
    kept: number;
    /** With fewer than `least` training documents. */
    rare: number;
    /** With enough of them, but no test document. */
    untested: number;
  };
  /** Labels kept a document. */
  perDocument: { mean: number; most: number };
}

export interface ClassificationResults {
  /** What is predicted, learnt from what. */
  statement: string;
  cells: ClassificationCell[];
  comparisons: ClassificationComparison[];
  labelCards: LabelCard[];
}
