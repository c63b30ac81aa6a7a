/**
 * The store on disk.
 *
 *   <home>/corpora/<name>/manifest.json      the only file a reader trusts; written last, by rename
 *   <home>/corpora/<name>/<generation>/      one folder an import; the manifest names the one that counts
 *     records.jsonl    one patent a line, fields in fixed order, empty fields left out
 *     offsets.bin      float64, little endian: where each line of records.jsonl begins, then its length in all
 *     names.txt        one line a patent: id, then aliases, between tabs
 *     links.jsonl      one line a patent: what relations need without the texts
 *     rejects.jsonl    rows of the last import that could not be used: file, line, reason, found
 *   <home>/corpora/<name>.lock               held while a process writes
 *
 * A folder the manifest does not name is what a broken import left; the next import removes it.
 */
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { inputError, workError } from '../base/errors.ts';
import type { CorpusSummary } from './summary.ts';

export const storeFormat = 1;

export const generationFiles = ['records.jsonl', 'offsets.bin', 'names.txt', 'links.jsonl', 'rejects.jsonl'] as const;
export type GenerationFile = (typeof generationFiles)[number];

export interface CorpusSource {
  /** As the user named it. */
  file: string;
  sha256: string;
  bytes: number;
  /** Rows read from it, rejected ones included. */
  rows: number;
  rejected: number;
}

const file = z.object({ bytes: z.number().int().nonnegative(), sha256: z.string().length(64) });

const manifestSchema = z.object({
  format: z.number().int(),
  name: z.string(),
  /** Counts the imports into this corpus, from 1. */
  revision: z.string(),
  /** SHA-256 of records.jsonl: same patents in the same order, same hash. */
  hash: z.string(),
  size: z.number().int().nonnegative(),
  invented: z.boolean(),
  generation: z.string().regex(/^[\w-]+$/),
  files: z.object({
    'records.jsonl': file,
    'offsets.bin': file,
    'names.txt': file,
    'links.jsonl': file,
    'rejects.jsonl': file,
  }),
  sources: z.array(
    z.object({ file: z.string(), sha256: z.string(), bytes: z.number(), rows: z.number(), rejected: z.number() }),
  ),
  summary: z.custom<CorpusSummary>((value) => typeof value === 'object' && value !== null),
});

export type StoreManifest = z.infer<typeof manifestSchema>;

export const corporaFolder = (home: string) => join(home, 'corpora');
export const corpusFolder = (home: string, name: string) => join(home, 'corpora', name);
export const manifestPath = (folder: string) => join(folder, 'manifest.json');
export const lockPath = (home: string, name: string) => join(home, 'corpora', `${name}.lock`);

/** A corpus name is a folder name on every system. */
export function checkCorpusName(name: string): void {
  if (/^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/.test(name) && !/[.]$|\.(?:lock|partial|stale)$/i.test(name)) return;
  throw inputError(`"${name}" cannot be the name of a corpus`, {
    code: 'corpus.name',
    expected: 'letters, digits, dots, hyphens and underscores, beginning with a letter or digit, at most 100',
    found: JSON.stringify(name),
  });
}

/** The manifest of a corpus folder; undefined where there is none. Throws where it is damaged or of a later format. */
export async function readManifest(folder: string): Promise<StoreManifest | undefined> {
  const path = manifestPath(folder);
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw error;
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw damaged(path, 'not JSON', error);
  }
  const format = (value as { format?: unknown } | null)?.format;
  if (typeof format === 'number' && format !== storeFormat) {
    throw inputError('the corpus was stored by another version of patentlab', {
      code: 'corpus.format',
      file: path,
      expected: `store format ${storeFormat}`,
      found: `store format ${format}`,
      hint:
        format > storeFormat ? 'Use the newer patentlab that stored it.' : 'Import the sources again under a new name.',
    });
  }
  const parsed = manifestSchema.safeParse(value);
  if (!parsed.success) throw damaged(path, z.prettifyError(parsed.error), parsed.error);
  return parsed.data;
}

/** Checks that all files of the manifest are there in their full length. */
export async function checkFiles(folder: string, manifest: StoreManifest): Promise<void> {
  for (const name of generationFiles) {
    const path = join(folder, manifest.generation, name);
    const size = await stat(path).then(
      (info) => info.size,
      () => undefined,
    );
    const expected = manifest.files[name].bytes;
    if (size !== expected)
      throw damaged(path, size === undefined ? 'no such file' : `${size} bytes`, undefined, `${expected} bytes`);
  }
}

export function damaged(path: string, found: string, cause?: unknown, expected?: string): Error {
  return workError('the stored corpus is damaged', {
    code: 'corpus.damaged',
    file: path,
    ...(expected === undefined ? {} : { expected }),
    found,
    hint: 'Remove the corpus (`patentlab corpus remove NAME`) and import its sources again.',
    cause,
  });
}

/** Folders and files in a corpus folder that its manifest does not name. */
export async function strayEntries(folder: string, manifest: StoreManifest | undefined): Promise<string[]> {
  const entries = await readdir(folder).catch(() => [] as string[]);
  return entries.filter((entry) => entry !== 'manifest.json' && entry !== manifest?.generation);
}
