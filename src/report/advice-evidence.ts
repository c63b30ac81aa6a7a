/** What each task of an evaluation gives the advisor to go by: systems under views, what they cost, how they were tested. */
import type { CellResult } from '../study/results.ts';
import { systemName } from '../study/results.ts';
import type { Evidence, Option } from './advice.ts';
import { plural } from './format.ts';
import type { Standings } from './standings.ts';

/** One a task and corpus, retrieval first. */
export function evidenceOf(standings: Standings): Evidence[] {
  return standings.corpora.flatMap((corpus) => {
    const groups = standings.groups.filter((group) => group.corpus === corpus);
    return groups.length === 0 ? [] : [retrievalEvidence(standings, corpus)];
  });
}

function retrievalEvidence(standings: Standings, corpus: string): Evidence {
  const { metric } = standings;
  const cells = standings.groups.filter((group) => group.corpus === corpus).flatMap((group) => group.cells);
  const [first] = cells as [CellResult, ...CellResult[]];
  return {
    corpus,
    task: 'retrieval',
    metric,
    sample: plural(first.queries, 'query', 'queries'),
    documents: first.documents,
    options: cells.flatMap((cell): Option[] => {
      const estimate = cell.metrics[metric];
      if (estimate === undefined) return [];
      const { documentsPerSecond, queriesPerSecond, indexBytes } = cell.cost;
      return [
        {
          system: systemName(cell),
          view: cell.view,
          estimate,
          manifest: cell.manifest,
          ...(documentsPerSecond === undefined ? {} : { documentSeconds: 1 / documentsPerSecond }),
          ...(queriesPerSecond === undefined ? {} : { querySeconds: 1 / queriesPerSecond }),
          ...(indexBytes === undefined ? {} : { bytes: indexBytes / cell.documents }),
        },
      ];
    }),
    compare(a, b) {
      if (a.view === b.view) return standings.compare(corpus, a.view, metric, a.system, b.system);
      return a.system === b.system ? standings.compareViews(corpus, a.system, metric, a.view, b.view) : undefined;
    },
  };
}
