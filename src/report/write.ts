/** Writes a report: `results.json`, the CSV tables and `report.html`, each one atomically, the page last. */
import { join } from 'node:path';
import { writeAtomic } from '../base/node/atomic.ts';
import type { EvaluationResults } from '../study/results.ts';
import { csvFiles } from './csv.ts';
import { renderHtml } from './html.ts';

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
  const page = renderHtml(results);
  const json = join(folder, 'results.json');
  await writeAtomic(json, `${JSON.stringify(results, null, 1)}\n`);
  const csv: string[] = [];
  for (const [name, content] of csvFiles(results)) {
    const path = join(folder, name);
    await writeAtomic(path, content);
    csv.push(path);
  }
  const path = join(folder, 'report.html');
  await writeAtomic(path, page);
  return { html: path, json, csv };
}
