/** What the tasks of an evaluation, or a study, give the advisor: systems under views, what they cost, how they were tested. */
import type { StudyCorner, SystemRole } from '../study/embedding/results.ts';
import { type CellResult, type Cost, systemName } from '../study/results.ts';
import type { Evidence, Option } from './advice.ts';
import { classificationEvidence } from './classification-evidence.ts';
import { clusteringEvidence } from './clustering-evidence.ts';
import { plural } from './format.ts';
import { sampleOf } from './sections/study-standings.ts';
import type { Standings } from './standings.ts';
import type { StudyPage } from './study-html.ts';
import { cornerGroups } from './study-sentences.ts';

/** One a task and corpus, retrieval first. */
export function evidenceOf(standings: Standings): Evidence[] {
  const searched = standings.corpora.flatMap((corpus) => {
    const groups = standings.groups.filter((group) => group.corpus === corpus);
    return groups.length === 0 ? [] : [retrievalEvidence(standings, corpus)];
  });
  const { results } = standings;
  return [...searched, ...classificationEvidence(results), ...clusteringEvidence(results)];
}

function retrievalEvidence(standings: Standings, corpus: string): Evidence {
  const { metric } = standings;
  const cells = standings.groups.filter((group) => group.corpus === corpus).flatMap((group) => group.cells);
  const [first] = cells as [CellResult, ...CellResult[]];
  // An index holds the whole corpus, with a split too.
  const indexed = standings.results.dataCards.find((card) => card.corpus === corpus)?.documents ?? first.documents;
  return {
    corpus,
    task: 'retrieval',
    metric,
    sample: plural(first.queries, 'query', 'queries'),
    documents: first.documents,
    options: cells.flatMap((cell): Option[] => {
      const estimate = cell.metrics[metric];
      if (estimate === undefined) return [];
      const { view, manifest, cost } = cell;
      return [{ system: systemName(cell), view, estimate, manifest, ...costsOf(cost, indexed) }];
    }),
    compare(a, b) {
      if (a.view === b.view) return standings.compare(corpus, a.view, metric, a.system, b.system);
      return a.system === b.system ? standings.compareViews(corpus, a.system, metric, a.view, b.view) : undefined;
    },
  };
}

/** What one may take into use: remedies are ways to mend what training did, controls only measure it. */
const usable: readonly SystemRole[] = ['baseline', 'start', 'recipe', 'mixed'];

/** One a corpus and task. Systems are compared where they answer one of the study's questions; views are not compared. */
export function studyEvidence(page: StudyPage): Evidence[] {
  return cornerGroups(page.results.corners).map((corners): Evidence => {
    const [{ corpus, task, probe, metric, documents }] = corners as [StudyCorner, ...StudyCorner[]];
    return {
      corpus,
      task,
      ...(probe === undefined ? {} : { by: probe }),
      metric,
      sample: sampleOf(corners[0]!),
      documents,
      options: corners.flatMap((corner) =>
        page
          .rows(corner)
          .filter(({ system }) => usable.includes(page.system(system).role))
          .map(({ system, view, metrics, seeds, cost }) => ({
            system,
            view,
            estimate: metrics[metric]!,
            manifest: { cell: seeds[0]!.cell },
            ...cost,
          })),
      ),
      compare(a, b) {
        const corner = corners.find(({ view }) => view === a.view);
        return corner === undefined || a.view !== b.view ? undefined : page.compare(corner, a.system, b.system);
      },
    };
  });
}

function costsOf(
  { documentsPerSecond, queriesPerSecond, indexBytes }: Cost,
  documents: number,
): Pick<Option, 'documentSeconds' | 'querySeconds' | 'bytes'> {
  return {
    ...(documentsPerSecond === undefined ? {} : { documentSeconds: 1 / documentsPerSecond }),
    ...(queriesPerSecond === undefined ? {} : { querySeconds: 1 / queriesPerSecond }),
    ...(indexBytes === undefined ? {} : { bytes: indexBytes / documents }),
  };
}
