/**
 * Results put in order for showing: which metric leads, which system is best and which is the BM25 baseline of a
 * corpus x view, and what the paired test of any two systems says, seen from either side. Nothing is computed anew here:
 * verdicts come from the statistics alone.
 */
import { findPair, turnRound } from '../metrics/comparison.ts';
import type { Comparison } from '../metrics/types.ts';
import { type CellResult, type ComparisonTable, type EvaluationResults, systemName } from '../study/results.ts';

/** All systems of one corpus x view, best first by the leading metric. */
export interface Group {
  corpus: string;
  view: string;
  cells: CellResult[];
  best: CellResult;
  baseline: CellResult | undefined;
}

export class Standings {
  readonly results: EvaluationResults;
  /** The metric that orders tables and carries the sentences. */
  readonly metric: string;
  readonly metrics: string[];
  readonly corpora: string[];
  readonly views: string[];
  /** Every system of the report, best mean first; its index is its colour and its mark. */
  readonly systems: string[];
  readonly groups: Group[];
  private readonly pairs = new Map<string, Comparison>();
  private readonly byKey = new Map<string, CellResult>();

  constructor(results: EvaluationResults) {
    this.results = results;
    const { cells, comparisons } = results;
    this.metrics = unique(cells.flatMap((cell) => Object.keys(cell.metrics)));
    const tested = unique(comparisons.map((table) => table.metric));
    this.metric =
      [...tested, ...this.metrics].find((metric) => metric === 'ndcg@10') ?? tested[0] ?? this.metrics[0] ?? 'ndcg@10';
    this.metrics.sort((a, b) => Number(b === this.metric) - Number(a === this.metric));
    this.corpora = unique([...cells.map((cell) => cell.corpus), ...results.dataCards.map((card) => card.corpus)]);
    this.views = unique(cells.map((cell) => cell.view));
    for (const table of comparisons) {
      for (const pair of table.pairs) this.pairs.set(pairKey(table, pair.a, pair.b), pair);
    }
    for (const cell of cells) this.byKey.set(cellKey(cell.corpus, cell.view, systemName(cell)), cell);
    this.groups = this.buildGroups(cells);
    this.systems = this.orderSystems(cells);
  }

  /** The best view of a corpus, as observed (views are not tested against each other). */
  bestView(corpus: string): Group | undefined {
    return this.groups
      .filter((group) => group.corpus === corpus)
      .reduce<Group | undefined>((best, group) => {
        return best === undefined || this.value(group.best) > this.value(best.best) ? group : best;
      }, undefined);
  }

  group(corpus: string, view: string): Group | undefined {
    return this.groups.find((group) => group.corpus === corpus && group.view === view);
  }

  cell(corpus: string, view: string, system: string): CellResult | undefined {
    return this.byKey.get(cellKey(corpus, view, system));
  }

  value(cell: CellResult, metric = this.metric): number {
    return cell.metrics[metric]?.value ?? Number.NEGATIVE_INFINITY;
  }

  /** System `a` against `b`, whichever way round it was computed; undefined where it was not tested. */
  compare(corpus: string, view: string, metric: string, a: string, b: string): Comparison | undefined {
    const straight = this.pairs.get(pairKey({ corpus, view, metric }, a, b));
    if (straight !== undefined) return straight;
    const turned = this.pairs.get(pairKey({ corpus, view, metric }, b, a));
    return turned && turnRound(turned);
  }

  /** One system's views against one another: `a` and `b` are views. */
  compareViews(corpus: string, system: string, metric: string, a: string, b: string): Comparison | undefined {
    const table = this.results.viewComparisons.find(
      (candidate) => candidate.corpus === corpus && candidate.model === system && candidate.metric === metric,
    );
    return table && findPair(table.pairs, a, b);
  }

  private buildGroups(cells: CellResult[]): Group[] {
    const groups = new Map<string, CellResult[]>();
    for (const cell of cells) {
      const key = cellKey(cell.corpus, cell.view, '');
      const group = groups.get(key);
      if (group === undefined) groups.set(key, [cell]);
      else group.push(cell);
    }
    return [...groups.values()].map((members) => {
      const sorted = members.toSorted((a, b) => this.value(b) - this.value(a));
      const best = sorted[0]!;
      return {
        corpus: best.corpus,
        view: best.view,
        cells: sorted,
        best,
        baseline: sorted.find((cell) => isBm25(cell)),
      };
    });
  }

  private orderSystems(cells: CellResult[]): string[] {
    const sums = new Map<string, { sum: number; cells: number }>();
    for (const cell of cells) {
      const entry = sums.get(systemName(cell)) ?? { sum: 0, cells: 0 };
      entry.sum += cell.metrics[this.metric]?.value ?? 0;
      entry.cells++;
      sums.set(systemName(cell), entry);
    }
    return [...sums].sort(([, a], [, b]) => b.sum / b.cells - a.sum / a.cells).map(([system]) => system);
  }
}

/** BM25 alone, whatever its settings (`bm25`, `bm25:robertson,...`). */
export function isBm25(cell: CellResult): boolean {
  return cell.fuse === undefined && cell.rerank === undefined && /^bm25\b(?!\+)/.test(cell.model);
}

export function unique<T>(items: readonly T[]): T[] {
  return [...new Set(items)];
}

function cellKey(corpus: string, view: string, system: string): string {
  return `${corpus}\u0000${view}\u0000${system}`;
}

function pairKey(table: Pick<ComparisonTable, 'corpus' | 'view' | 'metric'>, a: string, b: string): string {
  return `${cellKey(table.corpus, table.view, table.metric)}\u0000${a}\u0000${b}`;
}
