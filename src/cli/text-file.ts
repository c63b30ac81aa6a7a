/** Text files as chunks of decoded text, plain or gzipped (told by their first bytes, whatever the name), `-` for stdin. */
import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { PassThrough, pipeline } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { inputError } from '../base/errors.ts';

const chunkSize = 1 << 20;

/** Chunks cut anywhere. Throws `file.missing`, `file.unreadable` or `file.gzip`, each naming the file. */
export async function* textChunks(file: string): AsyncGenerator<string> {
  const zipped = file !== '-' && (await startsAsGzip(file));
  const source = file === '-' ? process.stdin : createReadStream(file, { highWaterMark: chunkSize });
  // A pipeline, so that an error of the source or the unpacker ends the reading instead of the process.
  const text = pipeline(
    source,
    zipped ? createGunzip({ chunkSize }) : new PassThrough({ highWaterMark: chunkSize }),
    () => {},
  ).setEncoding('utf8');
  try {
    for await (const chunk of text) yield chunk as string;
  } catch (cause) {
    throw inputError(zipped ? 'the gzip file is damaged or cut off' : 'the file cannot be read', {
      code: zipped ? 'file.gzip' : 'file.unreadable',
      file,
      expected: zipped ? 'a whole gzip file' : 'a readable text file',
      found: (cause as Error).message,
      hint: 'copy or download the file again',
      cause,
    });
  }
}

async function startsAsGzip(file: string): Promise<boolean> {
  try {
    const handle = await open(file, 'r');
    try {
      const { buffer, bytesRead } = await handle.read(Buffer.alloc(2), 0, 2, 0);
      return bytesRead === 2 && buffer[0] === 0x1f && buffer[1] === 0x8b;
    } finally {
      await handle.close();
    }
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    throw inputError(code === 'ENOENT' ? 'there is no such file' : 'the file cannot be read', {
      code: code === 'ENOENT' ? 'file.missing' : 'file.unreadable',
      file,
      expected: 'a text file, plain or gzipped',
      found: code === 'ENOENT' ? 'nothing at this path' : message,
      cause,
    });
  }
}
