/**
 * `patentlab/metrics`: retrieval measures as trec_eval defines them, measures of labels and clusterings as scikit-learn does,
 * and the statistics that compare systems.
 */
export {
  type Calibration,
  calibration,
  calibrationPerLabel,
  type ReliabilityBin,
  topLabelCalibration,
} from './calibration.ts';
export { type ClusteringMeasure, type ClusteringMetrics, clusteringMeasures, clusteringMetrics } from './clustering.ts';
export { bootstrapClustering } from './clustering-bootstrap.ts';
export { definitionsVersion } from './definitions.ts';
export { type RankingMetrics, rankingMetrics } from './label-ranking.ts';
export { type LabelSets, labelSets, selectLabelSets } from './label-sets.ts';
export { type Measure, type MeasureFamily, metricNames, parseMetric, trecMeasures } from './measure.ts';
export {
  documentF1,
  type LabelScore,
  type MultilabelMeasure,
  type MultilabelMetrics,
  multilabelMeasures,
  multilabelMetrics,
  perLabel,
} from './multilabel.ts';
export {
  bootstrapMultilabel,
  type MultilabelResampling,
  type SwapTestInput,
  swapTest,
} from './multilabel-bootstrap.ts';
export { leftUnjudged, notJudged, RankingScorer } from './ranking.ts';
export {
  type CompareReplicatedInput,
  compareReplicated,
  estimateReplicated,
  type ReplicatedValue,
  type ReplicatedValues,
} from './replicates.ts';
export { type ScoreOptions, type Scores, scoreRun, summary, topicValues } from './score.ts';
export {
  comparePairs,
  type EstimateOptions,
  estimateMean,
  estimateMeans,
  holm,
  minimalDetectableEffect,
  type PairsInput,
  type SystemValues,
} from './significance.ts';
export { readJudgements, readRun, runLines, type TaggedRun } from './trec.ts';
export type { Comparison, Estimate, Judgements, Ranking, Run, Verdict } from './types.ts';
