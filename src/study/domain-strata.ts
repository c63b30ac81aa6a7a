/**
 * IN and OUT of domain: how much worse a system finds what lies outside the query's own technical classes, and whether
 * fusing it with bm25 closes the gap.
 *
 *   drop = (mean IN - mean OUT) / mean IN = 1 - mean OUT / mean IN
 *
 * The rule that parts judgements is DAPFAM's (`corpus/domains.ts`), and so is the protocol, as MTEB packages it: the
 * rankings are over the whole corpus; to measure IN, relevant documents that are OUT are not in the judgements and count as
 * not relevant, and the other way round; a query without a relevant document in a domain is not among the queries there.
 * So IN and OUT have different queries; the drop is also given over those that have both. Its interval is of the ratio of
 * means, families resampled (`metrics/ratio.ts`). That a query's OUT documents compete with its IN documents for the same
 * ranks makes some drop certain where OUT documents are the fewer: systems are to be compared with each other, not with 0.
 */
import { type Domain, type Domains, judgementDomains } from '../corpus/domains.ts';
import { estimateRatios, type RatioStatistic } from '../metrics/ratio.ts';
import { comparePairs, estimateMeans } from '../metrics/significance.ts';
import { measureRankings } from '../retrieve/measure.ts';
import type { CorpusUnderStudy } from './corpus-under-study.ts';
import type { Rankings } from './rankings.ts';
import { type DomainResult, type FusionAcrossDomains, systemName } from './results.ts';
import type { StatisticsOptions, System } from './summaries.ts';

/** Metrics measured in both domains: the leaderboard's, and DAPFAM's own. */
const metrics = ['ndcg@10', 'ndcg@100'] as const;

/** The domains of a corpus's judgements, or why there are none. */
export async function domainsOf({ corpus, relevance }: CorpusUnderStudy): Promise<Domains | string> {
  const domains = await judgementDomains(corpus, relevance);
  if (domains === undefined) return 'no patent of the corpus has an IPC or CPC code';
  const { judgements } = domains;
  if (judgements.in + judgements.out === 0) return 'no query and its relevant documents have IPC or CPC codes both';
  if (judgements.in === 0) return 'no relevant document shares a three-character class with its query';
  if (judgements.out === 0) return 'every relevant document shares a three-character class with its query';
  return domains;
}

interface Part {
  /** Numbers of the queries with a relevant document in the domain. */
  queries: number[];
  judged: { rows: Int32Array; gains: Float32Array }[];
}

export async function domainStrata(
  { shared, corpus }: CorpusUnderStudy,
  domains: Domains,
  view: string,
  systems: readonly System[],
  rankingsOf: (system: System) => Promise<Rankings>,
  statistics: StatisticsOptions,
): Promise<DomainResult[]> {
  const parts = { in: partOf('in', shared.judged, domains), out: partOf('out', shared.judged, domains) };
  // metric -> values of each system over the queries of the part
  const values = { in: metrics.map((): Float64Array[] => []), out: metrics.map((): Float64Array[] => []) };
  for (const system of systems) {
    const rankings = await rankingsOf(system);
    for (const domain of ['in', 'out'] as const) {
      const { queries, judged } = parts[domain];
      const ranked = queries.map((query) => rankings[query]!);
      const measured = measureRankings(ranked, judged, corpus.size, metrics);
      for (const [m, metric] of metrics.entries()) values[domain][m]!.push(measured[metric]!);
    }
  }
  return metrics.map((metric, m) => {
    const given = { in: values.in[m]!, out: values.out[m]! };
    return {
      corpus: shared.corpus,
      view,
      ...summarise(metric, systems, parts, given, domains, shared.clusters, statistics),
    };
  });
}

/** The judgements of one domain, over the queries that have any there. */
function partOf(domain: Domain, judged: CorpusUnderStudy['shared']['judged'], { of }: Domains): Part {
  const part: Part = { queries: [], judged: [] };
  for (const [query, { rows, gains }] of judged.entries()) {
    const kept = [...rows.keys()].filter((i) => of[query]![i] === domain);
    if (kept.length === 0) continue;
    part.queries.push(query);
    part.judged.push({
      rows: Int32Array.from(kept, (i) => rows[i]!),
      gains: Float32Array.from(kept, (i) => gains[i]!),
    });
  }
  return part;
}

function summarise(
  metric: string,
  systems: readonly System[],
  parts: Record<Domain, Part>,
  values: Record<Domain, Float64Array[]>,
  { judgements, patents }: Domains,
  clusters: Int32Array,
  statistics: StatisticsOptions,
): Omit<DomainResult, 'corpus' | 'view'> {
  const names = systems.map(({ name }) => name);
  const clustersOf = (domain: Domain) => Int32Array.from(parts[domain].queries, (query) => clusters[query]!);
  const estimates = {
    in: estimateMeans(values.in, clustersOf('in'), statistics),
    out: estimateMeans(values.out, clustersOf('out'), statistics),
  };
  // Columns over all queries: [has IN, has OUT, has both], then four a system: IN and OUT, and both over queries with both.
  const queries = clusters.length;
  const has = { in: new Float64Array(queries), out: new Float64Array(queries) };
  for (const domain of ['in', 'out'] as const) for (const query of parts[domain].queries) has[domain][query] = 1;
  const both = has.in.map((one, query) => one * has.out[query]!);
  const columns = [has.in, has.out, both];
  const spread = (domain: Domain, s: number) => {
    const column = new Float64Array(queries);
    for (const [i, query] of parts[domain].queries.entries()) column[query] = values[domain][s]![i]!;
    return column;
  };
  for (const s of systems.keys()) {
    const [inside, outside] = [spread('in', s), spread('out', s)];
    const shared = (column: typeof inside) => column.map((value, query) => value * both[query]!);
    columns.push(inside, outside, shared(inside), shared(outside));
  }
  const drop: RatioStatistic['of'] = (a, b, countA, countB) => 1 - b! / countB! / (a! / countA!);
  const dropOf = (s: number) => [3 + 4 * s, 4 + 4 * s, 0, 1];
  const fusions = fusedSystems(systems);
  const drops = estimateRatios(
    columns,
    [
      ...names.map((_, s): RatioStatistic => ({ columns: dropOf(s), of: drop })),
      ...names.map((_, s): RatioStatistic => ({ columns: [5 + 4 * s, 6 + 4 * s, 2, 2], of: drop })),
      ...fusions.map(
        ({ fused, dense }): RatioStatistic => ({
          columns: [...dropOf(fused), ...dropOf(dense)],
          of: (...sums) => drop(...sums.slice(0, 4)) - drop(...sums.slice(4)),
        }),
      ),
    ],
    clusters,
    statistics,
  );
  const count = both.reduce((sum, one) => sum + one, 0);
  const pairs =
    names.length < 2
      ? []
      : comparePairs({ systems: names, values: values.out, clusters: clustersOf('out'), metric, ...statistics });
  return {
    metric,
    margin: statistics.margin,
    judgements,
    patents,
    queries: { in: parts.in.queries.length, out: parts.out.queries.length, both: count },
    systems: Object.fromEntries(
      names.map((name, s) => [
        name,
        {
          in: estimates.in[s]!,
          out: estimates.out[s]!,
          drop: drops[s]!,
          ...(count === 0 ? {} : { dropOfBoth: drops[names.length + s]! }),
        },
      ]),
    ),
    outPairs: pairs,
    fusions: fusions.map(
      ({ fused, dense, bm25 }, i): FusionAcrossDomains => ({
        fused: names[fused]!,
        dense: names[dense]!,
        ...(bm25 === undefined ? {} : { bm25: names[bm25]! }),
        dropDifference: drops[2 * names.length + i]!,
      }),
    ),
  };
}

/** Places of fused systems beside those of their parts. */
function fusedSystems(systems: readonly System[]): { fused: number; dense: number; bm25: number | undefined }[] {
  const at = (name: string) => {
    const place = systems.findIndex((system) => system.name === name);
    return place < 0 ? undefined : place;
  };
  return systems.flatMap(({ cell: { manifest } }, fused) => {
    const prefix = 'bm25+';
    if (manifest.fuse === undefined || !manifest.model.startsWith(prefix)) return [];
    const dense = at(systemName({ model: manifest.model.slice(prefix.length) }));
    return dense === undefined ? [] : [{ fused, dense, bm25: at('bm25') }];
  });
}
