/**
 * What the report shows beside the leaderboard, computed from finished cells of one corpus and view: comparison tables,
 * per-query differences, the largest wins and losses, strata, recall curves. All systems cover the same queries.
 */
import { comparePairs } from '../metrics/significance.ts';
import type { RowRanking } from '../retrieve/candidates.ts';
import type { FinishedCell } from './cell.ts';
import type { Rankings } from './rankings.ts';
import type { ComparisonTable, DifferenceShape, RecallCurve, ViewComparison, WinLoss, WinLossRow } from './results.ts';

/** One system on one corpus and view. */
export interface System {
  name: string;
  cell: FinishedCell;
}

/** What all systems of a corpus share. */
export interface SharedQueries {
  corpus: string;
  ids: readonly string[];
  titles: readonly string[];
  judged: readonly { rows: Int32Array; gains: Float32Array }[];
  clusters: Int32Array;
  years: readonly (string | undefined)[];
  countries: readonly (string | undefined)[];
  document(row: number): Promise<{ id: string; title: string }>;
}

export interface StatisticsOptions {
  margin: number;
  seed: number;
  resamples: number;
}

const recallCuts = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000] as const;

export function compareSystems(
  shared: SharedQueries,
  view: string,
  systems: readonly System[],
  metric: string,
  options: StatisticsOptions,
): ComparisonTable {
  return {
    corpus: shared.corpus,
    view,
    metric,
    margin: options.margin,
    systems: systems.map(({ name }) => name),
    pairs: comparePairs({
      systems: systems.map(({ name }) => name),
      values: systems.map(({ cell }) => cell.perQuery[metric]!),
      clusters: shared.clusters,
      metric,
      ...options,
    }),
  };
}

/** The views of one system against one another: which text serves it best. */
export function compareViews(
  shared: SharedQueries,
  model: string,
  views: readonly { view: string; cell: FinishedCell }[],
  metric: string,
  options: StatisticsOptions,
): ViewComparison {
  const names = views.map(({ view }) => view);
  const values = views.map(({ cell }) => cell.perQuery[metric]!);
  return {
    corpus: shared.corpus,
    model,
    metric,
    margin: options.margin,
    views: names,
    estimates: Object.fromEntries(views.map(({ view, cell }) => [view, cell.metrics[metric]!])),
    pairs: comparePairs({ systems: names, values, clusters: shared.clusters, metric, ...options }),
  };
}

/** Mean recall at rank cuts up to the depth of the rankings. */
export function recallPoints(rankings: Rankings, judged: SharedQueries['judged']): RecallCurve['points'] {
  const depth = rankings.reduce((most, { rows }) => Math.max(most, rows.length), 0);
  const cuts = recallCuts.filter((k) => k <= Math.max(depth, 1));
  const sums = new Float64Array(cuts.length);
  for (const [query, { rows, gains }] of judged.entries()) {
    const relevant = new Set(rows.filter((_, i) => gains[i]! > 0));
    const ranked = rankings[query]!.rows;
    let found = 0;
    let cut = 0;
    for (let rank = 0; rank < ranked.length && cut < cuts.length; rank++) {
      if (relevant.has(ranked[rank]!)) found++;
      if (rank + 1 === cuts[cut]) sums[cut++]! += found / relevant.size;
    }
    for (; cut < cuts.length; cut++) sums[cut]! += found / relevant.size;
  }
  return cuts.map((k, i) => ({ k, recall: sums[i]! / Math.max(1, judged.length) }));
}

/** The pairs worth a closer look: the best system and, where it is not the best, BM25, each against every other. */
export function pairsToShow(systems: readonly System[], metric: string): [System, System][] {
  const sorted = [...systems].sort((a, b) => b.cell.metrics[metric]!.value - a.cell.metrics[metric]!.value);
  const anchors = [sorted[0], sorted.find(({ name }) => name === 'bm25')].filter((system) => system !== undefined);
  const pairs: [System, System][] = [];
  for (const [at, anchor] of [...new Set(anchors)].entries()) {
    for (const other of sorted) {
      if (other === anchor || (at === 1 && other === anchors[0])) continue;
      pairs.push(at === 0 ? [anchor, other] : [other, anchor]);
    }
  }
  return pairs;
}

export function differenceShape(
  shared: SharedQueries,
  view: string,
  metric: string,
  [a, b]: [System, System],
): DifferenceShape {
  const differences = differencesOf(a, b, metric);
  const width = 0.05;
  const bins = Array.from({ length: 40 }, (_, i) => ({
    from: round2(-1 + i * width),
    to: round2(-1 + (i + 1) * width),
    count: 0,
  }));
  let [wins, ties, losses] = [0, 0, 0];
  for (const d of differences) {
    if (d > 0) wins++;
    else if (d < 0) losses++;
    else ties++;
    if (d !== 0) bins[Math.min(39, Math.max(0, Math.floor((d + 1) / width)))]!.count++;
  }
  const sorted = Float64Array.from(differences).sort();
  const at = (q: number) => sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] ?? 0;
  const quantiles = [0.05, 0.25, 0.5, 0.75, 0.95].map((q) => ({ q, value: at(q) }));
  return { corpus: shared.corpus, view, metric, a: a.name, b: b.name, bins, wins, ties, losses, quantiles };
}

/** The `most` queries where `a` gains most over `b`, and where it loses most. */
export async function winsAndLosses(
  shared: SharedQueries,
  view: string,
  metric: string,
  [a, b]: [System, System],
  rankings: { a: Rankings; b: Rankings },
  most = 20,
): Promise<WinLoss> {
  const differences = differencesOf(a, b, metric);
  const order = Array.from(differences.keys()).sort((x, y) => differences[y]! - differences[x]! || x - y);
  const row = (query: number) => winLossRow(shared, query, metric, [a, b], rankings);
  const wins = order.filter((query) => differences[query]! > 0).slice(0, most);
  const losses = order
    .filter((query) => differences[query]! < 0)
    .slice(-most)
    .reverse();
  return {
    corpus: shared.corpus,
    view,
    metric,
    a: a.name,
    b: b.name,
    wins: await Promise.all(wins.map(row)),
    losses: await Promise.all(losses.map(row)),
  };
}

async function winLossRow(
  shared: SharedQueries,
  query: number,
  metric: string,
  [a, b]: [System, System],
  rankings: { a: Rankings; b: Rankings },
): Promise<WinLossRow> {
  const { rows, gains } = shared.judged[query]!;
  const relevant = rows.filter((_, i) => gains[i]! > 0);
  const [ranksA, ranksB] = [ranksOf(rankings.a[query]!, relevant), ranksOf(rankings.b[query]!, relevant)];
  const result: WinLossRow = {
    query: shared.ids[query]!,
    title: shared.titles[query]!,
    a: a.cell.perQuery[metric]![query]!,
    b: b.cell.perQuery[metric]![query]!,
  };
  const [bestA, bestB] = [Math.min(...ranksA), Math.min(...ranksB)];
  if (Number.isFinite(bestA)) result.rankA = bestA;
  if (Number.isFinite(bestB)) result.rankB = bestB;
  let widest = -1;
  let widestGap = 0;
  for (let i = 0; i < relevant.length; i++) {
    const gap = Math.abs(1 / ranksA[i]! - 1 / ranksB[i]!);
    if (gap > widestGap) [widest, widestGap] = [i, gap];
  }
  if (widest >= 0) {
    result.document = await shared.document(relevant[widest]!);
    if (Number.isFinite(ranksA[widest]!)) result.document.rankA = ranksA[widest]!;
    if (Number.isFinite(ranksB[widest]!)) result.document.rankB = ranksB[widest]!;
  }
  return result;
}

/** Rank (from 1) of each of `documents`; infinite where it was not found. */
function ranksOf({ rows }: RowRanking, documents: Int32Array): number[] {
  return Array.from(documents, (document) => {
    const at = rows.indexOf(document);
    return at < 0 ? Number.POSITIVE_INFINITY : at + 1;
  });
}

function differencesOf(a: System, b: System, metric: string): Float64Array {
  const other = b.cell.perQuery[metric]!;
  return a.cell.perQuery[metric]!.map((value, query) => value - other[query]!);
}

function round2(value: number): number {
  return Math.round(value * 100) / 100;
}
