/** From finished cells to `EmbeddingResults`: corner by corner the systems' rows and comparisons (corners.ts), then transfer. */
import { findPair } from '../../metrics/comparison.ts';
import { definitionsVersion } from '../../metrics/definitions.ts';
import { jointStatement } from '../assemble.ts';
import { classificationStatement } from '../classification/evaluate.ts';
import { clusteringStatement } from '../clustering/evaluate.ts';
import { dataCard } from '../data-card.ts';
import type { CheckpointManifest } from './checkpoints.ts';
import { cellsOf, compareCorner, cornersOf, rowsOf, shownCorner, type TableSystem } from './corners.ts';
import { startSystem, type TrainingJob } from './design.ts';
import { sameCorner } from './evaluations.ts';
import { allCorpora } from './mixed.ts';
import type {
  EmbeddingResults,
  StudyComparisons,
  StudyCorner,
  StudyRow,
  StudyTraining,
  TransferCell,
} from './results.ts';
import type { OpenStudy, Outcome } from './run.ts';
import type { Landscape } from './sources.ts';

export async function assembleStudy(
  study: OpenStudy,
  outcomes: readonly Outcome[],
  trained: ReadonlyMap<TrainingJob, CheckpointManifest>,
): Promise<EmbeddingResults> {
  const { spec, settings, landscapes, design, missing, views } = study;
  const corners: StudyCorner[] = [];
  const rows: StudyRow[] = [];
  const comparisons: StudyComparisons[] = [];
  for (const landscape of landscapes)
    for (const corner of cornersOf(landscape, spec.views)) {
      const own = outcomes.filter((outcome) => sameCorner(outcome.corner, corner));
      const bySystem = Map.groupBy(own, ({ unit }) => unit.system.name);
      const table = design.systems.flatMap((system): TableSystem[] => {
        const outcomes = bySystem.get(system.name);
        return outcomes === undefined ? [] : [{ system, outcomes }];
      });
      if (table.length === 0) continue;
      const shown = shownCorner(corner, table[0]!.outcomes[0], landscape);
      corners.push(shown);
      rows.push(...rowsOf(table, shown, landscape, spec.resamples));
      if (table.length > 1) comparisons.push(...compareCorner(table, shown, landscape, spec));
    }
  const total = design.units.reduce((sum, unit) => sum + cellsOf(unit, views.length), 0);
  const corpora: EmbeddingResults['corpora'] = [];
  for (const { name, study: own, searched, classified, clustered, lacks } of landscapes)
    corpora.push({
      name,
      card: await dataCard(searched ?? own),
      ...(own.split === undefined ? {} : { split: own.split.summary }),
      ...(searched === undefined ? {} : { queries: searched.relevance.queries.length }),
      ...(classified === undefined ? {} : { labels: classified.card }),
      ...(clustered === undefined ? {} : { clusters: clustered.card }),
      lacks,
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
    relevanceStatement: statementOf(landscapes),
    margin: spec.margin,
    tasks: spec.tasks,
    corners,
    cells: { done: outcomes.length, total },
    corpora,
    matched: design.differences.length === 0,
    differences: design.differences,
    systems: design.systems,
    rows,
    comparisons,
    transfer: transferOf(study, rows, corners, comparisons),
    trainings,
    absent: design.absent,
    missingModels: missing,
    manifests: [...new Map(outcomes.map(({ finished: { cell } }) => [cell.manifest.cell, cell.manifest])).values()],
    warnings: [...design.warnings, ...leaks(trainings), ...mixedStatement(design.matched)],
  };
}

function statementOf(landscapes: readonly Landscape[]): string {
  const searched = landscapes.flatMap((landscape) => landscape.searched ?? []);
  const statements = [
    jointStatement(searched.map(({ corpus, relevance }) => ({ corpus: corpus.name, statement: relevance.statement }))),
    ...landscapes.flatMap(({ classified }) => (classified === undefined ? [] : classificationStatement([classified]))),
    ...landscapes.flatMap(({ clustered }) => (clustered === undefined ? [] : clusteringStatement([clustered]))),
  ];
  return statements.filter((statement) => statement !== '').join(' ');
}

/** Every trained system against the model it began as, wherever both were evaluated. */
function transferOf(
  { design, starts }: OpenStudy,
  rows: readonly StudyRow[],
  corners: readonly StudyCorner[],
  comparisons: readonly StudyComparisons[],
): TransferCell[] {
  const startOf = new Map(starts.map((start) => [start.spec.name, startSystem(start).name]));
  return rows.flatMap((row): TransferCell[] => {
    const system = design.systems.find(({ name }) => name === row.system)!;
    const { role, model, recipe, trainedOn: from, weight } = system;
    if (model === undefined || recipe === undefined || from === undefined) return [];
    const { metric } = corners.find((corner) => sameCorner(corner, row))!;
    const start = rows.find((other) => other.system === startOf.get(model) && sameCorner(other, row));
    const table = comparisons.find((other) => sameCorner(other, row) && other.metric === metric);
    const comparison = start && table && findPair(table.pairs, row.system, start.system);
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
        task: row.task,
        ...(row.probe === undefined ? {} : { probe: row.probe }),
        metric,
        value: row.metrics[metric]!.value,
        start: start!.metrics[metric]!.value,
        comparison,
      },
    ];
  });
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
