/** MTEB's own results on invented data (test/oracle/mteb_export.py). */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

// biome-ignore lint/suspicious/noExplicitAny: JSON made by another program
export type Fixture = any;

export function fixture(name: string): Fixture {
  return JSON.parse(readFileSync(join(import.meta.dirname, '..', '..', 'fixtures', 'mteb', `${name}.json`), 'utf8'));
}

/** Rows of numbers as one array. */
export const flat = (rows: number[][]): Float32Array<ArrayBuffer> => Float32Array.from(rows.flat());
