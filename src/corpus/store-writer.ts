/**
 * Writes one generation of a corpus: records, offsets, names, links, rejects. Everything is buffered in blocks of 1 MiB and
 * hashed on its way; memory does not grow with the corpus.
 */
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { linkLine } from './links.ts';
import type { Patent } from './record.ts';
import type { StoreFile, StoreFiles } from './store-files.ts';
import { type GenerationFile, generationFiles } from './store-format.ts';
import { patentToLine } from './store-record.ts';
import { SummaryBuilder } from './summary.ts';

const blockBytes = 1 << 20;

/** A rejected row as it stands in rejects.jsonl. */
export interface Reject {
  file: string;
  line: number;
  reason: string;
  field?: string;
  found?: string;
}

export class StoreWriter {
  /** Patents written. */
  size = 0;
  readonly summary = new SummaryBuilder();
  private readonly outputs: Record<GenerationFile, BlockFile>;

  private constructor(outputs: Record<GenerationFile, BlockFile>) {
    this.outputs = outputs;
  }

  static async create(files: StoreFiles, folder: string): Promise<StoreWriter> {
    await files.makeFolder(folder);
    const outputs: Partial<Record<GenerationFile, BlockFile>> = {};
    try {
      for (const name of generationFiles) outputs[name] = new BlockFile(await files.create(join(folder, name)));
    } catch (error) {
      for (const output of Object.values(outputs)) await output.abandon();
      throw error;
    }
    return new StoreWriter(outputs as Record<GenerationFile, BlockFile>);
  }

  /** Adds a patent; `line` is its line where the caller has it already. Await the result only where it is a promise. */
  add(patent: Patent, line: string = patentToLine(patent)): Promise<void> | undefined {
    const { outputs } = this;
    outputs['offsets.bin'].float64(outputs['records.jsonl'].bytes);
    outputs['records.jsonl'].line(line);
    outputs['names.txt'].line([patent.id, ...patent.aliases].join('\t'));
    outputs['links.jsonl'].line(linkLine(patent));
    this.summary.add(patent);
    this.size++;
    return this.flushFull();
  }

  reject(reject: Reject): Promise<void> | undefined {
    this.outputs['rejects.jsonl'].line(JSON.stringify(reject));
    return this.flushFull();
  }

  /** Flushes everything to disk and closes it; bytes and SHA-256 of each file. */
  async finish(): Promise<Record<GenerationFile, { bytes: number; sha256: string }>> {
    const { outputs } = this;
    outputs['offsets.bin'].float64(outputs['records.jsonl'].bytes);
    const done = {} as Record<GenerationFile, { bytes: number; sha256: string }>;
    for (const name of generationFiles) done[name] = await outputs[name].finish();
    return done;
  }

  async abandon(): Promise<void> {
    for (const name of generationFiles) await this.outputs[name].abandon();
  }

  private flushFull(): Promise<void> | undefined {
    for (const name of generationFiles) if (this.outputs[name].full) return this.flush();
    return undefined;
  }

  private async flush(): Promise<void> {
    for (const name of generationFiles) if (this.outputs[name].full) await this.outputs[name].flush();
  }
}

class BlockFile {
  /** Bytes added so far, written or not. */
  bytes = 0;
  private readonly file: StoreFile;
  private readonly hash = createHash('sha256');
  private block = Buffer.allocUnsafeSlow(blockBytes);
  private filled = 0;
  private closed = false;

  constructor(file: StoreFile) {
    this.file = file;
  }

  get full(): boolean {
    return this.filled >= blockBytes / 2;
  }

  line(text: string): void {
    // A UTF-16 unit takes at most three bytes of UTF-8.
    if (this.filled + text.length * 3 + 1 > this.block.length) this.reserve(Buffer.byteLength(text) + 1);
    const length = this.block.write(text, this.filled);
    this.block[this.filled + length] = 10;
    this.filled += length + 1;
    this.bytes += length + 1;
  }

  float64(value: number): void {
    this.reserve(8);
    this.filled = this.block.writeDoubleLE(value, this.filled);
    this.bytes += 8;
  }

  async flush(): Promise<void> {
    const data = this.block.subarray(0, this.filled);
    this.hash.update(data);
    await this.file.write(data);
    this.filled = 0;
    if (this.block.length > 4 * blockBytes) this.block = Buffer.allocUnsafeSlow(blockBytes);
  }

  async finish(): Promise<{ bytes: number; sha256: string }> {
    if (this.filled > 0) await this.flush();
    this.closed = true;
    await this.file.finish();
    return { bytes: this.bytes, sha256: this.hash.digest('hex') };
  }

  async abandon(): Promise<void> {
    if (this.closed) return;
    this.closed = true;
    await this.file.abandon();
  }

  private reserve(length: number): void {
    if (this.filled + length <= this.block.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(this.block.length, this.filled + length + blockBytes));
    this.block.copy(larger, 0, 0, this.filled);
    this.block = larger;
  }
}
