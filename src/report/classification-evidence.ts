/**
 * What classification gives the advisor: classifiers under views, how they were tested on micro-F1, what they cost. Where
 * documents have several labels by a threshold tuned for it, as one would take a classifier into use.
 */
import { findPair } from '../metrics/comparison.ts';
import { classifierName } from '../study/classification/results.ts';
import type { EvaluationResults } from '../study/results.ts';
import type { Evidence, Option } from './advice.ts';
import { classifierGroups } from './classification-standings.ts';
import { encodingSeconds } from './encoding-seconds.ts';
import { plural } from './format.ts';
import { unique } from './standings.ts';

/** One a corpus. Views are not compared with each other. */
export function classificationEvidence(results: EvaluationResults): Evidence[] {
  const { classification } = results;
  if (classification === undefined) return [];
  const encoding = encodingSeconds(results);
  const groups = classifierGroups(classification);
  return unique(groups.map(({ corpus }) => corpus)).map((corpus): Evidence => {
    const own = groups.filter((group) => group.corpus === corpus);
    const cells = own.flatMap((group) => group.cells);
    const [first] = cells;
    const [metric] = own[0]!.headlines;
    return {
      corpus,
      task: 'classification',
      metric,
      sample: plural(first!.documents, 'document'),
      documents: first!.documents + first!.trained,
      options: cells.flatMap((cell): Option[] => {
        const estimate = cell.metrics[metric];
        if (estimate === undefined) return [];
        const { documentsPerSecond, predictSeconds } = cell.cost;
        const documentSeconds =
          documentsPerSecond === undefined ? encoding(corpus, cell.model, cell.view) : 1 / documentsPerSecond;
        return [
          {
            system: classifierName(cell),
            view: cell.view,
            estimate,
            manifest: cell.manifest,
            ...(documentSeconds === undefined ? {} : { documentSeconds }),
            querySeconds: predictSeconds / cell.documents,
          },
        ];
      }),
      compare(a, b) {
        if (a.view !== b.view) return undefined;
        const table = classification.comparisons.find(
          (candidate) => candidate.corpus === corpus && candidate.view === a.view && candidate.metric === metric,
        );
        return table && findPair(table.pairs, a.system, b.system);
      },
    };
  });
}
