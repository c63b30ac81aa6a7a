/**
 * The bytes of a source file, decompressed where it is gzipped (told by its magic bytes, not by its name). A stream that
 * cannot be read to its end (truncated or damaged gzip, a disk error, a file that vanished) throws: the caller then
 * stores nothing of the file.
 */
import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { createGunzip } from 'node:zlib';
import { inputError, PatentlabError } from '../../base/errors.ts';

/** Read size; also about the size of the chunks that come out. */
const CHUNK = 1 << 18;
/** What detection sees of a file. */
export const HEAD_BYTES = 1 << 16;

export async function isGzip(path: string): Promise<boolean> {
  const file = await openSource(path);
  try {
    const magic = Buffer.alloc(3);
    const { bytesRead } = await file.read(magic, 0, 3, 0);
    return bytesRead === 3 && magic[0] === 0x1f && magic[1] === 0x8b && magic[2] === 0x08;
  } finally {
    await file.close();
  }
}

/**
 * Decompressed content in chunks of up to 256 KiB. Leaving the loop early closes the file. `onBytes` is told how many more
 * bytes have been read from disk.
 */
export async function* readBytes(
  path: string,
  signal?: AbortSignal,
  onBytes?: (bytes: number) => void,
): AsyncGenerator<Buffer, void, undefined> {
  signal?.throwIfAborted();
  const gzipped = await isGzip(path);
  const disk = createReadStream(path, { highWaterMark: CHUNK });
  const stream = gzipped ? disk.pipe(createGunzip({ chunkSize: CHUNK })) : disk;
  // `pipe` does not carry errors over: a read error must reach the reader of the decompressed stream.
  if (stream !== disk) disk.on('error', (error) => stream.destroy(error));
  let told = 0;
  try {
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      signal?.throwIfAborted();
      onBytes?.(disk.bytesRead - told);
      told = disk.bytesRead;
      yield chunk;
    }
  } catch (error) {
    throw readFailure(path, error, gzipped, signal);
  } finally {
    stream.destroy();
    disk.destroy();
  }
}

/** The first `limit` decompressed bytes; fewer where the file is shorter or breaks off. */
export async function readHead(path: string, limit = HEAD_BYTES): Promise<Buffer> {
  const parts: Buffer[] = [];
  let length = 0;
  for await (const chunk of readBytes(path)) {
    parts.push(chunk);
    length += chunk.length;
    if (length >= limit) break;
  }
  return Buffer.concat(parts).subarray(0, limit);
}

async function openSource(path: string) {
  try {
    return await open(path, 'r');
  } catch (error) {
    throw readFailure(path, error, false, undefined);
  }
}

function readFailure(path: string, error: unknown, gzipped: boolean, signal: AbortSignal | undefined): unknown {
  if (error instanceof PatentlabError || signal?.aborted) return error;
  const code = (error as NodeJS.ErrnoException).code ?? '';
  if (gzipped && /^Z_|^ERR_PADDING/.test(code)) {
    const cut = code === 'Z_BUF_ERROR';
    return inputError(cut ? 'the gzip file ends before its data does' : 'the gzip file is damaged', {
      code: 'import.gzip',
      file: path,
      expected: 'a complete gzip stream',
      found: cut ? 'end of file inside the compressed data' : String((error as Error).message),
      hint: 'Download or compress the file again; nothing of it was stored.',
      cause: error,
    });
  }
  return inputError('the file cannot be read', {
    code: 'import.unreadable',
    file: path,
    found: code === 'ENOENT' ? 'no such file' : String((error as Error).message ?? error),
    hint: 'Check the path, its permissions and the disk.',
    cause: error,
  });
}
