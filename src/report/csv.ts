/**
 * Tables beside the page: RFC 4180, UTF-8, full precision, one fact a row. Text that a spreadsheet would take for a
 * formula (it begins with =, +, -, @, tab or return) gets an apostrophe in front: titles come from outside.
 */
import { printable } from '../base/printable.ts';
import { type EvaluationResults, systemName } from '../study/results.ts';
import type { CsvNames } from './page.ts';
import { unique } from './standings.ts';

type Field = string | number | boolean | undefined;

export const csvNames: CsvNames = {
  leaderboard: 'leaderboard.csv',
  comparisons: 'comparisons.csv',
  strata: 'strata.csv',
  domains: 'domains.csv',
  retention: 'retention.csv',
  recall: 'recall.csv',
  differences: 'differences.csv',
  winsLosses: 'wins-losses.csv',
  alpha: 'fusion-weights.csv',
};

/** File name -> content. */
export function csvFiles(results: EvaluationResults): Map<string, string> {
  return new Map([
    [csvNames.leaderboard, leaderboard(results)],
    [csvNames.comparisons, comparisons(results)],
    [csvNames.strata, strata(results)],
    [csvNames.domains, domains(results)],
    [csvNames.retention, retention(results)],
    [csvNames.recall, recall(results)],
    [csvNames.differences, differences(results)],
    [csvNames.winsLosses, winsLosses(results)],
    [csvNames.alpha, alpha(results)],
  ]);
}

function leaderboard({ cells }: EvaluationResults): string {
  const metrics = unique(cells.flatMap((cell) => Object.keys(cell.metrics)));
  const head = [
    'corpus', 'task', 'model', 'view', 'fuse', 'system', 'queries', 'documents',
    ...metrics.flatMap((metric) => [metric, `${metric} lower`, `${metric} upper`]),
    'seconds', 'encode_seconds', 'search_seconds', 'fusion_seconds', 'tuning_seconds', 'rerank_seconds', 'documents_per_second',
    'queries_per_second', 'peak_memory_bytes',
    'truncated', 'index_bytes', 'cell',
  ]; // biome-ignore format: the columns, as they stand
  return csv(
    head,
    cells.map((cell) => [
      cell.corpus,
      cell.task,
      cell.model,
      cell.view,
      cell.fuse,
      systemName(cell),
      cell.queries,
      cell.documents,
      ...metrics.flatMap((metric) => {
        const estimate = cell.metrics[metric];
        return [estimate?.value, estimate?.lower, estimate?.upper];
      }),
      cell.cost.seconds,
      cell.cost.encodeSeconds,
      cell.cost.searchSeconds,
      cell.cost.fusionSeconds,
      cell.cost.tuningSeconds,
      cell.cost.rerankSeconds,
      cell.cost.documentsPerSecond,
      cell.cost.queriesPerSecond,
      cell.cost.peakMemoryBytes,
      cell.cost.truncated,
      cell.cost.indexBytes,
      cell.manifest.cell,
    ]),
  );
}

/** Systems on one view, also over relevant documents out of the query's domain alone, and views of one system, in one table. */
function comparisons({ comparisons, viewComparisons, domains }: EvaluationResults): string {
  const head = [
    'corpus', 'compared', 'within', 'metric', 'a', 'b', 'difference', 'lower', 'upper', 'p', 'p_holm', 'verdict', 'margin',
    'detectable', 'queries',
  ]; // biome-ignore format: the columns, as they stand
  const tables = [
    ...comparisons.map((table) => ({ ...table, compared: 'systems', within: table.view })),
    ...viewComparisons.map((table) => ({ ...table, compared: 'views', within: table.model })),
    ...domains.map(({ outPairs, view, ...table }) => ({
      ...table,
      pairs: outPairs,
      compared: 'systems, OUT',
      within: view,
    })),
  ];
  return csv(
    head,
    tables.flatMap(({ corpus, compared, within, metric, margin, pairs }) =>
      pairs.map((pair) => [
        corpus,
        compared,
        within,
        metric,
        pair.a,
        pair.b,
        pair.difference,
        pair.lower,
        pair.upper,
        pair.p,
        pair.pHolm,
        pair.verdict,
        margin,
        pair.detectable,
        pair.queries,
      ]),
    ),
  );
}

function strata({ strata }: EvaluationResults): string {
  return csv(
    ['corpus', 'view', 'metric', 'by', 'stratum', 'queries', 'system', 'value', 'lower', 'upper'],
    strata.flatMap(
      ({ corpus, view, metric, by, stratum, queries, systems }) =>
      Object.entries(systems).map(([system, { value, lower, upper }]) => [
        corpus, view, metric, by, stratum, queries, system, value, lower, upper,
      ]), // biome-ignore format: one row
    ),
  );
}

/** Drops, and for fused systems how much theirs differs from that of their dense part. */
function domains({ domains }: EvaluationResults): string {
  const head = [
    'corpus', 'view', 'metric', 'system', 'domain', 'queries', 'value', 'lower', 'upper',
  ]; // biome-ignore format: the columns, as they stand
  return csv(
    head,
    domains.flatMap(({ corpus, view, metric, systems, queries, fusions }) =>
      Object.entries(systems).flatMap(([system, { in: inside, out, drop, dropOfBoth }]) => {
        const difference = fusions.find(({ fused }) => fused === system)?.dropDifference;
        const rows = [
          ['IN', queries.in, inside],
          ['OUT', queries.out, out],
          ['drop', undefined, drop],
          ['drop, queries with both', queries.both, dropOfBoth],
          ['drop, fused minus dense', undefined, difference],
        ] as const;
        return rows.flatMap(([domain, count, estimate]) =>
          estimate === undefined
            ? []
            : [[corpus, view, metric, system, domain, count, estimate.value, estimate.lower, estimate.upper]],
        );
      }),
    ),
  );
}

function retention({ retentions }: EvaluationResults): string {
  return csv(
    ['corpus', 'view', 'metric', 'full', 'full_dimensions', 'system', 'dimensions', 'kept', 'lower', 'upper'],
    retentions.flatMap(
      ({ corpus, view, metric, full, cut }) =>
      cut.map(({ system, dimensions, kept }) => [
        corpus, view, metric, full.system, full.dimensions, system, dimensions, kept.value, kept.lower, kept.upper,
      ]), // biome-ignore format: one row
    ),
  );
}

function recall({ recallCurves }: EvaluationResults): string {
  return csv(
    ['corpus', 'view', 'system', 'rank', 'recall'],
    recallCurves.flatMap(({ corpus, view, system, points }) =>
      points.map(({ k, recall }) => [corpus, view, system, k, recall]),
    ),
  );
}

function differences({ differences }: EvaluationResults): string {
  const quantiles = unique(differences.flatMap((shape) => shape.quantiles.map(({ q }) => q))).sort((a, b) => a - b);
  return csv(
    ['corpus', 'view', 'metric', 'a', 'b', 'wins', 'ties', 'losses', ...quantiles.map((q) => `q${q}`), 'histogram'],
    differences.map(({ corpus, view, metric, a, b, wins, ties, losses, bins, ...shape }) => [
      corpus,
      view,
      metric,
      a,
      b,
      wins,
      ties,
      losses,
      ...quantiles.map((q) => shape.quantiles.find((candidate) => candidate.q === q)?.value),
      bins.map((bin) => `${Number(bin.from.toFixed(6))}..${Number(bin.to.toFixed(6))}:${bin.count}`).join(' '),
    ]),
  );
}

function winsLosses({ winsLosses }: EvaluationResults): string {
  const head = [
    'corpus', 'view', 'metric', 'a', 'b', 'kind', 'query', 'title', 'value_a', 'value_b', 'rank_a', 'rank_b', 'document',
    'document_title', 'document_rank_a', 'document_rank_b',
  ]; // biome-ignore format: the columns, as they stand
  return csv(
    head,
    winsLosses.flatMap(({ corpus, view, metric, a, b, wins, losses }) =>
      [...wins.map((row) => ({ kind: 'win', row })), ...losses.map((row) => ({ kind: 'loss', row }))].map(
        ({ kind, row }) => [
          corpus,
          view,
          metric,
          a,
          b,
          kind,
          row.query,
          row.title,
          row.a,
          row.b,
          row.rankA,
          row.rankB,
          row.document?.id,
          row.document?.title,
          row.document?.rankA,
          row.document?.rankB,
        ],
      ),
    ),
  );
}

function alpha({ alphaSweeps }: EvaluationResults): string {
  return csv(
    ['corpus', 'view', 'dense', 'metric', 'alpha', 'value'],
    alphaSweeps.flatMap(({ corpus, view, dense, metric, points }) =>
      points.map(({ alpha, value }) => [corpus, view, dense, metric, alpha, value]),
    ),
  );
}

export function csv(head: readonly string[], rows: readonly (readonly Field[])[]): string {
  return [head, ...rows].map((row) => `${row.map(field).join(',')}\r\n`).join('');
}

export function field(value: Field): string {
  if (value === undefined) return '';
  if (typeof value !== 'string') return Number.isNaN(value) ? '' : String(value);
  const safe = printable(value);
  const text = /^\s*[=+\-@\t\r]/.test(safe) ? `'${safe}` : safe;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
