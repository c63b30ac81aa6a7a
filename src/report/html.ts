/** The page of an evaluation: its sections in order. */
import type { EvaluationResults } from '../study/results.ts';
import { evidenceOf } from './advice-evidence.ts';
import { bestGroup, classifierGroups } from './classification-standings.ts';
import { bestClustered } from './clustering-standings.ts';
import { csvNames } from './csv.ts';
import { documentOf } from './document.ts';
import { type Content, html } from './markup.ts';
import { withShortNames } from './names.ts';
import { notShownOf } from './not-shown.ts';
import type { Page } from './page.ts';
import { advice } from './sections/advice.ts';
import { classificationLeaderboard, classificationPairs, classificationSummary } from './sections/classification.ts';
import {
  classifierReliability,
  labelCards,
  labelTables,
  levelTables,
  trainingTables,
} from './sections/classification-details.ts';
import { caveats, manifests, methodsSection } from './sections/closing.ts';
import { clusteringLeaderboard, clusteringPairs, clusteringSummary } from './sections/clustering.ts';
import { clusterMaps, clusterTables, reductionCards } from './sections/clustering-details.ts';
import { cost } from './sections/cost.ts';
import { fusion, recall } from './sections/curves.ts';
import { dataCards } from './sections/data-card.ts';
import { differences, winsLosses } from './sections/differences.ts';
import { domains } from './sections/domains.ts';
import { leaderboard, select } from './sections/leaderboard.ts';
import { retention } from './sections/retention.ts';
import { significance } from './sections/significance.ts';
import { strata } from './sections/strata.ts';
import { summary } from './sections/summary.ts';
import { views } from './sections/views.ts';
import { Standings, unique } from './standings.ts';

export function renderHtml(evaluation: EvaluationResults): string {
  const results = withShortNames(evaluation);
  const page: Page = { standings: new Standings(results), files: csvNames };
  const evidence = evidenceOf(page.standings);
  const retrieval = hasRetrieval(results);
  const queries = winsLosses(page);
  const sections: [string, string, Content][] = [
    [
      'advice',
      'What to use',
      advice(page, evidence, notShownOf(page.standings, new Set(evidence.map(({ task }) => task)))),
    ],
    ['summary', 'Summary', retrieval && summary(page)],
    ['leaderboard', 'Leaderboard', retrieval && leaderboard(page)],
    ['significance', 'Pairs', retrieval && significance(page)],
    ['views', 'Views', views(page)],
    ['retention', 'Dimensions', retention(page)],
    ['differences', 'Queries', retrieval && differences(page, queries.present)],
    ['recall', 'Recall', recall(page)],
    ['fusion', 'Fusion', fusion(page)],
    ['wins-losses', 'Wins and losses', results.winsLosses.length > 0 && queries.markup],
    ['strata', 'Strata', strata(page)],
    ['domains', 'Domains', domains(page)],
    ['cost', 'Cost', retrieval && cost(page)],
    ['classification', 'Classification', classificationSummary(page)],
    ['classifiers', 'Classifiers', classificationLeaderboard(page)],
    ['classifier-pairs', 'Pairs of classifiers', classificationPairs(page)],
    ['labels', 'Labels', labelTables(page)],
    ['levels', 'Levels', levelTables(page)],
    ['reliability', 'Reliability', classifierReliability(page)],
    ['trainings', 'Thresholds', trainingTables(page)],
    ['label-data', 'Label data', labelCards(page)],
    ['clustering', 'Clustering', clusteringSummary(page)],
    ['clusterings', 'Clusterings', clusteringLeaderboard(page)],
    ['clustering-pairs', 'Pairs of clusterings', clusteringPairs(page)],
    ['clustering-map', 'Map', clusterMaps(page)],
    ['clusters', 'Clusters', clusterTables(page)],
    ['clustering-data', 'Labels of clustering', reductionCards(page)],
    ['data', 'Data', dataCards(page)],
    ['methods', 'Methods', methodsSection(page)],
    ['caveats', 'Caveats', caveats(page)],
    ['manifests', 'Manifests', manifests(page)],
  ];
  const shown = sections.filter(([, , content]) => content);
  // What stands above the filter of details: retrieval's leaderboard has its own.
  const last = retrieval ? 'leaderboard' : results.classification === undefined ? 'clustering' : 'classification';
  const above = shown.findIndex(([id]) => id === last) + 1;
  return documentOf(page, {
    ...results,
    contents: shown.map(([id, name]) => ({ id, name })),
    main: [
      shown.slice(0, above).map(([, , content]) => content),
      detailFilter(page),
      shown.slice(above).map(([, , content]) => content),
    ],
  });
}

/** Of other tasks alone nothing of retrieval is shown. */
export function hasRetrieval({ cells, classification, clustering }: EvaluationResults): boolean {
  return cells.length > 0 || (classification === undefined && clustering === undefined);
}

/** The view whose best classifier has the highest micro-F1, else whose best clustering the highest V-measure. */
function bestViewWithoutSearch({ results }: Standings, corpus: string): { view: string } | undefined {
  const { classification, clustering } = results;
  if (classification === undefined) return clustering && bestClustered(clustering, corpus);
  return bestGroup(classifierGroups(classification).filter((group) => group.corpus === corpus));
}

/** The filter of all sections below the leaderboard; it stays in sight while they scroll. Opens on the best view. */
function detailFilter({ standings }: Page): Content {
  const corpus = standings.corpora[0];
  const top =
    corpus === undefined ? undefined : (standings.bestView(corpus) ?? bestViewWithoutSearch(standings, corpus));
  const { classification, clustering } = standings.results;
  const others = [...(classification?.cells ?? []), ...(clustering?.cells ?? [])];
  const selects = [
    select('corpus', 'Corpus', [...standings.corpora, ''], corpus),
    select('view', 'View', [...unique([...standings.views, ...others.map(({ view }) => view)]), ''], top?.view),
    select('metric', 'Metric', unique(standings.results.comparisons.map((table) => table.metric)), standings.metric),
  ].filter(Boolean);
  if (selects.length === 0) return undefined;
  return html`<form class="filter sticky" data-for="panel" hidden aria-label="Filter of the sections below"><span>Below:</span> ${selects}</form>\n`;
}
