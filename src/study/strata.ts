/**
 * The same means by what the query is: does the order of the systems hold everywhere?
 *
 *   year, country, language   of the query patent
 *   length                    words of the query's text under the view
 *   family                    patents of the query's family in the corpus
 *   relevant                  documents relevant to the query
 *
 * Numbers are gathered into runs of similar size (years at most eight, the others at most four: quartiles, equal values
 * together), so that every stratum has queries enough to be read; few and well-filled ones stay single. Words with few queries
 * stand together as `other`. What no query has is named as absent.
 */
import { viewText } from '../corpus/views.ts';
import { estimateMeans } from '../metrics/significance.ts';
import type { CorpusUnderStudy } from './corpus-under-study.ts';
import type { AbsentStrata, Stratum } from './results.ts';
import type { SharedQueries, StatisticsOptions, System } from './summaries.ts';
import { type ViewSpec, viewLabel } from './systems.ts';

interface StrataOptions extends StatisticsOptions {
  /** Fewest queries of a stratum of its own. Default 10. */
  least?: number;
}

/** What the queries are, beside their years and countries. */
export interface QueryTraits {
  languages: (string | undefined)[];
  /** View -> words of each query's text. */
  words: Map<string, number[]>;
  /** Patents of the family in the corpus; undefined for a query that is a text. */
  families: (number | undefined)[];
  relevant: number[];
}

/** Reads every query once. */
export async function queryTraits(study: CorpusUnderStudy, views: readonly ViewSpec[]): Promise<QueryTraits> {
  const { corpus, relations, relevance } = study;
  const sizes = new Uint32Array(relations.families);
  for (const family of relations.family) sizes[family]!++;
  const traits: QueryTraits = {
    languages: [],
    words: new Map(views.map((view) => [viewLabel(view), []])),
    families: relevance.queries.map(({ row }) => (row === undefined ? undefined : sizes[relations.family[row]!]!)),
    relevant: relevance.judged.map(({ gains }) => gains.reduce((sum, gain) => sum + (gain > 0 ? 1 : 0), 0)),
  };
  for (const { row, text } of relevance.queries) {
    const patent = row === undefined ? undefined : await corpus.get(row);
    traits.languages.push(patent?.language);
    for (const view of views) {
      const read = patent === undefined ? (text ?? '') : viewText(patent, view.view, { maskCitations: view.masked });
      traits.words.get(viewLabel(view))!.push(wordsIn(read));
    }
  }
  return traits;
}

function wordsIn(text: string): number {
  let words = 0;
  for (const _ of text.matchAll(/\S+/g)) words++;
  return words;
}

/** Queries without a year, a country or a language form a stratum `unknown`, where they are enough. */
export function strata(
  shared: SharedQueries,
  traits: QueryTraits,
  view: string,
  metric: string,
  systems: readonly System[],
  { least = 10, ...statistics }: StrataOptions,
): Stratum[] {
  const quartiles = (values: readonly (number | undefined)[]) =>
    gatherRuns(
      values.map((value) => value?.toString()),
      { least, most: 4 },
    );
  const groups: [Stratum['by'], Map<string, number[]>][] = [
    ['year', gatherRuns(shared.years, { least, most: 8 })],
    ['country', gatherSmall(shared.countries, least)],
    ['language', gatherSmall(traits.languages, least)],
    ['length', quartiles(traits.words.get(view)!)],
    ['family', quartiles(traits.families)],
    ['relevant', quartiles(traits.relevant)],
  ];
  return groups.flatMap(([by, members]) =>
    isUnknown(members)
      ? []
      : [...members].map(([stratum, queries]): Stratum => {
          const clusters = Int32Array.from(queries, (query) => shared.clusters[query]!);
          const columns = systems.map(({ cell }) =>
            Float64Array.from(queries, (query) => cell.perQuery[metric]![query]!),
          );
          const estimates = estimateMeans(columns, clusters, statistics);
          return {
            corpus: shared.corpus,
            view,
            metric,
            by,
            stratum,
            queries: queries.length,
            systems: Object.fromEntries(systems.map(({ name }, s) => [name, estimates[s]!])),
          };
        }),
  );
}

/** What no query of a corpus has. */
export function absentStrata(shared: SharedQueries, { languages, families }: QueryTraits): AbsentStrata[] {
  const { corpus } = shared;
  const lacking = (values: readonly unknown[]) => values.every((value) => value === undefined);
  const reasons: [AbsentStrata['by'], string][] = [];
  if (lacking(shared.years)) reasons.push(['year', 'no query has a date']);
  if (lacking(shared.countries)) reasons.push(['country', 'no query has a country']);
  if (lacking(languages)) reasons.push(['language', 'no query has a language']);
  if (lacking(families)) reasons.push(['family', 'the queries are texts, not patents']);
  return reasons.map(([by, reason]) => ({ corpus, by, reason }));
}

function isUnknown(members: Map<string, number[]>): boolean {
  return members.size === 1 && members.has('unknown');
}

/** Queries by runs of numbers, in order: `1998`, `1999–2003`, ...; `unknown` last. At most `most` runs, none below `least`. */
export function gatherRuns(
  numbers: readonly (string | undefined)[],
  { least, most }: { least: number; most: number },
): Map<string, number[]> {
  const unknown: number[] = [];
  const byNumber = new Map<string, number[]>();
  for (const [query, number] of numbers.entries()) {
    if (number === undefined) unknown.push(query);
    else append(byNumber, number, query);
  }
  const sorted = [...byNumber].sort(([a], [b]) => Number(a) - Number(b));
  const total = numbers.length - unknown.length;
  const wanted = Math.max(1, Math.min(most, Math.floor(total / least)));
  const single = sorted.length <= most && sorted.every(([, queries]) => queries.length >= least);
  const runs: { first: string; last: string; queries: number[] }[] = [];
  let before = 0;
  let part = -1;
  for (const [number, queries] of sorted) {
    // The run in which the middle of the number's queries falls, were all runs of one size.
    const own = single ? part + 1 : Math.floor((wanted * (before + queries.length / 2)) / total);
    const run = runs.at(-1);
    if (run === undefined || own !== part) runs.push({ first: number, last: number, queries: [...queries] });
    else {
      run.last = number;
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
