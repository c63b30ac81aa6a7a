/** Random and sequential access to the lines of a stored file through the offsets of its rows. */
import { type FileHandle, open, readFile } from 'node:fs/promises';
import { damaged } from './store-format.ts';

/** Sequential reading takes about this many bytes at a time. */
const blockBytes = 1 << 22;

export class RecordFile {
  private readonly file: FileHandle;
  private readonly path: string;
  /** Start of each row, then the length of the file. */
  private readonly offsets: Float64Array;

  private constructor(file: FileHandle, path: string, offsets: Float64Array) {
    this.file = file;
    this.path = path;
    this.offsets = offsets;
  }

  static async open(path: string, offsets: Float64Array): Promise<RecordFile> {
    return new RecordFile(await open(path, 'r'), path, offsets);
  }

  get rows(): number {
    return this.offsets.length - 1;
  }

  async line(row: number): Promise<string> {
    const from = this.offsets[row]!;
    return (await this.read(from, this.offsets[row + 1]! - 1 - from)).toString('utf8');
  }

  /** The first `bytes` bytes of a line as text; its last character may be cut. */
  async head(row: number, bytes: number): Promise<string> {
    const from = this.offsets[row]!;
    return (await this.read(from, Math.min(bytes, this.offsets[row + 1]! - 1 - from))).toString('utf8');
  }

  /** Lines of rows [from, to), in batches. */
  async *lines(from = 0, to = this.rows): AsyncGenerator<string[], void, undefined> {
    while (from < to) {
      const start = this.offsets[from]!;
      let end = from + 1;
      while (end < to && this.offsets[end + 1]! - start <= blockBytes) end++;
      const bytes = await this.read(start, this.offsets[end]! - start);
      const batch: string[] = [];
      for (let row = from; row < end; row++)
        batch.push(bytes.toString('utf8', this.offsets[row]! - start, this.offsets[row + 1]! - 1 - start));
      yield batch;
      from = end;
    }
  }

  close(): Promise<void> {
    return this.file.close();
  }

  private async read(offset: number, length: number): Promise<Buffer> {
    const bytes = Buffer.allocUnsafeSlow(length);
    for (let done = 0; done < length; ) {
      const { bytesRead } = await this.file.read(bytes, done, length - done, offset + done);
      if (bytesRead === 0) throw damaged(this.path, `end of file at byte ${offset + done}`);
      done += bytesRead;
    }
    return bytes;
  }
}

/** offsets.bin: little-endian float64, one more than there are rows, never falling. */
export async function readOffsets(path: string, rows: number): Promise<Float64Array> {
  const bytes = await readFile(path);
  if (bytes.length !== (rows + 1) * 8)
    throw damaged(path, `${bytes.length} bytes`, undefined, `${(rows + 1) * 8} bytes`);
  const offsets = new Float64Array(rows + 1);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let row = 0; row <= rows; row++) {
    offsets[row] = view.getFloat64(row * 8, true);
    if (row > 0 && !(offsets[row]! > offsets[row - 1]!))
      throw damaged(path, `row ${row} does not begin after the one before`);
  }
  return offsets;
}
