/**
 * All classifiers of one corpus and view against one another on micro- and macro-F1, by every rule of thresholds: intervals
 * from shared resamples of families, p by swapping families' predictions (multilabel-bootstrap.ts), Holm over all pairs of a
 * table. Heads are trained with one seed, so that their pairs are marked tentative.
 */
import { swapTest } from '../../metrics/multilabel-bootstrap.ts';
import { compareReplicated } from '../../metrics/replicates.ts';
import type { EvaluateSettings } from '../evaluate-options.ts';
import type { FinishedClassification } from './cell.ts';
import type { Ground } from './ground.ts';
import { comparedMeasures, rulesOf } from './measure.ts';
import { decisionSuffixes } from './options.ts';
import { type ClassificationCell, type ClassificationComparison, classifierName } from './results.ts';

interface Row {
  result: ClassificationCell;
  cell: FinishedClassification;
  ground: Ground;
}

export function compareClassifiers(
  rows: readonly Row[],
  { margin, seed, resamples }: EvaluateSettings,
): ClassificationComparison[] {
  const first = rows[0];
  if (first === undefined || rows.length < 2) return [];
  const { names, test } = first.ground;
  const systems = rows.map(({ result }) => classifierName(result));
  const tables: ClassificationComparison[] = [];
  for (const [rule] of rulesOf(first.cell.decided)) {
    const predictions = rows.flatMap(({ cell }) => cell.decided[rule] ?? []);
    if (predictions.length < rows.length) continue;
    const clusters = test.groups;
    const tests = swapTest({ truth: test.truth, predictions, labels: names.length, clusters, seed, resamples });
    for (const [name, measure] of comparedMeasures) {
      const metric = `${name}${decisionSuffixes[rule]}`;
      const pairs = compareReplicated({
        systems,
        values: rows.map(({ result, cell }) => {
          const value = cell.replicates[metric]!;
          return isTrained(result) ? [value] : value;
        }),
        metric,
        margin,
        seed,
        test: tests(measure),
      });
      tables.push({ corpus: first.result.corpus, view: first.result.view, metric, margin, systems, pairs });
    }
  }
  return tables;
}

/** Whether another seed would give another classifier. */
function isTrained({ probe }: ClassificationCell): boolean {
  return probe === 'linear' || probe === 'mlp';
}
