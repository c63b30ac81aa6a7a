/**
 * The one door between the portable folders (engine, model, tokenizer, encode, metrics) and the machine: files, workers
 * and the ONNX Runtime binding. Node's implementation is `base/node/platform.ts`; a browser can be another. It is passed
 * as an argument, never kept in a global.
 */

export interface Platform {
  readonly name: 'node' | 'browser';
  readonly files: Files;
  /** Starts the module worker at `url`; write it as `workerUrl(import.meta.url, './name.worker')`. */
  spawn(url: URL, options?: { name?: string; data?: unknown }): WorkerPort;
  /** The text of a file that stands beside a module: `asset(new URL('./registry.yaml', import.meta.url))`. */
  asset(url: URL): Promise<string>;
  /** Logical processors. */
  readonly processors: number;
}

/** Paths are the platform's own; `join` is the only way to build one. */
export interface Files {
  join(...parts: string[]): string;
  read(path: string): Promise<Uint8Array>;
  readText(path: string): Promise<string>;
  /** Bytes [offset, offset + length) without reading the rest. */
  readRange(path: string, offset: number, length: number): Promise<Uint8Array>;
  /** Size in bytes, or undefined where there is no such file. */
  size(path: string): Promise<number | undefined>;
  list(directory: string): Promise<string[]>;
  /** Writes beside the target, flushes and renames: the target is the old or the new content, never a torn one. */
  writeAtomic(path: string, data: Uint8Array | string | AsyncIterable<Uint8Array>): Promise<void>;
  /** Cuts the file to its first `length` bytes, writes `data` after them, and flushes; made where it is absent. */
  writeAfter(path: string, length: number, data: Uint8Array): Promise<void>;
  /** Gives a file or folder another name on the same disk, flushed; there must be no file or folder of that name. */
  rename(from: string, to: string): Promise<void>;
  makeDirectory(path: string): Promise<void>;
  remove(path: string): Promise<void>;
}

/** A worker seen from outside. */
export interface WorkerPort {
  post(message: unknown, transfer?: readonly ArrayBuffer[]): void;
  onMessage(listener: (message: unknown) => void): void;
  /** Called once when the worker dies with an error or leaves without having been asked to. */
  onFailure(listener: (error: Error) => void): void;
  terminate(): Promise<void>;
}

/** The address of a worker module beside `moduleUrl`, both from source (`.ts`) and from the built package (`.js`). */
export function workerUrl(moduleUrl: string, relative: string): URL {
  return new URL(relative + (moduleUrl.endsWith('.ts') ? '.ts' : '.js'), moduleUrl);
}
