/**
 * One corner of a study: all systems on one corpus, view and task (of classification, one probe). Trained systems bring one array of
 * values a seed, and intervals and tests are hierarchical over seeds and families: of queries (`metrics/significance.ts`), or of
 * documents whose labels are predicted or clustered (`metrics/replicates.ts`). Holm's adjustment covers the pairs of each question
 * (questions.ts). Replicates of retrieval are as many as the largest question needs for its smallest adjusted p to be able to fall
 * below 0.05.
 */
import { compareReplicated, estimateReplicated, type ReplicatedValue } from '../../metrics/replicates.ts';
import { comparePairs, estimateMeans, fewestSeeds, type PairsInput } from '../../metrics/significance.ts';
import type { Comparison, Estimate } from '../../metrics/types.ts';
import { fits } from '../classification/options.ts';
import { defined } from '../request.ts';
import { bm25System } from '../systems.ts';
import type { Unit } from './design.ts';
import { comparedMetrics, type Finished, metricsOf, replicatedValue } from './evaluations.ts';
import { type Question, questionOf } from './questions.ts';
import type {
  Corner,
  StudyComparison,
  StudyComparisons,
  StudyCorner,
  StudyRow,
  StudySystem,
  UseCost,
} from './results.ts';
import type { Outcome } from './run.ts';
import { type Landscape, testedPatents } from './sources.ts';
import type { EmbeddingSpec } from './spec.ts';

/** Of retrieval; the other tasks show what their cells keep resamples of. */
const searchMetrics = ['ndcg@10', 'ndcg@100', 'map', 'mrr', 'recall@10', 'recall@100'] as const;
/** Replicates for each pair of a question: two at least must be able to lie beyond the smallest level that Holm asks for. */
const replicatesPerPair = 40;
const mostReplicates = 100_000;

/** Corners that a landscape has the ground for. */
export function cornersOf(landscape: Landscape, views: readonly string[]): Corner[] {
  const { name: corpus, settings, searched, classified, clustered } = landscape;
  return views.flatMap((view): Corner[] => [
    ...(searched === undefined ? [] : [{ corpus, view, task: 'retrieval' as const }]),
    ...(classified === undefined
      ? []
      : settings.probes.map((probe) => ({ corpus, view, task: 'classification' as const, probe }))),
    ...(clustered === undefined ? [] : [{ corpus, view, task: 'clustering' as const }]),
  ]);
}

/** How many cells a system has under so many views. */
export function cellsOf({ landscapes, source }: Unit, views: number): number {
  const lexical = source.kind === 'bm25';
  const corners = ({ searched, classified, clustered, settings }: Landscape) =>
    Number(searched !== undefined) +
    (classified === undefined ? 0 : settings.probes.filter((probe) => !lexical || fits(probe, bm25System)).length) +
    Number(clustered !== undefined && !lexical);
  return views * landscapes.reduce((sum, landscape) => sum + corners(landscape), 0);
}

/** A system with its finished cells in one corner, one a seed. */
export interface TableSystem {
  system: StudySystem;
  outcomes: readonly Outcome[];
}

export function shownCorner(corner: Corner, { finished }: Outcome, landscape: Landscape): StudyCorner {
  const metric = comparedMetrics(finished)[0]!;
  if (finished.task === 'retrieval') {
    const { length } = finished.cell.queryIds;
    return { ...corner, metric, sample: length, documents: testedPatents(landscape) };
  }
  const { documents } = finished.cell.measures;
  return { ...corner, metric, sample: documents, documents };
}

export function rowsOf(
  table: readonly TableSystem[],
  corner: StudyCorner,
  landscape: Landscape,
  resamples: number,
): StudyRow[] {
  const estimates = estimatesOf(table, corner, landscape, resamples);
  return table.map(({ system, outcomes }, at) => ({
    ...placeOf(corner),
    system: system.name,
    cost: useCost(outcomes[0]!.finished, landscape.study.corpus.size),
    metrics: estimates[at]!,
    seeds: outcomes.map(({ unit, finished }) => ({
      ...(unit.seed === undefined ? {} : { seed: unit.seed }),
      value: metricsOf(finished)[corner.metric]!.value,
      cell: finished.cell.manifest.cell,
    })),
    tentative: isTrained(system) && outcomes.length < fewestSeeds,
  }));
}

/** The pairs that answer a question of the study, on every compared metric of the corner. */
export function compareCorner(
  table: readonly TableSystem[],
  corner: StudyCorner,
  landscape: Landscape,
  { margin, resamples: least }: EmbeddingSpec,
): StudyComparisons[] {
  const systems = table.map(({ system }) => system);
  return comparedMetrics(table[0]!.outcomes[0]!.finished).flatMap((metric): StudyComparisons[] => {
    const place = { ...placeOf(corner), metric, margin };
    if (corner.task === 'retrieval') {
      const values = table.map((system) => perSeed(system, (one) => queryValues(one, metric)));
      const { clusters } = landscape.searched!.relevance;
      const { pairs, resamples } = compareSystems({ systems, values, clusters, metric, margin, resamples: least });
      return pairs.length === 0 ? [] : [{ ...place, resamples, pairs }];
    }
    const values = table.map((system) => perSeed(system, (one) => replicated(one, metric)));
    const family = (a: number, b: number) => questionOf(systems[a]!, systems[b]!);
    const names = systems.map(({ name }) => name);
    const pairs = asAsked(compareReplicated({ systems: names, values, metric, margin, seed: 1, family }), systems);
    return pairs.length === 0 ? [] : [{ ...place, resamples: least, pairs }];
  });
}

/** Every pair of systems that answers a question of the study, adjusted with those that answer the same. */
export function compareSystems({
  systems,
  resamples: least,
  ...input
}: Omit<PairsInput, 'systems' | 'family'> & { systems: readonly StudySystem[]; resamples: number }): {
  pairs: StudyComparison[];
  resamples: number;
} {
  const asked = new Map<Question, number>();
  for (const [at, a] of systems.entries())
    for (const b of systems.slice(at + 1)) {
      const question = questionOf(a, b);
      if (question !== undefined) asked.set(question, (asked.get(question) ?? 0) + 1);
    }
  const resamples = Math.min(mostReplicates, Math.max(least, replicatesPerPair * Math.max(0, ...asked.values())));
  const pairs = comparePairs({
    seed: 1,
    ...input,
    systems: systems.map(({ name }) => name),
    resamples,
    family: (a, b) => questionOf(systems[a]!, systems[b]!),
  });
  return { pairs: asAsked(pairs, systems), resamples };
}

function asAsked(pairs: readonly Comparison[], systems: readonly StudySystem[]): StudyComparison[] {
  const named = new Map(systems.map((system) => [system.name, system]));
  return pairs.map((pair) => ({ ...pair, question: questionOf(named.get(pair.a)!, named.get(pair.b)!)! }));
}

function estimatesOf(
  table: readonly TableSystem[],
  corner: StudyCorner,
  landscape: Landscape,
  resamples: number,
): Record<string, Estimate>[] {
  if (corner.task !== 'retrieval') {
    const metrics = comparedMetrics(table[0]!.outcomes[0]!.finished);
    return table.map((system) =>
      Object.fromEntries(
        metrics.map((metric) => [metric, estimateReplicated(perSeed(system, (one) => replicated(one, metric)))]),
      ),
    );
  }
  const columns = table.flatMap((system) =>
    searchMetrics.map((metric) => perSeed(system, (one) => queryValues(one, metric))),
  );
  const estimates = estimateMeans(columns, landscape.searched!.relevance.clusters, { seed: 1, resamples });
  return table.map((_, at) =>
    Object.fromEntries(searchMetrics.map((metric, m) => [metric, estimates[at * searchMetrics.length + m]!])),
  );
}

/** An index holds the whole corpus, with a split too. */
function useCost(finished: Finished, indexed: number): UseCost {
  if (finished.task === 'retrieval') {
    const { documentsPerSecond, queriesPerSecond, indexBytes } = finished.cell.cost;
    return defined({
      documentSeconds: documentsPerSecond && 1 / documentsPerSecond,
      querySeconds: queriesPerSecond && 1 / queriesPerSecond,
      bytes: indexBytes && indexBytes / indexed,
    });
  }
  const { documents, cost } = finished.cell.measures;
  const { documentsPerSecond } = cost;
  const own =
    finished.task === 'classification'
      ? finished.cell.measures.cost.predictSeconds
      : finished.cell.measures.cost.clusterSeconds;
  return defined({ documentSeconds: documentsPerSecond && 1 / documentsPerSecond, querySeconds: own / documents });
}

/** One array a seed for trained systems, one where nothing is drawn anew by a seed. */
function perSeed<T>({ system, outcomes }: TableSystem, of: (outcome: Outcome) => T): T | T[] {
  return isTrained(system) ? outcomes.map(of) : of(outcomes[0]!);
}

function isTrained({ recipe }: StudySystem): boolean {
  return recipe !== undefined;
}

function queryValues({ finished }: Outcome, metric: string): Float64Array {
  if (finished.task !== 'retrieval') throw new TypeError('only retrieval has values of queries');
  return finished.cell.perQuery[metric]!;
}

function replicated({ finished }: Outcome, metric: string): ReplicatedValue {
  if (finished.task === 'retrieval') throw new TypeError('retrieval has no replicated values');
  return replicatedValue(finished, metric);
}

function placeOf({ corpus, view, task, probe }: Corner): Corner {
  return { corpus, view, task, ...(probe === undefined ? {} : { probe }) };
}
