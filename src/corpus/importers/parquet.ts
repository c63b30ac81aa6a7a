/**
 * Parquet by DuckDB's built-in reader, chunk by chunk; no extension is loaded or downloaded. Structs become objects, lists
 * arrays, dates ISO texts, whole numbers beyond 2^53 texts. A Parquet file has no bad rows: it is readable or it is not.
 */
import { DuckDBInstance, type JS } from '@duckdb/node-api';
import { inputError } from '../../base/errors.ts';
import type { Importer, ImporterContext, Row, RowOutcome, SourceFile } from './importer.ts';
import { plainFile } from './plain-file.ts';

const SETTINGS = {
  autoinstall_known_extensions: 'false',
  autoload_known_extensions: 'false',
  memory_limit: '1GB',
  threads: '2',
  preserve_insertion_order: 'true',
};

export const parquet: Importer = {
  format: 'parquet',
  extensions: ['.parquet', '.pq'],
  detect({ name, bytes }) {
    if (Buffer.from(bytes.subarray(0, 4)).toString('latin1') === 'PAR1') return 1;
    // Damaged, or something else under this name: better said by the reader than read as text.
    return this.extensions.some((extension) => name.endsWith(extension)) ? 0.95 : 0;
  },
  rows,
};

async function* rows(file: SourceFile, context: ImporterContext): AsyncGenerator<RowOutcome, void, undefined> {
  const plain = await plainFile(file.path, context.signal);
  const instance = await DuckDBInstance.create(':memory:', SETTINGS);
  const connection = await instance.connect();
  const interrupt = () => connection.interrupt();
  context.signal?.addEventListener('abort', interrupt);
  try {
    context.signal?.throwIfAborted();
    const wanted = context.columns?.map((name) => `"${name.replaceAll('"', '""')}"`).join(', ') ?? '*';
    const result = await connection.stream(`SELECT ${wanted} FROM ${sourceOf(plain.path)}`);
    const names = result.deduplicatedColumnNames();
    let line = 0;
    for await (const chunk of result.yieldRowsJs()) {
      context.signal?.throwIfAborted();
      for (const values of chunk) {
        line++;
        const row: Row = {};
        for (let i = 0; i < names.length; i++) row[names[i]!] = plainValue(values[i]!);
        yield { ok: true, line, row };
      }
    }
  } catch (error) {
    context.signal?.throwIfAborted();
    throw unreadable(file.path, error, plain.path);
  } finally {
    context.signal?.removeEventListener('abort', interrupt);
    connection.closeSync();
    instance.closeSync();
    await plain.remove();
  }
}

/** Names of a Parquet file's columns, in its order. */
export async function parquetColumns(path: string): Promise<string[]> {
  const instance = await DuckDBInstance.create(':memory:', SETTINGS);
  const connection = await instance.connect();
  try {
    const reader = await connection.runAndReadAll(`DESCRIBE SELECT * FROM ${sourceOf(path)}`);
    return reader.getColumnsObjectJS().column_name!.map(String);
  } catch (error) {
    throw unreadable(path, error);
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
}

function sourceOf(path: string): string {
  const source = path.replace(/[*?[]/g, '[$&]').replaceAll("'", "''");
  return `read_parquet('${source}', binary_as_string = true)`;
}

function unreadable(path: string, error: unknown, as = path) {
  return inputError('the Parquet file cannot be read', {
    code: 'import.parquet',
    file: path,
    expected: 'a complete Parquet file',
    found: String((error as Error).message)
      .split('\n')[0]!
      .replaceAll(as, path),
    hint: 'Export or copy the file again; nothing of it was stored.',
    cause: error,
  });
}

function plainValue(value: JS): unknown {
  if (value === null || typeof value !== 'object') {
    if (typeof value !== 'bigint') return value;
    return value >= Number.MIN_SAFE_INTEGER && value <= Number.MAX_SAFE_INTEGER ? Number(value) : String(value);
  }
  if (Array.isArray(value)) return value.map(plainValue);
  if (value instanceof Date)
    return Number.isNaN(value.getTime()) ? null : value.toISOString().replace(/T00:00:00\.000Z$/, '');
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64');
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, plainValue(item)]));
}
