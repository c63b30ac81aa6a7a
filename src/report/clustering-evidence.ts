/** What clustering gives the advisor: systems under views, how they were tested on V-measure, what they cost. */
import type { EvaluationResults } from '../study/results.ts';
import type { Evidence, Option } from './advice.ts';
import { headline, testedPair } from './clustering-standings.ts';
import { encodingSeconds } from './encoding-seconds.ts';
import { plural } from './format.ts';

/** One a corpus; views of one system are compared too. */
export function clusteringEvidence(results: EvaluationResults): Evidence[] {
  const { clustering } = results;
  if (clustering === undefined) return [];
  const encoding = encodingSeconds(results);
  return [...Map.groupBy(clustering.cells, ({ corpus }) => corpus)].map(([corpus, cells]): Evidence => {
    const find = ({ system, view }: Option) => cells.find((cell) => cell.model === system && cell.view === view)!;
    const { documents } = cells[0]!;
    return {
      corpus,
      task: 'clustering',
      metric: headline,
      sample: plural(documents, 'document'),
      documents,
      options: cells.flatMap((cell): Option[] => {
        const estimate = cell.metrics[headline];
        if (estimate === undefined) return [];
        const { documentsPerSecond, clusterSeconds } = cell.cost;
        const documentSeconds =
          documentsPerSecond === undefined ? encoding(corpus, cell.model, cell.view) : 1 / documentsPerSecond;
        return [
          {
            system: cell.model,
            view: cell.view,
            estimate,
            manifest: cell.manifest,
            ...(documentSeconds === undefined ? {} : { documentSeconds }),
            querySeconds: clusterSeconds / cell.documents,
          },
        ];
      }),
      compare: (a, b) => testedPair(clustering, headline, find(a), find(b)),
    };
  });
}
