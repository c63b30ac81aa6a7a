/**
 * The probes of classification and their settings, all of which are part of a cell's identity.
 *
 *   knn       the share of the 5 nearest training documents that have a label (MTEB's multi-label protocol, all documents)
 *   logistic  logistic regression, one-vs-rest (softmax where every document has one label), L2 with C = 1
 *   linear    one linear layer trained by the engine, stopped early
 *   mlp       the same with one hidden layer of 256
 *
 * `bm25` has no vectors: its knn takes the documents that BM25 ranks first, its logistic reads TF-IDF rows; heads need vectors.
 */
import type { SystemSpec } from '../systems.ts';

export const probes = ['knn', 'logistic', 'linear', 'mlp'] as const;
export type Probe = (typeof probes)[number];

export const defaultProbes: readonly Probe[] = ['knn', 'logistic'];
/** Labels with fewer training documents are left out. */
export const defaultLeast = 5;
/** Of the documents, where no split is given. */
export const testShare = 0.2;
/**
 * How probabilities become labels, and the ending of the metrics that say how well: 0.5 for every label; one threshold for all
 * labels, tuned for micro-F1; one for each, tuned for its own F1. Both are cross-fitted, where documents have several labels.
 */
export const decisionSuffixes = { fixed: '', shared: '-shared', tuned: '-tuned' } as const;
export type DecisionRule = keyof typeof decisionSuffixes;
/** What one looks at where thresholds are tuned: each measure by the rule that serves it. */
export const tunedHeadlines = ['micro-f1-shared', 'macro-f1-tuned'] as const;
/** Of the cross-fitting of thresholds. */
export const thresholdFolds = 5;
/** P@k and R@k. */
export const cuts = [1, 3, 5] as const;
export const neighbours = 5;
export const reliabilityBins = 15;
/** Of scores at coarser levels, which are compared by nobody. */
export const levelResamples = 2000;

/** Why these: src/classify/head.ts. */
const head = {
  epochs: 100,
  batchSize: 64,
  leastSteps: 32,
  learningRate: 1e-3,
  weightDecay: 0.01,
  heldOut: 0.1,
  leastGain: 1e-3,
  halveAfter: 2,
  patience: 5,
} as const;

/** What each probe is called with. */
export const probeSettings = {
  knn: { k: neighbours },
  logistic: { C: 1, classWeight: 'none', tolerance: 1e-4, maxIterations: 500 },
  linear: { ...head, head: { kind: 'linear' } },
  mlp: { ...head, head: { kind: 'mlp', hidden: 256, activation: 'gelu', dropout: 0.1 } },
} as const;

/** Whether a probe has something of a system to read. */
export function fits(probe: Probe, system: SystemSpec): boolean {
  if (system.kind === 'bm25') return probe === 'knn' || probe === 'logistic';
  // The best of a document's passages depends on a query, which there is none of here.
  return system.kind === 'lsa' || (system.kind === 'encoder' && system.passages?.aggregate !== 'max');
}
