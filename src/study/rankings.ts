/**
 * The rankings of one cell: for each query the best rows of the corpus with their scores, best first. Kept beside the cell
 * as two arrays (`rows.npy` int32 and `scores.npy` float32, [queries, depth], short lists padded with -1), and as a
 * gzipped TREC run for other tools.
 */
import { createWriteStream } from 'node:fs';
import { mkdir, readFile, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { explainWriteError, partialPath, writeAtomic } from '../base/node/atomic.ts';
import { decodeNpy, encodeNpy } from '../base/npy.ts';
import type { RowRanking } from '../retrieve/candidates.ts';
import type { WriteFile } from './cell-folders.ts';

export type Rankings = RowRanking[];

/** The two files of a cell's rankings, and how each is written. */
export function rankingFiles(rankings: Rankings): Record<string, WriteFile> {
  const depth = rankings.reduce((most, { rows }) => Math.max(most, rows.length), 0);
  const rows = new Int32Array(rankings.length * depth).fill(-1);
  const scores = new Float32Array(rankings.length * depth);
  for (const [query, ranking] of rankings.entries()) {
    rows.set(ranking.rows, query * depth);
    scores.set(ranking.scores, query * depth);
  }
  const shape = [rankings.length, depth];
  return {
    'rows.npy': (path) => writeAtomic(path, encodeNpy(rows, shape)),
    'scores.npy': (path) => writeAtomic(path, encodeNpy(scores, shape)),
  };
}

export async function loadRankings(folder: string): Promise<Rankings> {
  const [rowsFile, scoresFile] = [join(folder, 'rows.npy'), join(folder, 'scores.npy')];
  const rows = decodeNpy(await readFile(rowsFile), rowsFile);
  const scores = decodeNpy(await readFile(scoresFile), scoresFile);
  const [queries, depth] = rows.shape as [number, number];
  return Array.from({ length: queries }, (_, query) => {
    const all = (rows.data as Int32Array).subarray(query * depth, (query + 1) * depth);
    const end = all.indexOf(-1);
    const length = end < 0 ? depth : end;
    return {
      rows: all.subarray(0, length),
      scores: (scores.data as Float32Array).subarray(query * depth, query * depth + length),
    };
  });
}

interface TrecRunOptions {
  queryIds: readonly string[];
  documentId(row: number): string;
  /** Last column of every line: the system's name. */
  tag: string;
}

/** Writes `query Q0 document rank score tag` lines, gzipped. Scores keep all digits that a 32-bit float has. */
export async function writeTrecRun(path: string, rankings: Rankings, options: TrecRunOptions): Promise<void> {
  const partial = partialPath(path);
  const tag = column(options.tag);
  function* lines(): Generator<string> {
    for (const [query, { rows, scores }] of rankings.entries()) {
      const id = column(options.queryIds[query]!);
      let block = '';
      for (let i = 0; i < rows.length; i++) {
        block += `${id} Q0 ${column(options.documentId(rows[i]!))} ${i + 1} ${digits(scores[i]!)} ${tag}\n`;
      }
      if (block !== '') yield block;
    }
  }
  try {
    await mkdir(dirname(path), { recursive: true });
    await pipeline(Readable.from(lines()), createGzip({ level: 4 }), createWriteStream(partial, { flush: true }));
    await rename(partial, path);
  } catch (error) {
    await rm(partial, { force: true }).catch(() => undefined); // the reason is in `error`
    throw explainWriteError(error, path);
  }
}

/** The format's columns are parted by blanks: one inside a name would shift all that follow. */
function column(text: string): string {
  return text.replaceAll(/\s+/g, '_');
}

/**
 * A decimal that reads back as the same 32-bit float: where decimals stand closer together than floats do (which is known by
 * their size), the nearest one does; elsewhere nine significant digits always do, and take several times as long.
 */
export function digits(score: number): string {
  const size = Math.abs(score);
  if (size >= 0.125) {
    if (size < 1) return score.toFixed(8);
    if (size < 64) return score.toFixed(7);
    if (size < 512) return score.toFixed(6);
    if (size < 4096) return score.toFixed(5);
  } else if (size >= 2 ** -6) return score.toFixed(9);
  return Number(score.toPrecision(9)).toString();
}
