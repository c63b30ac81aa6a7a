/** What an embedding study leaves behind: plain data between the study that computes and the report that shows. */
import type { SplitSummary } from '../../corpus/splits.ts';
import type { Comparison, Estimate } from '../../metrics/types.ts';
import type { LeakageAudit } from '../../tune/leakage.ts';
import type { TrainingPlan } from '../../tune/plan.ts';
import type { Probe } from '../classification/options.ts';
import type { LabelCard } from '../classification/results.ts';
import type { ReductionCard } from '../clustering/results.ts';
import type { DataCard, Task, TaskManifest } from '../results.ts';
import type { Question } from './questions.ts';

/**
 * `baseline`: bm25, lsa. `start`: a model as it is. `recipe`: trained on one corpus. `control`: on shuffled pairs.
 * `interpolate`, `lora-scale`: the weights between start and tuned. `mixed`: trained on all corpora.
 */
export type SystemRole = 'baseline' | 'start' | 'recipe' | 'control' | 'interpolate' | 'lora-scale' | 'mixed';

/** What is evaluated, all its seeds together. */
export interface StudySystem {
  /** As tables name it; unique in the study. */
  name: string;
  role: SystemRole;
  /** Of the study's models; absent for baselines. */
  model?: string;
  recipe?: string;
  /** Corpus whose train part it learnt from; `all corpora` where mixed. */
  trainedOn?: string;
  /** Of remedies: how much of the tuning is kept. */
  weight?: number;
}

/** What a system costs where it is used, seconds of one document and bytes of it; undefined where vectors were stored before. */
export interface UseCost {
  documentSeconds?: number;
  /** Of one query, or of what the task does to one document. */
  querySeconds?: number;
  bytes?: number;
}

/** Where systems are compared with one another. */
export interface Corner {
  corpus: string;
  view: string;
  task: Task;
  /** Of classification. */
  probe?: Probe;
}

/** A corner as the report shows it. */
export interface StudyCorner extends Corner {
  /** The metric that its systems are ranked by. */
  metric: string;
  /** Queries, of the other tasks documents: what is resampled. */
  sample: number;
  /** That may be found, or that the task is done with. */
  documents: number;
}

/** A system in one corner. */
export interface StudyRow extends Corner {
  system: string;
  /** Of the first seed. */
  cost: UseCost;
  metrics: Record<string, Estimate>;
  /** The leading metric of each seed; one value where nothing was trained. */
  seeds: { seed?: number; value: number; cell: string }[];
  /** Fewer than 5 seeds: how much another training would differ is hardly known. */
  tentative: boolean;
}

/** Two systems in the question that they answer. */
export type StudyComparison = Comparison & { question: Question };

/** The pairs of systems in one corner and on one metric that are tested, Holm-adjusted within each question. */
export interface StudyComparisons extends Corner {
  metric: string;
  margin: number;
  resamples: number;
  pairs: StudyComparison[];
}

/** A trained system against the model it started from. */
export interface TransferCell {
  system: string;
  role: SystemRole;
  model: string;
  recipe: string;
  weight?: number;
  /** Corpus it was trained on; `all corpora` where mixed. */
  from: string;
  /** Corpus it was evaluated on. */
  to: string;
  view: string;
  task: Task;
  probe?: Probe;
  metric: string;
  value: number;
  start: number;
  /** The trained system minus its start. */
  comparison: Comparison;
}

export interface StudyTraining {
  hash: string;
  model: string;
  corpus: string;
  recipe: string;
  seed: number;
  pairs: number;
  steps: number;
  loss: { first: number; last: number };
  curve: { step: number; loss: number }[];
  seconds: number;
  /** Largest difference between the vectors of the trained weights and of the checkpoint read back. */
  reloaded: number;
  audit: LeakageAudit;
  plan: TrainingPlan;
}

export interface EmbeddingResults {
  format: 1;
  kind: 'embedding';
  study: string;
  title: string;
  invented: boolean;
  created: string;
  packageVersion: string;
  definitions: string;
  command: string;
  /** First line of the report. */
  relevanceStatement: string;
  margin: number;
  tasks: Task[];
  /** Corpus by corpus, view by view, task by task; those without any finished system are left out. */
  corners: StudyCorner[];
  /** Cells of the study, and how many of them are finished. */
  cells: { done: number; total: number };
  corpora: {
    name: string;
    card: DataCard;
    /** Absent where nothing learns from it, and all of it is tested on. */
    split?: SplitSummary;
    /** Of the test part, or of all; absent where nothing is searched. */
    queries?: number;
    labels?: LabelCard;
    clusters?: ReductionCard;
    /** Tasks of the study that it has no ground for. */
    lacks: { task: Task; reason: string }[];
    /** What the recipes had and how they were matched. */
    matched: string;
  }[];
  /** False: recipes had different data, and their order says nothing about them. */
  matched: boolean;
  differences: string[];
  systems: StudySystem[];
  rows: StudyRow[];
  comparisons: StudyComparisons[];
  transfer: TransferCell[];
  trainings: StudyTraining[];
  /** Recipes that a corpus has no signal for. */
  absent: { corpus: string; recipe: string; reason: string }[];
  missingModels: { model: string; reason: string }[];
  /** Of each evaluation cell. */
  manifests: TaskManifest[];
  warnings: string[];
}
