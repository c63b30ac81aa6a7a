/** From finished cells to `EvaluationResults`: comparisons, views, curves, differences, wins and losses, strata, data cards. */
import { definitionsVersion } from '../metrics/definitions.ts';
import type { CellStore, FinishedCell } from './cell.ts';
import type { CorpusUnderStudy } from './corpus-under-study.ts';
import { dataCard } from './data-card.ts';
import { domainStrata, domainsOf } from './domain-strata.ts';
import type { EvaluateSettings } from './evaluate-options.ts';
import { type CellResult, type EvaluationResults, systemName } from './results.ts';
import { retentions } from './retention.ts';
import { absentStrata, queryTraits, strata } from './strata.ts';
import {
  compareSystems,
  compareViews,
  differenceShape,
  pairsToShow,
  type StatisticsOptions,
  type System,
  winsAndLosses,
} from './summaries.ts';
import { parseViews } from './systems.ts';
import type { TaskContext, TaskCorpus } from './tasks.ts';

export interface CorpusCells {
  study: CorpusUnderStudy;
  store: CellStore;
  cells: { result: CellResult; cell: FinishedCell }[];
}

/** Metrics with a table of all pairs; the first is the headline, which alone gets strata, wins and losses. */
const comparedMetrics = ['ndcg@10', 'ndcg@100', 'map', 'mrr', 'recall@100'] as const;
const headline = comparedMetrics[0];

export async function assembleResults(
  corpora: readonly CorpusCells[],
  settings: EvaluateSettings,
  warnings: readonly string[],
): Promise<EvaluationResults> {
  const statistics: StatisticsOptions = { margin: settings.margin, seed: settings.seed, resamples: settings.resamples };
  const results = emptyResults(
    settings,
    corpora.map(({ study }) => study),
    warnings,
  );
  results.relevanceStatement = jointStatement(
    corpora.map(({ study }) => ({ corpus: study.corpus.name, statement: study.relevance.statement })),
  );
  results.cells = corpora.flatMap(({ cells }) => cells.map(({ result }) => result));
  for (const { study, store, cells } of corpora) {
    results.dataCards.push(await dataCard(study));
    const { shared } = study;
    const byView = Map.groupBy(cells, ({ result }) => result.view);
    const traits = await queryTraits(study, parseViews([...byView.keys()], false));
    const domains = await domainsOf(study);
    results.absentStrata.push(...absentStrata(shared, traits));
    if (typeof domains === 'string') {
      results.absentStrata.push({ corpus: shared.corpus, by: 'domain', reason: domains });
    }
    for (const [view, rows] of byView) {
      const systems: System[] = rows.map(({ result, cell }) => ({ name: systemName(result), cell }));
      for (const { name, cell } of systems)
        results.recallCurves.push({ corpus: shared.corpus, view, system: name, points: cell.recall });
      for (const { result, cell } of rows) results.alphaSweeps.push(...sweepOf(result, cell));
      results.strata.push(...strata(shared, traits, view, headline, systems, statistics));
      if (typeof domains !== 'string') {
        const rankingsOf = ({ cell }: System) => store.rankings(cell.manifest.cell);
        results.domains.push(...(await domainStrata(study, domains, view, systems, rankingsOf, statistics)));
      }
      if (systems.length < 2) continue;
      results.retentions.push(...retentions(shared, view, headline, rows, statistics));
      for (const metric of comparedMetrics)
        results.comparisons.push(compareSystems(shared, view, systems, metric, statistics));
      for (const pair of pairsToShow(systems, headline)) {
        results.differences.push(differenceShape(shared, view, headline, pair));
        const [a, b] = await Promise.all(pair.map(({ cell }) => store.rankings(cell.manifest.cell)));
        results.winsLosses.push(await winsAndLosses(shared, view, headline, pair, { a: a!, b: b! }));
      }
    }
    if (byView.size < 2) continue;
    for (const [name, rows] of Map.groupBy(cells, ({ result }) => systemName(result))) {
      const views = rows.map(({ result, cell }) => ({ view: result.view, cell }));
      if (views.length > 1) results.viewComparisons.push(compareViews(shared, name, views, headline, statistics));
    }
  }
  return results;
}

/** Results of other tasks alone: data cards, to which those tasks add what they found. */
export async function withoutRetrieval(
  { settings, corpora }: TaskContext,
  warnings: readonly string[],
): Promise<EvaluationResults> {
  const results = emptyResults(settings, corpora, warnings);
  for (const corpus of corpora) results.dataCards.push(await dataCard(corpus));
  return results;
}

function emptyResults(
  settings: EvaluateSettings,
  corpora: readonly TaskCorpus[],
  warnings: readonly string[],
): EvaluationResults {
  return {
    format: 1,
    title: settings.title,
    relevanceStatement: '',
    invented: corpora.some(({ corpus }) => corpus.invented),
    created: new Date().toISOString(),
    packageVersion: settings.packageVersion,
    definitions: definitionsVersion,
    command: settings.command,
    cells: [],
    comparisons: [],
    viewComparisons: [],
    dataCards: [],
    recallCurves: [],
    differences: [],
    winsLosses: [],
    strata: [],
    absentStrata: [],
    domains: [],
    retentions: [],
    alphaSweeps: [],
    warnings: [...warnings],
  };
}

/** One statement for all corpora: said once where it differs by nothing but the corpus's name, else corpus by corpus. */
export function jointStatement(statements: readonly { corpus: string; statement: string }[]): string {
  const [first, ...others] = statements;
  if (first === undefined) return '';
  if (others.length === 0) return first.statement;
  const general = statements.map(({ corpus, statement }) => statement.replace(` of "${corpus}"`, ' of its own corpus'));
  if (general.every((statement) => statement === general[0])) {
    return general[0]!.replace(
      ' of its own corpus',
      ` of its own corpus (${statements.map(({ corpus }) => `"${corpus}"`).join(', ')})`,
    );
  }
  return statements.map(({ corpus, statement }) => `${corpus}: ${statement}`).join(' ');
}

function sweepOf(result: CellResult, cell: FinishedCell): EvaluationResults['alphaSweeps'] {
  const chosen = cell.chosen as { method?: string; sweep?: { setting: number; value: number }[] } | undefined;
  if (chosen?.method !== 'linear' || chosen.sweep === undefined) return [];
  return [
    {
      corpus: result.corpus,
      view: result.view,
      dense: result.model.slice('bm25+'.length),
      metric: headline,
      points: chosen.sweep.map(({ setting, value }) => ({ alpha: setting, value })),
    },
  ];
}
