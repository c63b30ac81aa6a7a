/**
 * The members of a ZIP file, with limits against files made to exhaust memory or time: number of members, decompressed size of
 * each and its ratio to the compressed size. Members are read as streams; the reader (yauzl) checks sizes as it goes.
 */
import { type Entry, openPromise, type ZipFile } from 'yauzl';
import { inputError, PatentlabError } from '../../base/errors.ts';

const MOST_MEMBERS = 10_000;
/** Decompressed bytes of one member. */
const LARGEST_MEMBER = 2 ** 33;
/** Decompressed over compressed size; counted from 16 MiB on. Spreadsheets reach 50, deflate itself about 1,030. */
const HIGHEST_RATIO = 400;
const SMALL = 2 ** 24;

export class ZipReader {
  readonly path: string;
  private readonly file: ZipFile;
  private readonly entries: Map<string, Entry>;

  private constructor(path: string, file: ZipFile, entries: Map<string, Entry>) {
    this.path = path;
    this.file = file;
    this.entries = entries;
  }

  /** `name`: the file as the user knows it, for messages. */
  static async open(path: string, name = path): Promise<ZipReader> {
    let file: ZipFile;
    try {
      file = await openPromise(path, { lazyEntries: true, autoClose: false });
    } catch (error) {
      throw damaged(name, error);
    }
    const entries = new Map<string, Entry>();
    try {
      if (file.entryCount > MOST_MEMBERS) throw tooLarge(name, `${file.entryCount} members`, `at most ${MOST_MEMBERS}`);
      for await (const entry of file.eachEntry()) entries.set(entry.fileName.replace(/^\//, ''), entry);
    } catch (error) {
      file.close();
      throw error instanceof PatentlabError ? error : damaged(name, error);
    }
    return new ZipReader(name, file, entries);
  }

  has(name: string): boolean {
    return this.entries.has(name);
  }

  /** Decompressed bytes of a member. */
  async *read(name: string): AsyncGenerator<Buffer, void, undefined> {
    const entry = this.entries.get(name);
    if (entry === undefined) throw damaged(this.path, new Error(`there is no ${name} in it`));
    const { compressedSize, uncompressedSize } = entry;
    if (uncompressedSize > LARGEST_MEMBER)
      throw tooLarge(this.path, `${uncompressedSize} bytes in ${name}`, `at most ${LARGEST_MEMBER}`);
    if (uncompressedSize > SMALL && uncompressedSize > compressedSize * HIGHEST_RATIO)
      throw tooLarge(
        this.path,
        `${name} compressed ${Math.round(uncompressedSize / compressedSize)} times`,
        `at most ${HIGHEST_RATIO} times`,
      );
    try {
      const stream = await this.file.openReadStreamPromise(entry);
      for await (const chunk of stream as AsyncIterable<Buffer>) yield chunk;
    } catch (error) {
      throw error instanceof PatentlabError ? error : damaged(this.path, error);
    }
  }

  close(): void {
    this.file.close();
  }
}

function damaged(path: string, error: unknown) {
  return inputError('the file is not a whole ZIP file', {
    code: 'import.zip',
    file: path,
    expected: 'a workbook (XLSX), which is a ZIP file',
    found: String((error as Error).message),
    hint: 'Export or copy the file again; nothing of it was stored.',
    cause: error,
  });
}

function tooLarge(path: string, found: string, expected: string) {
  return inputError('the file is larger inside than any real workbook', {
    code: 'import.zip-bomb',
    file: path,
    expected,
    found,
    hint: 'If it is what it should be, save it as CSV.',
  });
}
