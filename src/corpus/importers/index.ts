/** All importers, and the choice of one for a file: by `--format`, else by name and content. */
import { extname } from 'node:path';
import { inputError } from '../../base/errors.ts';
import { readHead } from './bytes.ts';
import { csv, tsv } from './csv.ts';
import type { Importer, SourceFile } from './importer.ts';
import { json } from './json.ts';
import { jsonl } from './jsonl.ts';
import { parquet } from './parquet.ts';
import { xlsx } from './xlsx.ts';

export const importers: readonly Importer[] = [jsonl, json, csv, tsv, parquet, xlsx];

export async function chooseImporter(file: SourceFile, format?: string): Promise<Importer> {
  if (format !== undefined) {
    const named = importers.find((importer) => importer.format === format.toLowerCase());
    if (named !== undefined) return named;
    throw inputError('this format is not known', {
      code: 'import.format',
      field: '--format',
      expected: `one of ${importers.map((importer) => importer.format).join(', ')}`,
      found: format,
      hint: 'Leave --format out to have the format detected.',
    });
  }
  const bytes = await readHead(file.path);
  const name = file.path.toLowerCase().replace(/\.(?:gz|gzip)$/, '');
  let best: Importer | undefined;
  let bestScore = 0.2;
  for (const importer of importers) {
    const score = importer.detect({ name, bytes });
    if (score > bestScore) [best, bestScore] = [importer, score];
  }
  if (best !== undefined) return best;
  throw inputError('the format of the file is not recognised', {
    code: 'import.format',
    file: file.path,
    expected: `one of ${importers.map((importer) => importer.format).join(', ')}, plain or gzipped`,
    found: bytes.length === 0 ? 'an empty file' : describeHead(bytes, extname(name)),
    hint: 'Name the format with --format, or export the data again as CSV or JSON lines.',
  });
}

function describeHead(bytes: Buffer, extension: string): string {
  const start = bytes.subarray(0, 24);
  const printable = start.every(
    (byte) => (byte >= 0x20 && byte < 0x7f) || byte === 0x0a || byte === 0x0d || byte === 0x09,
  );
  const text = printable ? JSON.stringify(start.toString('latin1')) : `bytes ${start.subarray(0, 8).toString('hex')}`;
  return `${extension === '' ? 'no file ending' : `file ending ${extension}`}, beginning with ${text}`;
}
