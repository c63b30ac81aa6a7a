/** Tables beside a study's page: full precision, one fact a row. */
import { sameCorner } from '../study/embedding/evaluations.ts';
import type { EmbeddingResults } from '../study/embedding/results.ts';
import { csv } from './csv.ts';
import { studyFiles } from './study-html.ts';

/** File name -> content. */
export function studyCsv(results: EmbeddingResults): Map<string, string> {
  return new Map([
    [studyFiles.standings, standings(results)],
    [studyFiles.comparisons, comparisons(results)],
    [studyFiles.transfer, transfer(results)],
    [studyFiles.trainings, trainings(results)],
  ]);
}

/** One row a system, corpus, view and metric. */
export function standingRows({ rows, systems, corners }: EmbeddingResults) {
  return rows.flatMap((row) => {
    const system = systems.find(({ name }) => name === row.system)!;
    return Object.entries(row.metrics).map(([metric, { value, lower, upper }]) => ({
      corpus: row.corpus,
      view: row.view,
      task: row.task,
      probe: row.probe,
      system: row.system,
      role: system.role,
      model: system.model,
      recipe: system.recipe,
      trained_on: system.trainedOn,
      weight: system.weight,
      seeds: system.recipe === undefined ? undefined : row.seeds.length,
      sample: corners.find((corner) => sameCorner(corner, row))?.sample,
      metric,
      value,
      lower,
      upper,
    }));
  });
}

function standings(results: EmbeddingResults): string {
  const rows = standingRows(results);
  return csv(
    ['corpus', 'view', 'task', 'probe', 'system', 'role', 'model', 'recipe', 'trained_on', 'weight', 'seeds', 'sample', 'metric', 'value', 'lower', 'upper'],
    rows.map((row) => Object.values(row)),
  ); // biome-ignore format: the columns, as they stand
}

function comparisons({ comparisons: tables }: EmbeddingResults): string {
  return csv(
    ['corpus', 'view', 'task', 'probe', 'metric', 'question', 'a', 'b', 'difference', 'lower', 'upper', 'p', 'p_holm', 'verdict', 'tentative', 'margin', 'detectable', 'queries'],
    tables.flatMap(({ corpus, view, task, probe, metric, margin, pairs }) =>
      pairs.map((pair) => [
        corpus, view, task, probe, metric, pair.question, pair.a, pair.b, pair.difference, pair.lower, pair.upper, pair.p, pair.pHolm, pair.verdict,
        pair.tentative ?? false, margin, pair.detectable, pair.queries,
      ]),
    ),
  ); // biome-ignore format: the columns, as they stand
}

function transfer({ transfer: cells }: EmbeddingResults): string {
  return csv(
    ['model', 'recipe', 'role', 'weight', 'trained_on', 'evaluated_on', 'view', 'task', 'probe', 'metric', 'value', 'start', 'difference', 'lower', 'upper', 'p_holm', 'verdict', 'tentative'],
    cells.map(({ model, recipe, role, weight, from, to, view, task, probe, metric, value, start, comparison }) => [
      model, recipe, role, weight, from, to, view, task, probe, metric, value, start, comparison.difference, comparison.lower, comparison.upper,
      comparison.pHolm, comparison.verdict, comparison.tentative ?? false,
    ]),
  ); // biome-ignore format: the columns, as they stand
}

function trainings({ trainings: all }: EmbeddingResults): string {
  return csv(
    ['checkpoint', 'model', 'corpus', 'recipe', 'seed', 'pairs', 'steps', 'first_loss', 'last_loss', 'seconds', 'reloaded', 'clean'],
    all.map(({ hash, model, corpus, recipe, seed, pairs, steps, loss, seconds, reloaded, audit }) => [
      hash, model, corpus, recipe, seed, pairs, steps, loss.first, loss.last, seconds, reloaded, audit.clean,
    ]),
  ); // biome-ignore format: the columns, as they stand
}
