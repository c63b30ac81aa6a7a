/**
 * The interface of an importer: a reader of one file format that yields rows, each with its place, and never lets a bad
 * row touch its neighbours. What a row's fields mean is decided afterwards, the same way for all formats, by
 * `corpus/columns.ts` (guessing and `--map`) and `corpus/patent-from-row.ts`.
 */
import type { Progress } from '../../base/progress.ts';

/** One row as the format gives it: values are strings, numbers, booleans, null, arrays or nested objects. */
export type Row = Record<string, unknown>;

export type RowOutcome =
  | {
      ok: true /** 1-based line of the file where the row starts (row number for Parquet and sheets). */;
      line: number;
      row: Row;
    }
  | { ok: false; line: number; reason: string /** The offending text, shortened. */; found?: string };

export interface SourceFile {
  path: string;
  /** Size in bytes of the file as it lies on disk. */
  size: number;
}

export interface ImporterContext {
  progress: Progress;
  signal?: AbortSignal;
  /** Told how many more bytes of the file, as it lies on disk, have been read. */
  onBytes?: (bytes: number) => void;
  /** Element that holds one record, for formats that nest (`--record`). */
  record?: string;
  /** Only these columns are wanted, all of which exist: a format that stores columns apart reads no others. */
  columns?: readonly string[];
}

export interface Importer {
  /** As `--format` takes it. */
  readonly format: string;
  /** File name endings, without `.gz`. */
  readonly extensions: readonly string[];
  /** Whether `--record` means something here. */
  readonly nests?: boolean;
  /** How sure the importer is, 0..1, from the name and the first 64 KiB of decompressed content. */
  detect(head: { name: string; bytes: Uint8Array }): number;
  /** Yields every row in file order. Throws where the file cannot be read to its end; then nothing of it is stored. */
  rows(file: SourceFile, context: ImporterContext): AsyncIterable<RowOutcome>;
}
