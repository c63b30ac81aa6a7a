/** Small invented patents and shortcuts for the tests of the store. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type ImportOptions, type ImportSummary, importCorpus } from '../../src/corpus/import.ts';
import type { Patent } from '../../src/corpus/record.ts';
import { openCorpus } from '../../src/corpus/store.ts';

export type SourceRow = Record<string, unknown>;

/** A source row that the column guess understands. */
export function row(id: string, more: SourceRow = {}): SourceRow {
  return { id, title: `Title of ${id}`, abstract: `Abstract of ${id}.`, ...more };
}

export function jsonLines(rows: readonly (SourceRow | string)[]): string {
  return rows.map((item) => `${typeof item === 'string' ? item : JSON.stringify(item)}\n`).join('');
}

/** Imports rows as a file `source` of folder `home`. */
export function importRows(
  home: string,
  rows: readonly (SourceRow | string)[],
  options: Partial<ImportOptions> & { source?: string } = {},
): Promise<ImportSummary> {
  const { source = 'source.jsonl', ...rest } = options;
  const path = join(home, source);
  writeFileSync(path, jsonLines(rows));
  return importCorpus({ home, name: 'mine', paths: [path], ...rest });
}

export async function contents(home: string, name = 'mine'): Promise<Patent[]> {
  const corpus = await openCorpus(home, name);
  const patents: Patent[] = [];
  for await (const patent of corpus.records()) patents.push(patent);
  await corpus.close();
  return patents;
}
