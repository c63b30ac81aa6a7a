/**
 * The tables of an MTEB data set, from a folder laid out as the repository or from the hub: Parquet files, or JSON lines,
 * gzipped or not. A table may stand in several files, read in byte order of their names. Rows are streamed, and of Parquet only
 * the columns that are asked for.
 */
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { inputError, quoteFound } from '../../base/errors.ts';
import { type Progress, silent } from '../../base/progress.ts';
import { textLines } from '../../corpus/importers/jsonl.ts';
import { parquet, parquetColumns } from '../../corpus/importers/parquet.ts';
import { readText } from '../../corpus/importers/read-text.ts';
import { type DatasetFolder, filesIn, findDataset } from '../../hub/datasets.ts';
import { isFolder } from '../model-source.ts';
import { type MtebDataset, type MtebTask, tablesOf } from './tasks.ts';

/** A set of texts to be clustered stands in one line: up to what a JavaScript string can hold. */
const longestLine = 2 ** 29 - 32;

export interface TableRow {
  file: string;
  /** 1-based line; row of a Parquet file. */
  line: number;
  /** Value of each column asked for. */
  values: Record<string, unknown>;
}

export interface TableOptions {
  progress?: Progress;
  signal?: AbortSignal | undefined;
}

export class Table {
  readonly files: readonly string[];
  private readonly options: TableOptions;

  constructor(files: readonly string[], options: TableOptions = {}) {
    this.files = files;
    this.options = options;
  }

  /** All rows with these columns. Throws `mteb.column` where one is missing. */
  async *rows(columns: readonly string[]): AsyncGenerator<TableRow, void, undefined> {
    const wanted = [...new Set(columns)];
    for (const file of this.files) {
      if (/\.(?:parquet|pq)$/i.test(file)) yield* this.parquetRows(file, wanted);
      else yield* this.jsonRows(file, wanted);
    }
  }

  private async *parquetRows(file: string, columns: string[]): AsyncGenerator<TableRow, void, undefined> {
    const { progress = silent, signal } = this.options;
    const found = await parquetColumns(file);
    for (const column of columns) if (!found.includes(column)) throw missingColumn(file, column, found);
    const context = { progress, columns, ...(signal === undefined ? {} : { signal }) };
    for await (const outcome of parquet.rows({ path: file, size: (await stat(file)).size }, context))
      if (outcome.ok) yield { file, line: outcome.line, values: outcome.row };
  }

  private async *jsonRows(file: string, columns: string[]): AsyncGenerator<TableRow, void, undefined> {
    const { progress = silent, signal } = this.options;
    const context = { progress, ...(signal === undefined ? {} : { signal }) };
    let line = 0;
    for await (const batch of textLines(readText({ path: file, size: 0 }, context), longestLine)) {
      for (const text of batch) {
        line++;
        if (text?.trim() === '') continue;
        yield { file, line, values: jsonRow(text, file, line, columns) };
      }
    }
  }
}

function jsonRow(text: string | undefined, file: string, line: number, columns: string[]): Record<string, unknown> {
  let value: unknown;
  try {
    value = text === undefined ? undefined : JSON.parse(text);
  } catch {
    // said below
  }
  if (value === null || typeof value !== 'object' || Array.isArray(value)) {
    throw inputError('a line of the data is not a JSON object', {
      code: 'mteb.row',
      file,
      line,
      expected: 'one JSON object a line',
      found: text === undefined ? `a line longer than ${longestLine} characters` : quoteFound(text.trim()),
    });
  }
  const row = value as Record<string, unknown>;
  for (const column of columns)
    if (!Object.hasOwn(row, column)) throw missingColumn(file, column, Object.keys(row), line);
  return row;
}

function missingColumn(file: string, column: string, found: readonly string[], line?: number) {
  return inputError('the data has not a column that the task reads', {
    code: 'mteb.column',
    file,
    ...(line === undefined ? {} : { line }),
    field: column,
    expected: `a column ${column}`,
    found: found.join(', ') || 'no column',
    hint: 'check that this is the data set of the task: `patentlab mteb list` names it',
  });
}

/** A text; empty where there is none. Throws `mteb.value`. */
export function textOf({ file, line, values }: TableRow, column: string): string {
  const value = values[column];
  if (value === null || value === undefined) return '';
  if (typeof value === 'string') return value;
  if (typeof value === 'number') return String(value);
  throw wrongValue(file, line, column, 'a text', value);
}

/** A list. Throws `mteb.value`. */
export function listOf({ file, line, values }: TableRow, column: string): unknown[] {
  const value = values[column];
  if (Array.isArray(value)) return value;
  throw wrongValue(file, line, column, 'a list', value);
}

export function wrongValue(file: string, line: number, field: string, expected: string, found: unknown) {
  return inputError('a value of the data is not what the task reads', {
    code: 'mteb.value',
    file,
    line,
    field,
    expected,
    found: quoteFound(typeof found === 'object' && found !== null ? JSON.stringify(found) : found),
  });
}

export interface DataOptions extends TableOptions {
  home: string;
  offline?: boolean;
  /** A folder laid out as the repository, or one that holds such folders by the data sets' names. */
  data?: string | undefined;
  env?: Readonly<Record<string, string | undefined>>;
}

export interface TaskData {
  folder: string;
  /** The commit read, where it is known. */
  commit?: string;
  table(name: string): Table;
}

/** Finds the files of all tables a task reads; downloads them where needed and allowed. Throws `mteb.files`. */
export async function locateData(task: MtebTask, dataset: MtebDataset, options: DataOptions): Promise<TaskData> {
  const { home, offline, data, progress, signal, env } = options;
  const choose = (names: readonly string[]) => {
    const chosen = chooseFiles(task, dataset, names);
    return chosen.missing === undefined ? Object.values(chosen.files).flat() : undefined;
  };
  const found: Pick<DatasetFolder, 'folder' | 'files'> & { commit?: string } =
    data === undefined
      ? await findDataset(dataset.path, {
          home,
          revision: dataset.revision,
          choose,
          signal,
          ...(offline === undefined ? {} : { offline }),
          ...(progress === undefined ? {} : { progress }),
          ...(env === undefined ? {} : { env }),
        })
      : await folderOf(data, task, dataset);
  const { files } = chooseFiles(task, dataset, found.files);
  return {
    folder: found.folder,
    ...(found.commit === undefined ? {} : { commit: found.commit }),
    table: (name) =>
      new Table(
        files[name]!.map((file) => join(found.folder, ...file.split('/'))),
        options,
      ),
  };
}

async function folderOf(data: string, task: MtebTask, dataset: MtebDataset) {
  if (!(await isFolder(data))) {
    throw inputError('the folder of the data does not exist', {
      code: 'mteb.folder',
      field: '--data',
      expected: `a folder that holds the files of ${dataset.path}`,
      found: data,
    });
  }
  const [owner, name] = dataset.path.split('/') as [string, string];
  const places = [join(data, owner, name), join(data, `${owner}--${name}`), join(data, name), data];
  for (const folder of places) {
    const files = await filesIn(folder);
    if (chooseFiles(task, dataset, files).missing === undefined) return { folder, files };
  }
  const { missing } = chooseFiles(task, dataset, await filesIn(data));
  throw inputError(`the folder has not the table ${missing} of ${dataset.path}`, {
    code: 'mteb.files',
    file: data,
    field: missing!,
    expected: dataset.tables[missing!]!.map((pattern) => patternFor(pattern, task)).join(' or '),
    found: (await filesIn(data)).slice(0, 12).join(', ') || 'no file',
    hint: `copy the repository as it lies on the hub, into ${data} or into ${join(data, name)}`,
  });
}

/** The files of each table by the first pattern that any file fits; or the first table that has none. */
export function chooseFiles(
  task: MtebTask,
  dataset: MtebDataset,
  names: readonly string[],
): { files: Record<string, string[]>; missing?: string } {
  const files: Record<string, string[]> = {};
  for (const table of tablesOf(task)) {
    for (const pattern of dataset.tables[table]!) {
      const fits = new RegExp(
        `^${patternFor(pattern, task)
          .replaceAll(/[.+^${}()|[\]\\?]/g, '\\$&')
          .replaceAll('*', '[^/]*')}$`,
      );
      const found = names.filter((name) => fits.test(name)).sort();
      if (found.length === 0) continue;
      files[table] = found;
      break;
    }
    if (files[table] === undefined) return { files, missing: table };
  }
  return { files };
}

const patternFor = (pattern: string, task: MtebTask) => pattern.replaceAll('{name}', task.name);
