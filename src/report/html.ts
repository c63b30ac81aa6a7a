/** The page of an evaluation: its sections in order. */
import type { EvaluationResults } from '../study/results.ts';
import { evidenceOf } from './advice-evidence.ts';
import { csvNames } from './csv.ts';
import { documentOf } from './document.ts';
import { type Content, html } from './markup.ts';
import { withShortNames } from './names.ts';
import { notShownOf } from './not-shown.ts';
import type { Page } from './page.ts';
import { advice } from './sections/advice.ts';
import { caveats, manifests, methodsSection } from './sections/closing.ts';
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
import { Standings } from './standings.ts';

export function renderHtml(evaluation: EvaluationResults): string {
  const results = withShortNames(evaluation);
  const page: Page = { standings: new Standings(results), files: csvNames };
  const evidence = evidenceOf(page.standings);
  const queries = winsLosses(page);
  const sections: [string, string, Content][] = [
    [
      'advice',
      'What to use',
      advice(page, evidence, notShownOf(page.standings, new Set(evidence.map(({ task }) => task)))),
    ],
    ['summary', 'Summary', summary(page)],
    ['leaderboard', 'Leaderboard', leaderboard(page)],
    ['significance', 'Pairs', significance(page)],
    ['views', 'Views', views(page)],
    ['retention', 'Dimensions', retention(page)],
    ['differences', 'Queries', differences(page, queries.present)],
    ['recall', 'Recall', recall(page)],
    ['fusion', 'Fusion', fusion(page)],
    ['wins-losses', 'Wins and losses', results.winsLosses.length > 0 && queries.markup],
    ['strata', 'Strata', strata(page)],
    ['domains', 'Domains', domains(page)],
    ['cost', 'Cost', cost(page)],
    ['data', 'Data', dataCards(page)],
    ['methods', 'Methods', methodsSection(page)],
    ['caveats', 'Caveats', caveats(page)],
    ['manifests', 'Manifests', manifests(page)],
  ];
  const shown = sections.filter(([, , content]) => content);
  const [first, second, third, ...rest] = shown;
  return documentOf(page, {
    ...results,
    contents: shown.map(([id, name]) => ({ id, name })),
    main: [first![2], second![2], third?.[2], detailFilter(page), rest.map(([, , content]) => content)],
  });
}

/** The filter of all sections below the leaderboard; it stays in sight while they scroll. Opens on the best view. */
function detailFilter({ standings }: Page): Content {
  const corpus = standings.corpora[0];
  const top = corpus === undefined ? undefined : standings.bestView(corpus);
  const selects = [
    select('corpus', 'Corpus', [...standings.corpora, ''], corpus),
    select('view', 'View', [...standings.views, ''], top?.view),
    select(
      'metric',
      'Metric',
      [...new Set(standings.results.comparisons.map((table) => table.metric))],
      standings.metric,
    ),
  ].filter(Boolean);
  if (selects.length === 0) return undefined;
  return html`<form class="filter sticky" data-for="panel" hidden aria-label="Filter of the sections below"><span>Below:</span> ${selects}</form>\n`;
}
