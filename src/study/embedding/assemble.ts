/**
 * From finished cells to `EmbeddingResults`. Within one corpus, view and metric all systems are compared in one table: trained
 * systems bring one array of values a seed (hierarchical bootstrap over seeds and queries, `metrics/significance.ts`), queries are
 * resampled by family, and Holm's adjustment covers the pairs of each question (questions.ts). Replicates are as many as the
 * largest question needs for its smallest adjusted p to be able to fall below 0.05.
 */
import { definitionsVersion } from '../../metrics/definitions.ts';
import { comparePairs, estimateMeans, type PairsInput, type SystemValues } from '../../metrics/significance.ts';
import type { Comparison } from '../../metrics/types.ts';
import { jointStatement } from '../assemble.ts';
import { dataCard } from '../data-card.ts';
import { retrievalMetrics } from '../measure.ts';
import type { CheckpointManifest } from './checkpoints.ts';
import { startSystem, type TrainingJob } from './design.ts';
import { allCorpora } from './mixed.ts';
import { type Question, questionOf } from './questions.ts';
import type {
  EmbeddingResults,
  StudyComparison,
  StudyComparisons,
  StudyRow,
  StudySystem,
  StudyTraining,
  TransferCell,
} from './results.ts';
import type { OpenStudy, Outcome } from './run.ts';
import type { Landscape } from './sources.ts';

const headline = retrievalMetrics[0];
const shownMetrics = ['ndcg@10', 'ndcg@100', 'map', 'mrr', 'recall@10', 'recall@100'] as const;
/** Replicates for each pair of a question: two at least must be able to lie beyond the smallest level that Holm asks for. */
const replicatesPerPair = 40;
const mostReplicates = 100_000;

export async function assembleStudy(
  study: OpenStudy,
  outcomes: readonly Outcome[],
  trained: ReadonlyMap<TrainingJob, CheckpointManifest>,
): Promise<EmbeddingResults> {
  const { spec, settings, landscapes, design, missing, views } = study;
  const rows: StudyRow[] = [];
  const comparisons: StudyComparisons[] = [];
  const ordered = design.systems.map(({ name }) => name);
  for (const landscape of landscapes)
    for (const view of spec.views) {
      const own = outcomes.filter((outcome) => outcome.landscape === landscape && outcome.view === view);
      const bySystem = Map.groupBy(own, ({ unit }) => unit.system.name);
      const names = ordered.filter((name) => bySystem.has(name));
      const table = names.map((name) => ({ name, outcomes: bySystem.get(name)! }));
      rows.push(...rowsOf(table, landscape, view, spec.resamples));
      if (table.length < 2) continue;
      const { pairs, resamples } = compareSystems({
        systems: table.map(({ outcomes: [first] }) => first!.unit.system),
        values: table.map((system) => valuesOf(system.outcomes, headline)),
        clusters: landscape.study.relevance.clusters,
        metric: headline,
        margin: spec.margin,
        resamples: spec.resamples,
      });
      if (pairs.length > 0)
        comparisons.push({ corpus: landscape.name, view, metric: headline, margin: spec.margin, resamples, pairs });
    }
  const total = design.units.reduce((sum, unit) => sum + unit.landscapes.length * views.length, 0);
  const corpora: EmbeddingResults['corpora'] = [];
  for (const { name, study: own } of landscapes)
    corpora.push({
      name,
      card: await dataCard(own),
      ...(own.split === undefined ? {} : { split: own.split.summary }),
      queries: own.relevance.queries.length,
      matched: design.matched.get(name) ?? '',
    });
  const trainings = design.trainings.flatMap((job) => trainingOf(job, trained.get(job)));
  return {
    format: 1,
    kind: 'embedding',
    study: spec.name,
    title: spec.title,
    invented: landscapes.some(({ study: own }) => own.corpus.invented),
    created: new Date().toISOString(),
    packageVersion: settings.packageVersion,
    definitions: definitionsVersion,
    command: settings.command,
    relevanceStatement: jointStatement(
      landscapes.map(({ name, study: own }) => ({ corpus: name, statement: own.relevance.statement })),
    ),
    headline,
    margin: spec.margin,
    views: spec.views,
    cells: { done: outcomes.length, total },
    corpora,
    matched: design.differences.length === 0,
    differences: design.differences,
    systems: design.systems,
    rows,
    comparisons,
    transfer: transferOf(study, rows, comparisons),
    trainings,
    absent: design.absent,
    missingModels: missing,
    manifests: [...new Map(outcomes.map(({ cell }) => [cell.manifest.cell, cell.manifest])).values()],
    warnings: [...design.warnings, ...leaks(trainings), ...mixedStatement(design.matched)],
  };
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
  const named = new Map(systems.map((system) => [system.name, system]));
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
  return {
    pairs: pairs.map((pair) => ({ ...pair, question: questionOf(named.get(pair.a)!, named.get(pair.b)!)! })),
    resamples,
  };
}

interface TableSystem {
  name: string;
  outcomes: readonly Outcome[];
}

/** One array where nothing is drawn anew by a seed; one a seed for trained systems. */
function valuesOf(outcomes: readonly Outcome[], metric: string): SystemValues {
  const arrays = outcomes.map(({ cell }) => cell.perQuery[metric]!);
  return outcomes[0]!.unit.seed === undefined ? arrays[0]! : arrays;
}

function rowsOf(table: readonly TableSystem[], landscape: Landscape, view: string, resamples: number): StudyRow[] {
  if (table.length === 0) return [];
  const columns = table.flatMap((system) => shownMetrics.map((metric) => valuesOf(system.outcomes, metric)));
  const estimates = estimateMeans(columns, landscape.study.relevance.clusters, { seed: 1, resamples });
  return table.map(({ name, outcomes }, at) => ({
    corpus: landscape.name,
    view,
    system: name,
    queries: landscape.study.relevance.queries.length,
    documents: landscape.study.split?.summary.patents.test ?? landscape.study.corpus.size,
    cost: outcomes[0]!.cell.cost,
    metrics: Object.fromEntries(shownMetrics.map((metric, m) => [metric, estimates[at * shownMetrics.length + m]!])),
    seeds: outcomes.map(({ unit, cell }) => ({
      ...(unit.seed === undefined ? {} : { seed: unit.seed }),
      value: cell.metrics[headline]!.value,
      cell: cell.manifest.cell,
    })),
    tentative: outcomes[0]!.unit.seed !== undefined && outcomes.length < 5,
  }));
}

/** Every trained system against the model it began as, wherever both were evaluated. */
function transferOf(
  { design, starts }: OpenStudy,
  rows: readonly StudyRow[],
  comparisons: readonly StudyComparisons[],
): TransferCell[] {
  const startOf = new Map(starts.map((start) => [start.spec.name, startSystem(start).name]));
  return rows.flatMap((row): TransferCell[] => {
    const system = design.systems.find(({ name }) => name === row.system)!;
    const { role, model, recipe, trainedOn: from, weight } = system;
    if (model === undefined || recipe === undefined || from === undefined) return [];
    const start = rows.find(
      (other) => other.system === startOf.get(model) && other.corpus === row.corpus && other.view === row.view,
    );
    const table = comparisons.find(({ corpus, view }) => corpus === row.corpus && view === row.view);
    const comparison = start && table && pairOf(table.pairs, row.system, start.system);
    if (comparison === undefined) return [];
    return [
      {
        system: row.system,
        role,
        model,
        recipe,
        ...(weight === undefined ? {} : { weight }),
        from,
        to: row.corpus,
        view: row.view,
        value: row.metrics[headline]!.value,
        start: start!.metrics[headline]!.value,
        comparison,
      },
    ];
  });
}

const opposite = { better: 'worse', worse: 'better', equivalent: 'equivalent', undecided: 'undecided' } as const;

/** The comparison of `a` with `b`, turned round where the table has it the other way. */
export function pairOf(pairs: readonly Comparison[], a: string, b: string): Comparison | undefined {
  const found = pairs.find((pair) => (pair.a === a && pair.b === b) || (pair.a === b && pair.b === a));
  if (found === undefined || found.a === a) return found;
  const { difference, lower, upper, verdict } = found;
  return { ...found, a, b, difference: -difference, lower: -upper, upper: -lower, verdict: opposite[verdict] };
}

function trainingOf(job: TrainingJob, manifest: CheckpointManifest | undefined): StudyTraining[] {
  if (manifest?.training === undefined) return [];
  const { plan, steps, loss, curve, seconds, reloaded, audit } = manifest.training;
  return [
    {
      hash: job.hash,
      model: job.start.spec.name,
      corpus: job.ground.name,
      recipe: job.recipe.label,
      seed: job.seed,
      pairs: plan.pairs,
      steps,
      loss,
      curve,
      seconds,
      reloaded,
      audit,
      plan,
    },
  ];
}

/** Trainings that saw what some other corpus tests: their numbers there are too good. */
function leaks(trainings: readonly StudyTraining[]): string[] {
  return [
    ...Map.groupBy(
      trainings.filter(({ audit }) => !audit.clean),
      ({ corpus }) => corpus,
    ),
  ].map(([corpus, all]) => {
    const counts = all[0]!.audit.counts;
    const found = Object.entries(counts).filter(([, count]) => count > 0);
    return `Corpora overlap: training on ${corpus} saw what another corpus tests (pairs concerned: ${found.map(([check, count]) => `${check} ${count}`).join(', ')}); its transfer is overstated.`;
  });
}

function mixedStatement(matched: ReadonlyMap<string, string>): string[] {
  const statement = matched.get(allCorpora);
  return statement === undefined ? [] : [`Mixed training: ${statement}`];
}
