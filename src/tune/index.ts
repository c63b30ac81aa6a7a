/** Contrastive recipes on a corpus: pairs, negatives, masks, controls, audit. */

export { type LabelField, type LabelTable, labelFields, type SymbolLevel, symbolLevels } from '../corpus/labels.ts';
export { inTurn, proportionally } from './combine.ts';
export {
  type AuditOptions,
  auditLeakage,
  type LeakageAudit,
  type LeakageCheck,
  leakageChecks,
  leakageTable,
  requireClean,
} from './leakage.ts';
export {
  bm25Ranker,
  type MinedNegatives,
  type MiningOptions,
  mineNegatives,
  type NegativeRanker,
  vectorRanker,
} from './negatives.ts';
export {
  type PairKind,
  PairTable,
  type PairText,
  pairTexts,
  type Signal,
  signals,
  type TrainingPair,
} from './pairs.ts';
export {
  type Baseline,
  baselines,
  comparePlans,
  matchPairs,
  type PlanComparison,
  type PlanOptions,
  planTraining,
  requireMatched,
  type TrainingPlan,
  zeroShotPlan,
} from './plan.ts';
export {
  buildPairs,
  corpusSignals,
  type RecipeOptions,
  type RecipePairs,
  type RecipeSources,
  recipeSignals,
} from './recipes.ts';
export { falseNegatives, Relatedness } from './related.ts';
export { type ShuffledPairs, shufflePairs } from './shuffled.ts';
