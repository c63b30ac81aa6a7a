/**
 * The same means by period and by country of the query: does the order of the systems hold everywhere?
 *
 * Years are gathered into periods of similar size, at most eight, so that every stratum has queries enough to be read; a
 * corpus of few years keeps them single. Countries with few queries stand together as `other`.
 */
import { estimateMean } from '../metrics/significance.ts';
import type { Stratum } from './results.ts';
import type { SharedQueries, StatisticsOptions, System } from './summaries.ts';

interface StrataOptions extends StatisticsOptions {
  /** Fewest queries of a stratum of its own. Default 10. */
  least?: number;
  /** Most periods. Default 8. */
  periods?: number;
}

/** Queries without a year or a country form a stratum `unknown`, where they are enough. */
export function strata(
  shared: SharedQueries,
  view: string,
  metric: string,
  systems: readonly System[],
  { least = 10, periods = 8, ...statistics }: StrataOptions,
): Stratum[] {
  const groups = [
    ['year', gatherYears(shared.years, { least, periods })] as const,
    ['country', gatherSmall(shared.countries, least)] as const,
  ];
  return groups.flatMap(([by, members]) =>
    [...members].map(([stratum, queries]): Stratum => {
      const clusters = Int32Array.from(queries, (query) => shared.clusters[query]!);
      const estimates = systems.map(({ name, cell }) => {
        const values = Float64Array.from(queries, (query) => cell.perQuery[metric]![query]!);
        return [name, estimateMean(values, clusters, statistics)] as const;
      });
      return {
        corpus: shared.corpus,
        view,
        metric,
        by,
        stratum,
        queries: queries.length,
        systems: Object.fromEntries(estimates),
      };
    }),
  );
}

/** Queries by period, in order of time: `1998`, `1999–2003`, ...; `unknown` last. */
export function gatherYears(
  years: readonly (string | undefined)[],
  { least, periods }: { least: number; periods: number },
): Map<string, number[]> {
  const unknown: number[] = [];
  const byYear = new Map<string, number[]>();
  for (const [query, year] of years.entries()) {
    if (year === undefined) unknown.push(query);
    else append(byYear, year, query);
  }
  const sorted = [...byYear].sort(([a], [b]) => Number(a) - Number(b));
  const total = years.length - unknown.length;
  const wanted = Math.max(1, Math.min(periods, Math.floor(total / least)));
  const single = sorted.length <= periods && sorted.every(([, queries]) => queries.length >= least);
  const runs: { first: string; last: string; queries: number[] }[] = [];
  let before = 0;
  let part = -1;
  for (const [year, queries] of sorted) {
    // The period in which the middle of the year's queries falls, were all periods of one size.
    const own = single ? part + 1 : Math.floor((wanted * (before + queries.length / 2)) / total);
    const run = runs.at(-1);
    if (run === undefined || own !== part) runs.push({ first: year, last: year, queries: [...queries] });
    else {
      run.last = year;
      run.queries.push(...queries);
    }
    part = own;
    before += queries.length;
  }
  for (let i = 0; i < runs.length && runs.length > 1; ) {
    if (runs[i]!.queries.length >= least) {
      i++;
      continue;
    }
    const at = i === 0 ? 0 : i - 1; // a run still too small joins its neighbour
    const [a, b] = [runs[at]!, runs[at + 1]!];
    runs.splice(at, 2, { first: a.first, last: b.last, queries: [...a.queries, ...b.queries] });
    i = at;
  }
  const result = new Map(
    runs.map(({ first, last, queries }) => [first === last ? first : `${first}\u2013${last}`, queries]),
  );
  if (unknown.length > 0) result.set('unknown', unknown);
  return result;
}

/** Queries by key, sorted; keys of fewer than `least` queries together as `other`, last. */
export function gatherSmall(keys: readonly (string | undefined)[], least: number): Map<string, number[]> {
  const groups = new Map<string, number[]>();
  for (const [query, key] of keys.entries()) append(groups, key ?? 'unknown', query);
  const sorted = [...groups].sort(([a], [b]) => (a < b ? -1 : 1));
  const large = sorted.filter(([, queries]) => queries.length >= least);
  const small = sorted.filter(([, queries]) => queries.length < least);
  if (small.length <= 1) return new Map([...large, ...small]);
  return new Map([...large, ['other', small.flatMap(([, queries]) => queries)]]);
}

function append(groups: Map<string, number[]>, key: string, query: number): void {
  const queries = groups.get(key);
  if (queries === undefined) groups.set(key, [query]);
  else queries.push(query);
}
