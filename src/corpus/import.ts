/**
 * Import: files of any known format become a stored corpus, or are merged into one by id.
 *
 * Rows stream from the importers through `patentFromRow` into a new generation folder; what an import holds of a patent
 * in memory is 16 to 40 bytes (the index of ids, a link between records of one id), besides one row and the write blocks.
 * Where every id is new and the corpus too, that folder is the corpus; otherwise a second pass writes the merged records:
 * stored rows first and in their order, then new ones. The manifest is written last, by rename: until then, and after any
 * failure, the corpus is what it was.
 */
import { randomBytes } from 'node:crypto';
import { readdir, rmdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { inputError, PatentlabError, quoteFound } from '../base/errors.ts';
import { explainWriteError } from '../base/node/atomic.ts';
import { sha256File } from '../base/node/hash.ts';
import { acquireLock } from '../base/node/lock.ts';
import { type Progress, silent } from '../base/progress.ts';
import { countCitations, noCitations } from './citation-counts.ts';
import { type ColumnPlan, planColumns } from './columns.ts';
import { mergeGenerations, Repeats } from './import-merge.ts';
import type { Row, RowOutcome, SourceFile } from './importers/importer.ts';
import { chooseImporter } from './importers/index.ts';
import { patentFromRow } from './patent-from-row.ts';
import { expandSources } from './sources.ts';
import { nodeStoreFiles, type StoreFiles } from './store-files.ts';
import {
  type CorpusSource,
  checkCorpusName,
  corpusFolder,
  type GenerationFile,
  lockPath,
  manifestPath,
  readManifest,
  type StoreManifest,
  storeFormat,
  strayEntries,
} from './store-format.ts';
import { NameIndex } from './store-index.ts';
import type { OnConflict } from './store-merge.ts';
import { textLines } from './store-names.ts';
import { mergeKey } from './store-record.ts';
import { StoreWriter } from './store-writer.ts';
import type { CorpusSummary } from './summary.ts';

export interface ImportOptions {
  home: string;
  name: string;
  /** Files, folders and globs. */
  paths: string[];
  /** Format of all files; detected where left out. */
  format?: string;
  /** Field of the record -> path in the row. */
  map?: Record<string, string>;
  /** Element that holds one record, for formats that nest. */
  record?: string;
  /** What happens to a patent whose id is there already. Default `fill`. */
  onConflict?: OnConflict;
  progress?: Progress;
  signal?: AbortSignal;
  /** Marks the corpus as invented data, as records that say `invented: true` do; it is so once anything invented is in it. */
  invented?: boolean;
  /** File operations of the store; tests make them fail. */
  files?: StoreFiles;
}

export interface ImportSummary {
  corpus: string;
  /** Rows read from the sources, rejected ones included. */
  read: number;
  /** Patents in the corpus now. */
  stored: number;
  /** Patents that were not there before. */
  added: number;
  /** Rows whose patent was there already, from this import or an earlier one: merged or replaced. */
  duplicates: number;
  rejected: number;
  /** The file of rejected rows, where there are any. */
  rejects?: string;
  rejectReasons: { reason: string; count: number }[];
  /** What was done to accepted rows beyond copying (texts cut apart, dates read), with counts. */
  notes: { note: string; count: number }[];
  /** Distinct citing pairs inside the corpus, from the `cites` lists. */
  citationsInside: number;
  /** Distinct labels. */
  labels: number;
  fields: CorpusSummary['fields'];
  revision: string;
  hash: string;
  invented: boolean;
  sources: CorpusSource[];
  /** For each source, which column fed which field, which columns were left over, and what guessing decided. */
  columns: { file: string; format: string; fields: ColumnPlan['fields']; unused: string[]; notes: string[] }[];
  summary: CorpusSummary;
  seconds: number;
}

/** Rows that column guessing sees of a file. */
const sampleRows = 200;

/** Imports `paths` as corpus `name`. Throws before anything is stored, or stores everything. */
export async function importCorpus(options: ImportOptions): Promise<ImportSummary> {
  const { home, name, files = nodeStoreFiles } = options;
  checkCorpusName(name);
  const sources = await expandSources(options.paths);
  const directory = corpusFolder(home, name);
  const lock = await acquireLock(lockPath(home, name), `the corpus "${name}"`);
  const started = performance.now();
  try {
    await files.makeFolder(directory);
    const stored = await readManifest(directory);
    for (const stray of await strayEntries(directory, stored)) await files.remove(join(directory, stray));
    const work = new Import(options, directory, stored);
    const manifest = await work.run(sources);
    options.signal?.throwIfAborted();
    await lock.assertHeld();
    await commit(files, directory, manifest);
    if (stored !== undefined) await files.remove(join(directory, stored.generation)).catch(() => undefined); // else the next import does
    return work.report(manifest, (performance.now() - started) / 1000);
  } catch (error) {
    throw error instanceof PatentlabError ? error : explainWriteError(error, directory);
  } finally {
    await tidy(files, directory).catch(() => undefined);
    await lock.release();
  }
}

async function commit(files: StoreFiles, directory: string, manifest: StoreManifest): Promise<void> {
  const draft = join(directory, `manifest.${manifest.generation}.partial`);
  const file = await files.create(draft);
  try {
    await file.write(Buffer.from(`${JSON.stringify(manifest, null, 1)}\n`));
  } catch (error) {
    await file.abandon();
    throw error;
  }
  await file.finish();
  await files.move(draft, manifestPath(directory));
}

/** Removes what the manifest does not name, and the folder itself where there is no corpus in it. */
async function tidy(files: StoreFiles, directory: string): Promise<void> {
  const manifest = await readManifest(directory);
  for (const stray of await strayEntries(directory, manifest)) await files.remove(join(directory, stray));
  if (manifest === undefined && (await readdir(directory)).length === 0) await rmdir(directory);
}

class Import {
  private readonly options: ImportOptions;
  private readonly files: StoreFiles;
  private readonly progress: Progress;
  private readonly rule: OnConflict;
  private readonly directory: string;
  private readonly stored: StoreManifest | undefined;
  private readonly generation: string;
  private readonly sources: CorpusSource[] = [];
  private readonly columns: ImportSummary['columns'] = [];
  private readonly rejectReasons = new Map<string, number>();
  private readonly notes = new Map<string, number>();
  private read = 0;
  private rejected = 0;
  private firstReject = '';
  /** Ids of all records, stored ones first, then staged ones. */
  private readonly ids: NameIndex;
  private readonly repeats = new Repeats();
  private invented: boolean;

  constructor(options: ImportOptions, directory: string, stored: StoreManifest | undefined) {
    this.options = options;
    this.files = options.files ?? nodeStoreFiles;
    this.progress = options.progress ?? silent;
    this.rule = options.onConflict ?? 'fill';
    this.invented = options.invented ?? false;
    this.directory = directory;
    this.stored = stored;
    this.generation = `r${Number(stored?.revision ?? 0) + 1}-${randomBytes(6).toString('hex')}`;
    this.ids = new NameIndex(stored?.size ?? 1024);
  }

  private get base(): number {
    return this.stored?.size ?? 0;
  }

  async run(sources: readonly SourceFile[]): Promise<StoreManifest> {
    if (this.stored !== undefined) await this.indexStored(join(this.directory, this.stored.generation, 'names.txt'));
    const staging = join(this.directory, `${this.generation}-staged`);
    const writer = await StoreWriter.create(this.files, staging);
    let written: Record<GenerationFile, { bytes: number; sha256: string }>;
    try {
      for (const source of sources) await this.readSource(source, writer);
      if (writer.size === 0 && this.repeats.count === 0) throw this.nothingUsable(sources);
      written = await writer.finish();
    } catch (error) {
      await writer.abandon().catch(() => undefined);
      throw error;
    }
    const target = join(this.directory, this.generation);
    let { size, summary } = writer;
    if (this.base === 0 && this.repeats.count === 0) {
      await this.files.move(staging, target);
    } else {
      const { options, files, progress, stored, repeats, rule } = this;
      const merged = await mergeGenerations({
        stored: stored && { folder: join(this.directory, stored.generation), size: stored.size },
        staged: { folder: staging, size: writer.size },
        target,
        repeats,
        rule: rule === 'replace' ? 'replace' : 'fill',
        files,
        progress,
        signal: options.signal,
      });
      ({ written, size, summary } = merged);
      await this.files.remove(staging);
    }
    this.ids.release();
    this.repeats.release();
    const citations = summary.hasCitations
      ? await countCitations({
          names: join(target, 'names.txt'),
          links: join(target, 'links.jsonl'),
          size,
          files: this.files,
          scratch: join(this.directory, `${this.generation}-citations`),
          signal: this.options.signal,
        })
      : noCitations();
    return {
      format: storeFormat,
      name: this.options.name,
      revision: String(Number(this.stored?.revision ?? 0) + 1),
      hash: written['records.jsonl'].sha256,
      size,
      invented: this.invented || (this.stored?.invented ?? false),
      generation: this.generation,
      files: written,
      sources: [...(this.stored?.sources ?? []), ...this.sources],
      summary: summary.finish(citations),
    };
  }

  report(manifest: StoreManifest, seconds: number): ImportSummary {
    const { summary } = manifest;
    const sorted = (counts: Map<string, number>) => [...counts].sort((a, b) => b[1] - a[1]);
    return {
      corpus: manifest.name,
      read: this.read,
      stored: manifest.size,
      added: manifest.size - this.base,
      duplicates: this.repeats.count,
      rejected: this.rejected,
      ...(this.rejected > 0 ? { rejects: join(this.directory, manifest.generation, 'rejects.jsonl') } : {}),
      rejectReasons: sorted(this.rejectReasons).map(([reason, count]) => ({ reason, count })),
      notes: sorted(this.notes).map(([note, count]) => ({ note, count })),
      citationsInside: summary.citations.edges,
      labels: summary.labels.distinct,
      fields: summary.fields,
      revision: manifest.revision,
      hash: manifest.hash,
      invented: manifest.invented,
      sources: this.sources,
      columns: this.columns,
      summary,
      seconds,
    };
  }

  private async indexStored(path: string): Promise<void> {
    let row = 0;
    for await (const lines of textLines(path)) {
      this.options.signal?.throwIfAborted();
      for (const line of lines) this.ids.add(mergeKey(line.split('\t', 1)[0]!), row++);
    }
  }

  private async readSource(source: SourceFile, writer: StoreWriter): Promise<void> {
    const { signal, map, record } = this.options;
    const importer = await chooseImporter(source, this.options.format);
    if (record !== undefined && importer.nests !== true)
      throw inputError('--record has no effect on this format', {
        code: 'import.record',
        file: source.path,
        field: '--record',
        expected: 'JSON, where it names the list of records, or XLSX, where it names the sheet',
        found: importer.format,
      });
    const before = await stat(source.path);
    const task = this.progress.begin(`import ${source.path}`, { total: source.size, unit: 'bytes' });
    let toldBytes = 0;
    const advance = (bytes: number) => {
      toldBytes += bytes;
      task.advance(bytes, `${(this.read - read).toLocaleString('en-US')} rows`);
    };
    const read = this.read;
    const rejected = this.rejected;
    const outcomes = importer.rows(source, {
      progress: this.progress,
      ...(signal === undefined ? {} : { signal }),
      ...(record === undefined ? {} : { record }),
      onBytes: advance,
    });
    let sample: RowOutcome[] | undefined = [];
    let plan: ColumnPlan | undefined;
    const settle = async () => {
      const rows = (sample ?? []).flatMap((outcome) => (outcome.ok ? [outcome.row] : []));
      plan = this.plan(source, importer.format, rows, map);
      const waiting = sample ?? [];
      sample = undefined;
      for (const outcome of waiting) await this.take(outcome, plan, source, writer);
    };
    for await (const outcome of outcomes) {
      if (sample !== undefined) {
        sample.push(outcome);
        if (sample.length >= sampleRows) await settle();
        continue;
      }
      const pending = this.take(outcome, plan!, source, writer);
      if (pending !== undefined) await pending;
      if ((this.read & 1023) === 0) signal?.throwIfAborted();
    }
    if (sample !== undefined) await settle();
    signal?.throwIfAborted();
    const sha256 = await sha256File(source.path);
    const after = await stat(source.path);
    if (after.size !== before.size || after.mtimeMs !== before.mtimeMs)
      throw inputError('the file changed while it was read', {
        code: 'import.changed',
        file: source.path,
        hint: 'Run the import again when nothing writes to the file.',
      });
    advance(source.size - toldBytes); // formats that are not read as a stream
    task.finish(`${(this.read - read).toLocaleString('en-US')} rows`);
    this.sources.push({
      file: source.path,
      sha256,
      bytes: before.size,
      rows: this.read - read,
      rejected: this.rejected - rejected,
    });
  }

  private plan(source: SourceFile, format: string, rows: Row[], map: Record<string, string> | undefined): ColumnPlan {
    const plan = planColumns(rows, { file: source.path, ...(map === undefined ? {} : { map }) });
    this.columns.push({ file: source.path, format, fields: plan.fields, unused: plan.unused, notes: plan.notes });
    return plan;
  }

  /** One row; a promise only where the writer's block is full. */
  private take(
    outcome: RowOutcome,
    plan: ColumnPlan,
    source: SourceFile,
    writer: StoreWriter,
  ): Promise<void> | undefined {
    this.read++;
    const { line } = outcome;
    if (!outcome.ok) return this.reject(writer, source, line, outcome.reason, outcome.found);
    const made = patentFromRow(outcome.row, plan);
    if (!made.ok) return this.reject(writer, source, line, made.reason, made.found, made.field);
    for (const note of made.notes) this.notes.set(note, (this.notes.get(note) ?? 0) + 1);
    const { patent } = made;
    if (patent.extra?.invented === true) this.invented = true;
    // Control characters would break the lines of names.txt, and no number has them.
    if (hasControl(patent.id))
      return this.reject(writer, source, line, 'the id has control characters', quoteFound(patent.id), 'id');
    if (patent.aliases.some(hasControl)) patent.aliases = patent.aliases.filter((alias) => !hasControl(alias));
    const key = mergeKey(patent.id);
    const row = this.base + writer.size;
    const first = this.ids.first(key);
    if (first < 0) this.ids.add(key, row);
    else if (this.rule === 'reject')
      return this.reject(writer, source, line, 'a patent with this id is there already', patent.id, 'id');
    else this.repeats.add(first, row);
    return writer.add(patent);
  }

  private reject(
    writer: StoreWriter,
    source: SourceFile,
    line: number,
    reason: string,
    found?: string,
    field?: string,
  ): Promise<void> | undefined {
    this.rejected++;
    const kind = reason.length > 160 ? `${reason.slice(0, 159)}…` : reason;
    if (this.rejectReasons.has(kind) || this.rejectReasons.size < 100)
      this.rejectReasons.set(kind, (this.rejectReasons.get(kind) ?? 0) + 1);
    if (this.firstReject === '')
      this.firstReject = `${source.path}:${line}: ${field === undefined ? '' : `field ${field}: `}${reason}`;
    return writer.reject({
      file: source.path,
      line,
      reason,
      ...(field === undefined ? {} : { field }),
      ...(found === undefined ? {} : { found: found.slice(0, 400) }),
    });
  }

  private nothingUsable(sources: readonly SourceFile[]): Error {
    const where = sources.length === 1 ? sources[0]!.path : `${sources.length} files`;
    if (this.rejected === 0)
      return inputError('no rows in the sources', {
        code: 'import.empty',
        file: where,
        expected: 'at least one patent',
        found: 'no rows',
        hint: 'Check the path and --format.',
      });
    return inputError('no row could be used, nothing was stored', {
      code: 'import.nothing',
      file: where,
      expected: 'at least one usable patent',
      found: `${this.rejected} rejected rows, the first: ${this.firstReject}`,
      hint:
        this.rule === 'reject'
          ? 'Use --on-conflict fill or replace to merge patents that are there already.'
          : 'Name the columns with --map field=path.',
    });
  }
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
const hasControl = (text: string) => /[\u0000-\u001f\u007f]/.test(text);
