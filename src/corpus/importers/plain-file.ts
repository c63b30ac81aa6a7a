/** For formats that are read out of order: the file itself, or where it is gzipped a decompressed copy for the time of reading. */
import { createWriteStream } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { inputError, PatentlabError, workError } from '../../base/errors.ts';
import { isGzip, readBytes } from './bytes.ts';

/** A larger copy (in bytes) is not made. */
const LARGEST_COPY = 2 ** 36;

export interface PlainFile {
  path: string;
  remove(): Promise<void>;
}

export async function plainFile(path: string, signal?: AbortSignal): Promise<PlainFile> {
  if (!(await isGzip(path))) return { path, remove: async () => {} };
  const folder = await mkdtemp(join(tmpdir(), 'patentlab-'));
  const remove = () => rm(folder, { recursive: true, force: true });
  const copy = join(folder, 'data');
  try {
    await pipeline(bounded(path, signal), createWriteStream(copy));
  } catch (error) {
    await remove();
    if (error instanceof PatentlabError || signal?.aborted) throw error;
    throw workError('the decompressed copy of the file cannot be written', {
      code: 'import.copy',
      file: copy,
      found: String((error as Error).message),
      hint: 'Make room on the disk of the temporary folder, or set TMPDIR to another one.',
      cause: error,
    });
  }
  return { path: copy, remove };
}

async function* bounded(path: string, signal: AbortSignal | undefined): AsyncGenerator<Buffer, void, undefined> {
  let length = 0;
  for await (const chunk of readBytes(path, signal)) {
    length += chunk.length;
    if (length > LARGEST_COPY) {
      throw inputError('the gzip file holds too much', {
        code: 'import.gzip',
        file: path,
        expected: `at most ${LARGEST_COPY} bytes when decompressed`,
        found: 'more',
        hint: 'Decompress it yourself if it is what it should be.',
      });
    }
    yield chunk;
  }
}
