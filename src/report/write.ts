/** Writes a report: `results.json`, the CSV tables and `report.html`, each one atomically, the page last. */
import { join } from 'node:path';
import { writeAtomic } from '../base/node/atomic.ts';
import { writeParquet } from '../base/node/parquet.ts';
import type { EmbeddingResults } from '../study/embedding/results.ts';
import type { EvaluationResults } from '../study/results.ts';
import { classificationCsv } from './classification-csv.ts';
import { clusteringCsv } from './clustering-csv.ts';
import { csvFiles } from './csv.ts';
import { hasRetrieval, renderHtml } from './html.ts';
import { standingRows, studyCsv } from './study-csv.ts';
import { renderStudyHtml } from './study-html.ts';

export interface WrittenReport {
  html: string;
  json: string;
  /** Paths of the tables, the leaderboard first. */
  csv: string[];
}

/**
 * Writes the report of an evaluation into `folder` (made where missing; files of an earlier report are replaced).
 * Throws `disk.full` or `disk.forbidden`.
 */
export async function writeReport(folder: string, results: EvaluationResults): Promise<WrittenReport> {
  const retrieval = hasRetrieval(results) ? csvFiles(results) : [];
  return writeFiles(folder, renderHtml(results), results, [
    ...retrieval,
    ...classificationCsv(results),
    ...clusteringCsv(results),
  ]);
}

/**
 * Writes the report of a study into `folder`, as `writeReport` does that of an evaluation; the standings also as
 * `results.parquet`.
 */
export async function writeStudyReport(folder: string, results: EmbeddingResults): Promise<WrittenReport> {
  const page = renderStudyHtml(results);
  const rows = standingRows(results);
  await writeParquet(join(folder, 'results.parquet'), [
    ...(['corpus', 'view', 'task', 'probe', 'system', 'role', 'model', 'recipe', 'trained_on', 'metric'] as const).map(
      (name) => ({
        name,
        type: 'VARCHAR' as const,
        values: rows.map((row) => row[name] ?? ''),
      }),
    ),
    ...(['weight', 'seeds', 'sample', 'value', 'lower', 'upper'] as const).map((name) => ({
      name,
      type: 'DOUBLE' as const,
      values: rows.map((row) => row[name] ?? Number.NaN),
    })),
  ]);
  return writeFiles(folder, page, results, studyCsv(results));
}

async function writeFiles(
  folder: string,
  page: string,
  results: unknown,
  tables: Iterable<readonly [string, string]>,
): Promise<WrittenReport> {
  const json = join(folder, 'results.json');
  await writeAtomic(json, `${JSON.stringify(results, null, 1)}\n`);
  const csv: string[] = [];
  for (const [name, content] of tables) {
    const path = join(folder, name);
    await writeAtomic(path, content);
    csv.push(path);
  }
  const html = join(folder, 'report.html');
  await writeAtomic(html, page);
  return { html, json, csv };
}
