/**
 * The second pass of an import into a corpus that has some of the patents, or from sources that name a patent twice: stored
 * rows with what belongs to them, then new ones, into a new generation.
 */
import { join } from 'node:path';
import type { Progress } from '../base/progress.ts';
import { RecordFile, readOffsets } from './record-file.ts';
import type { StoreFiles } from './store-files.ts';
import { mergePatents } from './store-merge.ts';
import { textLines } from './store-names.ts';
import { patentFromLine } from './store-record.ts';
import { StoreWriter } from './store-writer.ts';

/** Which records name a patent that an earlier one names. Records are numbered over both generations, stored ones first. */
export class Repeats {
  /** Record -> the record of the same id that came before it, newest first from the head; 0: none. */
  private earlier = new Int32Array(1024);
  /** First record of an id -> its newest later one; 0: none. */
  private newest = new Int32Array(1024);
  count = 0;

  /** Record `row` names the patent of record `first`. */
  add(first: number, row: number): void {
    this.count++;
    if (row >= this.earlier.length) {
      const length = Math.max(row + 1, this.earlier.length * 2);
      this.earlier = grown(this.earlier, length);
      this.newest = grown(this.newest, length);
    }
    this.earlier[row] = this.newest[first]!;
    this.newest[first] = row;
  }

  /** Later records of the id of `row`, oldest first. */
  of(row: number): number[] {
    const found: number[] = [];
    for (let at = this.newest[row] ?? 0; at !== 0; at = this.earlier[at]!) found.push(at);
    return found.reverse();
  }

  /** Of the records from `base` on, those that are a later one. */
  among(base: number, size: number): Uint8Array {
    const repeated = new Uint8Array(size);
    for (let row = 0; row < base + size && row < this.newest.length; row++)
      for (let at = this.newest[row]!; at !== 0; at = this.earlier[at]!) repeated[at - base] = 1;
    return repeated;
  }

  release(): void {
    this.earlier = new Int32Array(0);
    this.newest = new Int32Array(0);
  }
}

interface Generation {
  folder: string;
  size: number;
}

interface MergeOptions {
  stored: Generation | undefined;
  staged: Generation;
  /** Folder of the new generation. */
  target: string;
  repeats: Repeats;
  rule: 'fill' | 'replace';
  files: StoreFiles;
  progress: Progress;
  signal: AbortSignal | undefined;
}

/** Stored rows in their order, then new ones. Leaves nothing at `target` where it throws. */
export async function mergeGenerations({
  stored,
  staged,
  target,
  repeats,
  rule,
  files,
  progress,
  signal,
}: MergeOptions) {
  const writer = await StoreWriter.create(files, target);
  const open: RecordFile[] = [];
  const base = stored?.size ?? 0;
  const task = progress.begin('merge', { total: base + staged.size, unit: 'patents' });
  const openRecords = async ({ folder, size }: Generation) => {
    const file = await RecordFile.open(
      join(folder, 'records.jsonl'),
      await readOffsets(join(folder, 'offsets.bin'), size),
    );
    open.push(file);
    return file;
  };
  try {
    const later = await openRecords(staged);
    const before = stored === undefined ? undefined : await openRecords(stored);
    const repeated = repeats.among(base, staged.size);
    let row = 0;
    for (const file of before === undefined ? [later] : [before, later]) {
      for await (const lines of file.lines()) {
        signal?.throwIfAborted();
        for (const line of lines) {
          const own = row++;
          task.advance();
          if (own >= base && repeated[own - base] === 1) continue;
          let patent = patentFromLine(line);
          let changed = false;
          for (const at of repeats.of(own)) {
            patent = mergePatents(patent, patentFromLine(await later.line(at - base)), rule);
            changed = true;
          }
          const pending = changed ? writer.add(patent) : writer.add(patent, line);
          if (pending !== undefined) await pending;
        }
      }
    }
    for await (const lines of textLines(join(staged.folder, 'rejects.jsonl')))
      for (const line of lines) if (line !== '') await writer.reject(JSON.parse(line));
    const written = await writer.finish();
    task.finish();
    return { written, size: writer.size, summary: writer.summary };
  } catch (error) {
    await writer.abandon().catch(() => undefined);
    throw error;
  } finally {
    for (const file of open) await file.close();
  }
}

/** Row 0 can be nobody's later record, so 0 can mean none. */
function grown(array: Int32Array<ArrayBuffer>, length: number): Int32Array<ArrayBuffer> {
  const larger = new Int32Array(length);
  larger.set(array);
  return larger;
}
