/**
 * Bytes to text, streaming, in one pass. A byte order mark decides; without one, UTF-16 is told by its zero bytes, and
 * everything else is read as UTF-8 in which every byte that is not valid UTF-8 is read as Windows-1252.
 *
 * That rule is local on purpose. A file wholly in Windows-1252 comes out right (its letters above 0x7F are not valid
 * UTF-8), a UTF-8 file with one damaged byte keeps every other character, and no decision taken for one row can change
 * another. Whoever reads is told once (`onFallback`) where the first such byte stood.
 *
 * Five bytes (81 8D 8F 90 9D) mean nothing in Windows-1252. Where several of them stand in the first 64 KiB and no valid
 * multi-byte UTF-8 does, the file is in another encoding and is refused; later ones become U+FFFD.
 */
import { isUtf8 } from 'node:buffer';
import { inputError } from '../../base/errors.ts';
import { HEAD_BYTES } from './bytes.ts';

export type Encoding = 'utf-8' | 'utf-16le' | 'utf-16be';

/** 0x80..0x9F of Windows-1252; '\uFFFD' where the code page has no character. */
const HIGH =
  '\u20ac\ufffd\u201a\u0192\u201e\u2026\u2020\u2021\u02c6\u2030\u0160\u2039\u0152\ufffd\u017d\ufffd' +
  '\ufffd\u2018\u2019\u201c\u201d\u2022\u2013\u2014\u02dc\u2122\u0161\u203a\u0153\ufffd\u017e\u0178';

/** The encoding of a file from its first bytes, and how many of them are its byte order mark. */
function detectEncoding(head: Uint8Array): { encoding: Encoding; mark: number } {
  if (head[0] === 0xef && head[1] === 0xbb && head[2] === 0xbf) return { encoding: 'utf-8', mark: 3 };
  if (head[0] === 0xff && head[1] === 0xfe) return { encoding: 'utf-16le', mark: 2 };
  if (head[0] === 0xfe && head[1] === 0xff) return { encoding: 'utf-16be', mark: 2 };
  // Latin text in UTF-16 has a zero in every other byte.
  const length = Math.min(head.length, 4096) & ~1;
  let even = 0;
  let odd = 0;
  for (let i = 0; i < length; i += 2) {
    if (head[i] === 0) even++;
    if (head[i + 1] === 0) odd++;
  }
  if (odd * 4 > length && even * 20 < odd) return { encoding: 'utf-16le', mark: 0 };
  if (even * 4 > length && odd * 20 < even) return { encoding: 'utf-16be', mark: 0 };
  return { encoding: 'utf-8', mark: 0 };
}

export interface DecodeOptions {
  file: string;
  /** Called once, at the first byte that is not valid UTF-8. */
  onFallback?: (line: number) => void;
}

/** Text in chunks; a chunk never ends inside a character. */
export async function* decode(
  chunks: AsyncIterable<Buffer>,
  { file, onFallback }: DecodeOptions,
): AsyncGenerator<string, void, undefined> {
  let first = true;
  let rest: Buffer = Buffer.alloc(0);
  let wide: TextDecoder | undefined;
  let lines = 0;
  let told = onFallback === undefined;
  const narrow = (bytes: Buffer): string => {
    if (isUtf8(bytes)) {
      const text = bytes.toString('utf8');
      if (!told) lines += countLines(text);
      return text;
    }
    const text = decodeMixed(bytes, (position) => {
      if (told) return;
      told = true;
      onFallback!(lines + 1 + countLines(bytes.toString('latin1', 0, position)));
    });
    return text;
  };
  for await (let chunk of gathered(chunks)) {
    if (first) {
      first = false;
      const { encoding, mark } = detectEncoding(chunk);
      if (encoding === 'utf-8') refuseForeign(chunk.subarray(0, HEAD_BYTES), file);
      else wide = new TextDecoder(encoding, { ignoreBOM: true });
      chunk = chunk.subarray(mark);
    }
    if (wide !== undefined) {
      const text = wide.decode(chunk, { stream: true });
      if (text !== '') yield text;
      continue;
    }
    if (rest.length > 0) chunk = Buffer.concat([rest, chunk]);
    const end = completeUntil(chunk);
    rest = chunk.subarray(end);
    if (end > 0) yield narrow(chunk.subarray(0, end));
  }
  const last = wide === undefined ? narrow(rest) : wide.decode();
  if (last !== '') yield last;
}

/** The same bytes, the first chunk being at least a head long: what is decided on it must not hang on chunk borders. */
async function* gathered(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer, void, undefined> {
  let start: Buffer[] | undefined = [];
  let length = 0;
  for await (const chunk of chunks) {
    if (start === undefined) {
      yield chunk;
      continue;
    }
    start.push(chunk);
    length += chunk.length;
    if (length < HEAD_BYTES) continue;
    yield start.length === 1 ? chunk : Buffer.concat(start);
    start = undefined;
  }
  if (start !== undefined) yield Buffer.concat(start);
}

/** A whole head as text, for detection only: never throws, an unfinished last character is left out. */
export function decodeHead(head: Uint8Array): string {
  const { encoding, mark } = detectEncoding(head);
  const bytes = Buffer.from(head.buffer, head.byteOffset, head.byteLength).subarray(mark);
  if (encoding !== 'utf-8') return new TextDecoder(encoding).decode(bytes, { stream: true });
  return decodeMixed(bytes.subarray(0, completeUntil(bytes)));
}

/** How many bytes of `bytes` end with a whole character (at most three stay behind). */
function completeUntil(bytes: Uint8Array): number {
  const length = bytes.length;
  for (let back = 1; back <= Math.min(3, length); back++) {
    const byte = bytes[length - back]!;
    if (byte < 0x80) return length;
    if (byte >= 0xc0) {
      const needed = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2;
      return needed > back ? length - back : length;
    }
  }
  return length;
}

/** UTF-8 where it is valid, Windows-1252 byte by byte where it is not. */
function decodeMixed(bytes: Buffer, onStray?: (position: number) => void): string {
  let text = '';
  let from = 0;
  let i = 0;
  while (i < bytes.length) {
    if (bytes[i]! < 0x80) {
      i++;
      continue;
    }
    const length = sequenceLength(bytes, i);
    if (length > 0) {
      i += length;
      continue;
    }
    onStray?.(i);
    const byte = bytes[i]!;
    text += bytes.toString('utf8', from, i) + (byte < 0xa0 ? HIGH[byte - 0x80] : String.fromCharCode(byte));
    from = ++i;
  }
  return text + bytes.toString('utf8', from);
}

/** Length of the valid multi-byte sequence at `i`, 0 where there is none (overlong, surrogate, cut, stray). */
function sequenceLength(bytes: Uint8Array, i: number): number {
  const lead = bytes[i]!;
  const length =
    lead >= 0xc2 && lead < 0xe0 ? 2 : lead >= 0xe0 && lead < 0xf0 ? 3 : lead >= 0xf0 && lead < 0xf5 ? 4 : 0;
  if (length === 0 || i + length > bytes.length) return 0;
  for (let k = 1; k < length; k++) if ((bytes[i + k]! & 0xc0) !== 0x80) return 0;
  const second = bytes[i + 1]!;
  if (lead === 0xe0 && second < 0xa0) return 0;
  if (lead === 0xed && second >= 0xa0) return 0;
  if (lead === 0xf0 && second < 0x90) return 0;
  if (lead === 0xf4 && second >= 0x90) return 0;
  return length;
}

function refuseForeign(head: Buffer, file: string): void {
  const zero = head.indexOf(0);
  let undefinedBytes = 0;
  let sequences = 0;
  let at = -1;
  if (zero < 0 && !isUtf8(head.subarray(0, completeUntil(head)))) {
    for (let i = 0; i < head.length; ) {
      const byte = head[i]!;
      const length = byte < 0x80 ? 1 : sequenceLength(head, i);
      if (length > 1) sequences++;
      if (length === 0 && byte < 0xa0 && HIGH[byte - 0x80] === '\ufffd') {
        undefinedBytes++;
        if (at < 0) at = i;
      }
      i += Math.max(1, length);
    }
  }
  if (zero < 0 && (undefinedBytes < 3 || sequences > undefinedBytes)) return;
  const position = zero >= 0 ? zero : at;
  throw inputError(zero >= 0 ? 'the file is not text' : 'the encoding of the file is not known', {
    code: 'import.encoding',
    file,
    line: 1 + countLines(head.toString('latin1', 0, position)),
    expected: 'text in UTF-8, UTF-16 or Windows-1252',
    found:
      zero >= 0 ? 'a zero byte' : `byte 0x${head[position]!.toString(16).toUpperCase()}, which neither encoding has`,
    hint:
      zero >= 0
        ? 'Name the format with --format, or export the data again.'
        : 'Convert the file first, e.g. iconv -f SHIFT_JIS -t UTF-8.',
  });
}

export function countLines(text: string): number {
  let count = 0;
  for (let i = text.indexOf('\n'); i >= 0; i = text.indexOf('\n', i + 1)) count++;
  return count;
}
