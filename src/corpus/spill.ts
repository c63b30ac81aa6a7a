/**
 * Lines dealt out to buckets that together need not fit in memory: each bucket keeps its newest lines, as UTF-8 outside the V8
 * heap, and writes them to a file of its own once they are many, so small data never touch the disk. Fill all buckets first,
 * then read each once.
 */
import { join } from 'node:path';
import type { StoreFile, StoreFiles } from './store-files.ts';
import { textLines } from './store-names.ts';

export class Spill {
  private readonly files: StoreFiles;
  private readonly folder: string;
  private readonly name: string;
  private readonly held: Buffer[];
  private readonly filled: Uint32Array;
  private readonly written: (StoreFile | undefined)[];

  /** `folder` is made when it is needed, and left to the caller to remove. `held`: bytes in memory, of all buckets. */
  constructor(files: StoreFiles, folder: string, name: string, buckets: number, held: number) {
    this.files = files;
    this.folder = folder;
    this.name = name;
    const each = Math.ceil(held / buckets);
    this.held = Array.from({ length: buckets }, () => Buffer.allocUnsafeSlow(each));
    this.filled = new Uint32Array(buckets);
    this.written = new Array<StoreFile | undefined>(buckets);
  }

  /** Adds a line without line end to a bucket. Await the result only where it is a promise. */
  add(bucket: number, line: string): Promise<void> | undefined {
    // A UTF-16 unit takes at most three bytes of UTF-8.
    if (this.filled[bucket]! + line.length * 3 + 1 > this.held[bucket]!.length) return this.write(bucket, line);
    this.append(bucket, line);
    return undefined;
  }

  private append(bucket: number, line: string): void {
    const held = this.held[bucket]!;
    const end = this.filled[bucket]! + held.write(line, this.filled[bucket]!);
    held[end] = 10;
    this.filled[bucket] = end + 1;
  }

  /** Empties the bucket to its file; then adds the line, or writes it too where it is too long to be held. */
  private async write(bucket: number, line: string): Promise<void> {
    if (this.written[bucket] === undefined) {
      await this.files.makeFolder(this.folder);
      this.written[bucket] = await this.files.create(this.path(bucket));
    }
    const held = this.held[bucket]!;
    await this.written[bucket].write(held.subarray(0, this.filled[bucket]!));
    this.filled[bucket] = 0;
    if (line.length * 3 + 1 > held.length) await this.written[bucket].write(Buffer.from(`${line}\n`));
    else this.append(bucket, line);
  }

  /** The lines of a bucket in the order added, in batches. Nothing may be added to it after that. */
  async *lines(bucket: number): AsyncGenerator<string[], void, undefined> {
    const file = this.written[bucket];
    if (file !== undefined) {
      this.written[bucket] = undefined;
      await file.abandon(); // closed, not flushed to disk: nobody reads it after a crash
      yield* textLines(this.path(bucket));
    }
    const rest = this.held[bucket]!.toString('utf8', 0, this.filled[bucket]!);
    this.filled[bucket] = 0;
    if (rest !== '') yield rest.slice(0, -1).split('\n');
    if (file !== undefined) await this.files.remove(this.path(bucket));
  }

  /** Closes what is open, after a failure too. */
  async close(): Promise<void> {
    for (const file of this.written) await file?.abandon();
    this.written.fill(undefined);
    this.filled.fill(0);
  }

  private path(bucket: number): string {
    return join(this.folder, `${this.name}-${bucket}`);
  }
}
