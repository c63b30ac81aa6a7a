/** Tables of classification beside the page. */
import { classifierName } from '../study/classification/results.ts';
import type { EvaluationResults } from '../study/results.ts';
import { csv } from './csv.ts';
import { unique } from './standings.ts';

export const classificationFiles = {
  leaderboard: 'classification.csv',
  comparisons: 'classification-comparisons.csv',
  labels: 'classification-labels.csv',
  levels: 'classification-levels.csv',
  reliability: 'classification-reliability.csv',
} as const;

/** File name -> content; none where classification was not asked for. */
export function classificationCsv({ classification }: EvaluationResults): [string, string][] {
  if (classification === undefined) return [];
  const { cells, comparisons } = classification;
  const metrics = unique(cells.flatMap((cell) => Object.keys(cell.metrics)));
  const head = ['corpus', 'view', 'model', 'probe'];
  const of = ({ corpus, view, model, probe }: (typeof cells)[number]) => [corpus, view, model, probe];
  return [
    [
      classificationFiles.leaderboard,
      csv(
        [
          ...head, 'documents', 'trained', 'labels',
          ...metrics.flatMap((metric) => [metric, `${metric} lower`, `${metric} upper`]),
          'seconds', 'encode_seconds', 'train_seconds', 'predict_seconds', 'peak_memory_bytes', 'truncated',
          'converged', 'iterations', 'unconverged', 'shared_thresholds', 'cell',
        ], // biome-ignore format: the columns, as they stand
        cells.map((cell) => [
          ...of(cell),
          cell.documents,
          cell.trained,
          cell.labels,
          ...metrics.flatMap((metric) => {
            const estimate = cell.metrics[metric];
            return [estimate?.value, estimate?.lower, estimate?.upper];
          }),
          cell.cost.seconds,
          cell.cost.encodeSeconds,
          cell.cost.trainSeconds,
          cell.cost.predictSeconds,
          cell.cost.peakMemoryBytes,
          cell.cost.truncated,
          cell.convergence?.converged,
          cell.convergence?.iterations,
          cell.convergence?.unconverged,
          cell.sharedThresholds,
          cell.manifest.cell,
        ]),
      ),
    ],
    [
      classificationFiles.comparisons,
      csv(
        [
          'corpus', 'view', 'metric', 'margin', 'a', 'b', 'difference', 'lower', 'upper', 'p', 'p_holm', 'verdict',
          'detectable', 'documents', 'tentative',
        ], // biome-ignore format: the columns, as they stand
        comparisons.flatMap(({ corpus, view, metric, margin, pairs }) =>
          pairs.map((pair) => [
            corpus,
            view,
            metric,
            margin,
            pair.a,
            pair.b,
            pair.difference,
            pair.lower,
            pair.upper,
            pair.p,
            pair.pHolm,
            pair.verdict,
            pair.detectable,
            pair.queries,
            pair.tentative ?? false,
          ]),
        ),
      ),
    ],
    [
      classificationFiles.labels,
      csv(
        [
          ...head, 'label', 'train', 'test', 'predicted', 'precision', 'recall', 'f1', 'average_precision', 'tuned_f1',
          'threshold',
        ], // biome-ignore format: the columns, as they stand
        cells.flatMap((cell) =>
          cell.perLabel.map((row) => [
            ...of(cell),
            row.label,
            row.train,
            row.support,
            row.predicted,
            row.precision,
            row.recall,
            row.f1,
            row.averagePrecision,
            row.tunedF1,
            row.threshold,
          ]),
        ),
      ),
    ],
    [
      classificationFiles.levels,
      csv(
        [
          ...head, 'level', 'labels', 'thresholds', 'micro_f1', 'micro_f1 lower', 'micro_f1 upper', 'macro_f1',
          'macro_f1 lower', 'macro_f1 upper',
        ], // biome-ignore format: the columns, as they stand
        cells.flatMap((cell) =>
          cell.levels.map(({ level, labels, thresholds, microF1, macroF1 }) => [
            ...of(cell),
            level,
            labels,
            thresholds,
            ...[microF1, macroF1].flatMap(({ value, lower, upper }) => [value, lower, upper]),
          ]),
        ),
      ),
    ],
    [
      classificationFiles.reliability,
      csv(
        ['corpus', 'view', 'system', 'from', 'to', 'decisions', 'probability', 'came_true'],
        cells.flatMap((cell) =>
          cell.reliability.map(({ from, to, count, confidence, accuracy }) => [
            cell.corpus,
            cell.view,
            classifierName(cell),
            from,
            to,
            count,
            confidence,
            accuracy,
          ]),
        ),
      ),
    ],
  ];
}
