/** What an embedding study leaves behind: plain data between the study that computes and the report that shows. */
import type { SplitSummary } from '../../corpus/splits.ts';
import type { Comparison, Estimate } from '../../metrics/types.ts';
import type { LeakageAudit } from '../../tune/leakage.ts';
import type { TrainingPlan } from '../../tune/plan.ts';
import type { Cost, Manifest, SearchedDataCard } from '../results.ts';
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

/** A system on one corpus and view. */
export interface StudyRow {
  corpus: string;
  view: string;
  system: string;
  queries: number;
  /** That may be found. */
  documents: number;
  /** Of its first seed. */
  cost: Cost;
  metrics: Record<string, Estimate>;
  /** Mean of the headline metric of each seed; one value where nothing was trained. */
  seeds: { seed?: number; value: number; cell: string }[];
  /** Fewer than 5 seeds: how much another training would differ is hardly known. */
  tentative: boolean;
}

/** Two systems in the question that they answer. */
export type StudyComparison = Comparison & { question: Question };

/** The pairs of systems on one corpus, view and metric that are tested, Holm-adjusted within each question. */
export interface StudyComparisons {
  corpus: string;
  view: string;
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
  headline: string;
  margin: number;
  views: string[];
  /** Cells of the study, and how many of them are finished. */
  cells: { done: number; total: number };
  corpora: {
    name: string;
    card: SearchedDataCard;
    /** Absent where nothing learns from it, and all of it is tested on. */
    split?: SplitSummary;
    /** Of the test part, or of all. */
    queries: number;
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
  manifests: Manifest[];
  warnings: string[];
}
