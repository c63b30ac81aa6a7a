/**
 * What classification gives the advisor: classifiers under views, how they were tested on micro-F1, what they cost. Where
 * documents have several labels by tuned thresholds, as one would take a classifier into use.
 */
import { findPair } from '../metrics/comparison.ts';
import { classifierName } from '../study/classification/results.ts';
import type { EvaluationResults } from '../study/results.ts';
import type { Evidence, Option } from './advice.ts';
import { classifierGroups, leading } from './classification-standings.ts';
import { encodingSeconds } from './encoding-seconds.ts';
import { plural } from './format.ts';
import { unique } from './standings.ts';

const tuned = `${leading}-tuned`;

/** One a corpus. Views are not compared with each other. */
export function classificationEvidence(results: EvaluationResults): Evidence[] {
  const { classification } = results;
  if (classification === undefined) return [];
  const encoding = encodingSeconds(results);
  const groups = classifierGroups(classification);
  return unique(groups.map(({ corpus }) => corpus)).map((corpus): Evidence => {
    const cells = groups.filter((group) => group.corpus === corpus).flatMap((group) => group.cells);
    const [first] = cells;
    const metric = cells.every((cell) => cell.metrics[tuned] !== undefined) ? tuned : leading;
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
