/** `patentlab/metrics`: retrieval measures as trec_eval defines them, and the statistics that compare systems. */
export { definitionsVersion } from './definitions.ts';
export { type Measure, type MeasureFamily, metricNames, parseMetric, trecMeasures } from './measure.ts';
export { leftUnjudged, notJudged, RankingScorer } from './ranking.ts';
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
