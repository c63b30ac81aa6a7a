/**
 * Reading stored corpora. A corpus is opened at one revision and stays what it was while it is open, whatever is imported
 * meanwhile: its files are held open, and an import writes new ones beside them.
 */
import { readdir, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { inputError, workError } from '../base/errors.ts';
import { sha256File } from '../base/node/hash.ts';
import { acquireLock } from '../base/node/lock.ts';
import type { LinkLine } from './links.ts';
import type { Patent } from './record.ts';
import { RecordFile, readOffsets } from './record-file.ts';
import { nodeStoreFiles } from './store-files.ts';
import {
  type CorpusSource,
  checkCorpusName,
  checkFiles,
  corporaFolder,
  corpusFolder,
  damaged,
  generationFiles,
  lockPath,
  manifestPath,
  readManifest,
  type StoreManifest,
} from './store-format.ts';
import { CorpusNames, type Resolution, textLines } from './store-names.ts';
import { patentFromLine } from './store-record.ts';
import type { CorpusSummary } from './summary.ts';

export interface Corpus {
  readonly name: string;
  /** The corpus's own folder under `<home>/corpora`. */
  readonly directory: string;
  /** Number of patents; rows are 0 to size - 1. */
  readonly size: number;
  /** SHA-256 over all records in order. */
  readonly hash: string;
  /** Counts the imports, from "1". */
  readonly revision: string;
  /** Invented data: every report is stamped with it. */
  readonly invented: boolean;
  readonly sources: readonly CorpusSource[];
  readonly summary: CorpusSummary;
  /** Patents of rows [from, to) in row order, streaming. */
  records(options?: { from?: number; to?: number }): AsyncIterable<Patent>;
  get(row: number): Promise<Patent>;
  title(row: number): Promise<string>;
  id(row: number): string;
  /** Row of an id, an alias, or a publication number in any form that means one patent only. */
  row(id: string): number | undefined;
  /** Rows a citation means (`store-names.ts`). */
  resolve(citation: string): Resolution;
  /** Rows of the same application as `row`, itself included. */
  sameApplication(row: number): readonly number[];
  /** What relations need of every row, in row order. */
  links(): AsyncIterable<LinkLine[]>;
  /** Hashes all files against the manifest; throws where one differs. */
  verify(): Promise<void>;
  close(): Promise<void>;
}

/** Opens a corpus. Throws `corpus.unknown`, `corpus.damaged`, `corpus.format`. */
export async function openCorpus(home: string, name: string): Promise<Corpus> {
  checkCorpusName(name);
  const directory = corpusFolder(home, name);
  // An import may end between reading the manifest and opening its files: then the manifest is a newer one, read again.
  for (let attempt = 0; ; attempt++) {
    const manifest = await readManifest(directory);
    if (manifest === undefined) throw await unknownCorpus(home, name);
    try {
      await checkFiles(directory, manifest);
      return await StoredCorpus.open(directory, manifest);
    } catch (error) {
      const latest = await readManifest(directory);
      if (attempt >= 3 || latest?.generation === manifest.generation) throw error;
    }
  }
}

class StoredCorpus implements Corpus {
  readonly name: string;
  readonly directory: string;
  readonly size: number;
  readonly hash: string;
  readonly revision: string;
  readonly invented: boolean;
  readonly sources: readonly CorpusSource[];
  readonly summary: CorpusSummary;
  private readonly manifest: StoreManifest;
  private readonly file: RecordFile;
  private readonly names: CorpusNames;

  private constructor(directory: string, manifest: StoreManifest, file: RecordFile, names: CorpusNames) {
    this.directory = directory;
    this.manifest = manifest;
    this.file = file;
    this.names = names;
    this.name = manifest.name;
    this.size = manifest.size;
    this.hash = manifest.hash;
    this.revision = manifest.revision;
    this.invented = manifest.invented;
    this.sources = manifest.sources;
    this.summary = manifest.summary;
  }

  static async open(directory: string, manifest: StoreManifest): Promise<StoredCorpus> {
    const path = (name: string) => join(directory, manifest.generation, name);
    const offsets = await readOffsets(path('offsets.bin'), manifest.size);
    if (offsets[manifest.size] !== manifest.files['records.jsonl'].bytes)
      throw damaged(path('offsets.bin'), 'the last offset is not the length of records.jsonl');
    const names = await CorpusNames.load(path('names.txt'), manifest.size, manifest.files['names.txt'].bytes);
    return new StoredCorpus(directory, manifest, await RecordFile.open(path('records.jsonl'), offsets), names);
  }

  async *records({
    from = 0,
    to = this.size,
  }: {
    from?: number;
    to?: number;
  } = {}): AsyncGenerator<Patent, void, undefined> {
    for await (const lines of this.file.lines(Math.max(0, from), Math.min(this.size, to)))
      for (const line of lines) yield this.parse(line);
  }

  async get(row: number): Promise<Patent> {
    if (!(row >= 0 && row < this.size)) throw new RangeError(`row ${row} is not one of ${this.size}`);
    return this.parse(await this.file.line(row));
  }

  async title(row: number): Promise<string> {
    if (!(row >= 0 && row < this.size)) throw new RangeError(`row ${row} is not one of ${this.size}`);
    // Fields stand in fixed order: the title is near the beginning, and the texts after it need not be read.
    const head = await this.file.head(row, 2048);
    const title = /^\{"id":[^{}]*?,"title":("(?:[^"\\]|\\.)*")[,}]/.exec(head)?.[1];
    return title === undefined ? ((await this.get(row)).title ?? '') : (JSON.parse(title) as string);
  }

  id(row: number): string {
    return this.names.id(row);
  }

  row(id: string): number | undefined {
    return this.names.row(id);
  }

  resolve(citation: string): Resolution {
    return this.names.resolve(citation);
  }

  sameApplication(row: number): readonly number[] {
    return this.names.sameApplication(row);
  }

  async *links(): AsyncGenerator<LinkLine[], void, undefined> {
    for await (const lines of textLines(this.path('links.jsonl')))
      yield lines.map((line) => JSON.parse(line) as LinkLine);
  }

  async verify(): Promise<void> {
    for (const name of generationFiles) {
      const found = await sha256File(this.path(name));
      if (found !== this.manifest.files[name].sha256)
        throw damaged(this.path(name), `SHA-256 ${found}`, undefined, `SHA-256 ${this.manifest.files[name].sha256}`);
    }
  }

  close(): Promise<void> {
    return this.file.close();
  }

  private parse(line: string): Patent {
    try {
      return patentFromLine(line);
    } catch (error) {
      throw damaged(this.path('records.jsonl'), 'a line that is no record', error);
    }
  }

  private path(name: string): string {
    return join(this.directory, this.manifest.generation, name);
  }
}

export interface CorpusEntry {
  name: string;
  size: number;
  revision: string;
  hash: string;
  invented: boolean;
  bytes: number;
  /** Why it cannot be read, where it cannot. */
  problem?: string;
}

/** All corpora of a home, by name. Folders without a manifest are none. */
export async function listCorpora(home: string): Promise<CorpusEntry[]> {
  const names = await readdir(corporaFolder(home)).catch(() => [] as string[]);
  const entries: CorpusEntry[] = [];
  for (const name of names.sort()) {
    try {
      const manifest = await readManifest(corpusFolder(home, name));
      if (manifest === undefined) continue;
      const { size, revision, hash, invented, files } = manifest;
      entries.push({
        name,
        size,
        revision,
        hash,
        invented,
        bytes: generationFiles.reduce((sum, file) => sum + files[file].bytes, 0),
      });
    } catch (error) {
      entries.push({
        name,
        size: 0,
        revision: '',
        hash: '',
        invented: false,
        bytes: 0,
        problem: (error as Error).message,
      });
    }
  }
  return entries;
}

/** Removes a corpus, or what a broken import left under its name. Throws `corpus.unknown`, `lock.held`. */
export async function removeCorpus(home: string, name: string): Promise<void> {
  checkCorpusName(name);
  const directory = corpusFolder(home, name);
  const lock = await acquireLock(lockPath(home, name), `the corpus "${name}"`);
  try {
    const there = await readdir(directory).catch(() => undefined);
    if (there === undefined) throw await unknownCorpus(home, name);
    // The manifest goes first: what remains of an interrupted removal is no corpus.
    await nodeStoreFiles.remove(manifestPath(directory));
    for (const entry of there) await nodeStoreFiles.remove(join(directory, entry));
    await rmdir(directory);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'EBUSY' || code === 'EPERM' || code === 'EACCES')
      throw workError('the corpus cannot be removed', {
        code: 'corpus.busy',
        file: directory,
        found: String((error as Error).message),
        hint: 'Close the programs that use it, then run the command again.',
        cause: error,
      });
    throw error;
  } finally {
    await lock.release();
  }
}

async function unknownCorpus(home: string, name: string): Promise<Error> {
  const known = (await listCorpora(home)).map((entry) => entry.name);
  return inputError(`there is no corpus "${name}"`, {
    code: 'corpus.unknown',
    file: corpusFolder(home, name),
    expected: known.length === 0 ? 'an imported corpus' : `one of ${known.slice(0, 20).join(', ')}`,
    found: name,
    hint:
      known.length === 0
        ? `Import one: patentlab import PATH --as ${name}`
        : 'See `patentlab corpus list`, or --home for another place.',
  });
}
