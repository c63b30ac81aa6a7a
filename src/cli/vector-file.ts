/**
 * Vectors as a file: .npy (float32 [texts, dimensions]), .parquet (id, vector) or .jsonl ({"id", "vector"}), in input
 * order, streamed from where they are kept and renamed over the target when whole.
 */
import { mkdir, rename, rm } from 'node:fs/promises';
import { dirname, extname } from 'node:path';
import { ARRAY, arrayValue, DuckDBDataChunk, DuckDBInstance, FLOAT, VARCHAR } from '@duckdb/node-api';
import { inputError } from '../base/errors.ts';
import { explainWriteError, writeAtomicWith } from '../base/node/atomic.ts';
import { npyHeader } from '../base/npy.ts';
import type { TextVectors } from '../encode/index.ts';

const formats = { '.npy': writeNpy, '.parquet': writeVectorParquet, '.jsonl': writeJsonl } as const;

/** A writer of `path`, by its ending; found out before any work, so that a typing error costs nothing. */
export function vectorWriter(path: string): (vectors: TextVectors, idOf: (row: number) => string) => Promise<void> {
  const write = formats[extname(path).toLowerCase() as keyof typeof formats];
  if (write === undefined) {
    throw inputError('this ending is no format for vectors', {
      code: 'embed.format',
      field: '--out',
      expected: 'a file that ends in .npy, .parquet or .jsonl',
      found: path,
    });
  }
  return (vectors, idOf) => write(path, vectors, idOf);
}

async function writeNpy(path: string, vectors: TextVectors): Promise<void> {
  await writeAtomicWith(path, async (file) => {
    await file.write(npyHeader('float32', [vectors.count, vectors.dimensions]));
    for await (const { vectors: block } of vectors.blocks())
      await file.writeFile(new Uint8Array(block.buffer, block.byteOffset, block.byteLength));
  });
}

async function writeJsonl(path: string, vectors: TextVectors, idOf: (row: number) => string): Promise<void> {
  await writeAtomicWith(path, async (file) => {
    for await (const { from, vectors: block } of vectors.blocks(512)) {
      let lines = '';
      for (const [i, vector] of rowsOf(block, vectors.dimensions).entries())
        lines += `${JSON.stringify({ id: idOf(from + i), vector: vector.map((value) => Number(value.toPrecision(9))) })}\n`;
      await file.writeFile(lines);
    }
  });
}

/** Through a database file beside the target, so that memory does not grow with the vectors. */
async function writeVectorParquet(path: string, vectors: TextVectors, idOf: (row: number) => string): Promise<void> {
  try {
    await mkdir(dirname(path), { recursive: true });
    await fillVectorParquet(path, vectors, idOf);
  } catch (error) {
    throw explainWriteError(error, path);
  }
}

async function fillVectorParquet(path: string, vectors: TextVectors, idOf: (row: number) => string): Promise<void> {
  const partial = `${path}.${process.pid}.partial`;
  const scratch = `${partial}.db`;
  const instance = await DuckDBInstance.create(scratch, { threads: '1', memory_limit: '512MB' });
  const connection = await instance.connect();
  try {
    const type = ARRAY(FLOAT, vectors.dimensions);
    await connection.run(`CREATE TABLE data (id VARCHAR, vector FLOAT[${vectors.dimensions}])`);
    const appender = await connection.createAppender('data');
    for await (const { from, vectors: block } of vectors.blocks(2048)) {
      const rows = rowsOf(block, vectors.dimensions);
      const chunk = DuckDBDataChunk.create([VARCHAR, type], rows.length);
      chunk.setColumnValues(
        0,
        rows.map((_, i) => idOf(from + i)),
      );
      chunk.setColumnValues(
        1,
        rows.map((row) => arrayValue(row)),
      );
      appender.appendDataChunk(chunk);
    }
    appender.closeSync();
    await connection.run(`COPY data TO '${partial.replaceAll("'", "''")}' (FORMAT parquet, COMPRESSION zstd)`);
    await rename(partial, path);
  } finally {
    connection.closeSync();
    instance.closeSync();
    for (const file of [partial, scratch, `${scratch}.wal`, `${scratch}.tmp`])
      await rm(file, { force: true, recursive: true });
  }
}

function rowsOf(block: Float32Array, dimensions: number): number[][] {
  return Array.from({ length: block.length / dimensions }, (_, i) =>
    Array.from(block.subarray(i * dimensions, (i + 1) * dimensions)),
  );
}
