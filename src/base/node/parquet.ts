/** Writes and reads small tables as Parquet through DuckDB (in memory, one connection a call, no extension). */
import { mkdir, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { partialPath } from './atomic.ts';

export type Column =
  | { name: string; type: 'VARCHAR'; values: readonly string[] }
  | { name: string; type: 'DOUBLE'; values: ArrayLike<number> }
  | { name: string; type: 'INTEGER'; values: ArrayLike<number> };

/** Writes columns of equal length beside `path` and renames. Not-a-number becomes NULL. */
export async function writeParquet(path: string, columns: readonly Column[]): Promise<void> {
  const rows = columns[0]?.values.length ?? 0;
  await mkdir(dirname(path), { recursive: true });
  const partial = partialPath(path);
  const instance = await DuckDBInstance.create(':memory:', { threads: '1' });
  const connection = await instance.connect();
  try {
    await connection.run(`CREATE TABLE data (${columns.map(({ name, type }) => `"${name}" ${type}`).join(', ')})`);
    const appender = await connection.createAppender('data');
    for (let row = 0; row < rows; row++) {
      for (const column of columns) {
        const value = column.values[row]!;
        if (typeof value === 'number' && Number.isNaN(value)) appender.appendNull();
        else if (column.type === 'VARCHAR') appender.appendVarchar(value as string);
        else if (column.type === 'DOUBLE') appender.appendDouble(value as number);
        else appender.appendInteger(value as number);
      }
      appender.endRow();
    }
    appender.closeSync();
    await connection.run(`COPY data TO '${partial.replaceAll("'", "''")}' (FORMAT parquet, COMPRESSION zstd)`);
    await rename(partial, path);
  } finally {
    await rm(partial, { force: true });
    connection.closeSync();
    instance.closeSync();
  }
}

/** Reads a whole Parquet file as columns by name. */
export async function readParquet(path: string): Promise<Record<string, unknown[]>> {
  const instance = await DuckDBInstance.create(':memory:', { threads: '1' });
  const connection = await instance.connect();
  try {
    const reader = await connection.runAndReadAll(`SELECT * FROM read_parquet('${path.replaceAll("'", "''")}')`);
    return reader.getColumnsObjectJS() as Record<string, unknown[]>;
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
}
