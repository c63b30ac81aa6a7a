/**
 * The safetensors format: 8 bytes header length (little-endian), a JSON header, the tensors' bytes.
 *
 *   { "name": { "dtype": "F32", "shape": [2, 3], "data_offsets": [begin, end] }, ..., "__metadata__": { "k": "v" } }
 *
 * Offsets count from the end of the header. A file is trusted only when all of this holds, checked from the header and the
 * file's size alone before any tensor is read:
 *
 * - the header is at most 100 MB, lies within the file, begins with `{`, is valid UTF-8 and strict JSON without a
 *   duplicate key;
 * - every dtype is known, every number a whole one below 2^53, and so is the product of a shape's non-zero sizes;
 * - the tensors, ordered by offset, follow each other from 0 without a hole or an overlap and end with the file;
 * - each one's length is exactly what dtype and shape make it. Tensors of size zero take no bytes.
 *
 * Tensors are read by range, so a file larger than memory can be opened.
 */
import { inputError, quoteFound } from './errors.ts';
import { bfloat16ToFloat32, float16ToFloat32 } from './half.ts';
import type { Files } from './platform.ts';
import { type Json, parseStrictJson, StrictJsonError } from './strict-json.ts';

/** Bits of one element. The order is the format's own: a writer sorts by it, last first. */
const dtypeBits = {
  BOOL: 8,
  F4: 4,
  F6_E2M3: 6,
  F6_E3M2: 6,
  U8: 8,
  I8: 8,
  F8_E5M2: 8,
  F8_E4M3: 8,
  F8_E5M2FNUZ: 8,
  F8_E4M3FNUZ: 8,
  F8_E8M0: 8,
  I16: 16,
  U16: 16,
  F16: 16,
  BF16: 16,
  I32: 32,
  U32: 32,
  F32: 32,
  C64: 64,
  F64: 64,
  I64: 64,
  U64: 64,
} as const;

export type SafetensorsDtype = keyof typeof dtypeBits;

const maxHeaderBytes = 100_000_000;
const metadataKey = '__metadata__';
/** One read is at most this long: systems limit a single read to 2 GiB. */
const readBlock = 1 << 28;

export interface StoredTensor {
  readonly name: string;
  readonly dtype: SafetensorsDtype;
  readonly shape: readonly number[];
  readonly file: string;
  /** First byte, from the start of the file. */
  readonly offset: number;
  readonly bytes: number;
}

interface SafetensorsFile {
  readonly file: string;
  readonly metadata: Readonly<Record<string, string>>;
  /** In the order of their offsets. */
  readonly tensors: ReadonlyMap<string, StoredTensor>;
}

/** Reads and checks the header of the file at `path`; no tensor is read. */
export async function openSafetensors(files: Files, path: string): Promise<SafetensorsFile> {
  const size = await files.size(path);
  if (size === undefined) throw inputError('there is no such file', { code: 'safetensors.absent', file: path });
  const length = headerLength(await files.readRange(path, 0, Math.min(8, size)), size, path);
  const header = await files.readRange(path, 8, length);
  if (header.length !== length) throw truncated(path, 8 + length, 8 + header.length);
  return parseHeader(header, size, path);
}

/** The same for a file that is in memory already; `file` names it in errors. */
export function parseSafetensors(bytes: Uint8Array, file: string): SafetensorsFile {
  const length = headerLength(bytes.subarray(0, 8), bytes.length, file);
  return parseHeader(bytes.subarray(8, 8 + length), bytes.length, file);
}

/** The tensor's bytes as stored, in a buffer of their own (so aligned for every typed array). */
export async function readTensorBytes(files: Files, tensor: StoredTensor): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = new Uint8Array(tensor.bytes);
  for (let done = 0; done < bytes.length; done += readBlock) {
    bytes.set(await readPart(files, tensor, done, Math.min(readBlock, bytes.length - done)), done);
  }
  return bytes;
}

/** The tensor as float32: F32 as stored, F16 and BF16 exactly, F64 rounded. Other dtypes are refused. */
export async function readFloat32(files: Files, tensor: StoredTensor): Promise<Float32Array<ArrayBuffer>> {
  if (!['F32', 'F16', 'BF16', 'F64'].includes(tensor.dtype)) {
    throw inputError('this dtype cannot be read as numbers of 32 bits', {
      code: 'safetensors.dtype',
      file: tensor.file,
      field: tensor.name,
      expected: 'F32, F16, BF16 or F64',
      found: tensor.dtype,
    });
  }
  const width = dtypeBits[tensor.dtype] / 8;
  const values = new Float32Array(tensor.bytes / width);
  const raw = new Uint8Array(values.buffer);
  for (let done = 0; done < tensor.bytes; done += readBlock) {
    const part = await readPart(files, tensor, done, Math.min(readBlock, tensor.bytes - done));
    const first = done / width;
    const count = part.length / width;
    if (tensor.dtype === 'F32') raw.set(part, done);
    else if (tensor.dtype === 'F16')
      float16ToFloat32(
        typed(part, (b, o) => new Uint16Array(b, o, count)),
        values.subarray(first, first + count),
      );
    else if (tensor.dtype === 'BF16')
      bfloat16ToFloat32(
        typed(part, (b, o) => new Uint16Array(b, o, count)),
        values.subarray(first, first + count),
      );
    else if (tensor.dtype === 'F64')
      values.set(
        typed(part, (b, o) => new Float64Array(b, o, count)),
        first,
      );
    else break;
  }
  return values;
}

export interface TensorToStore {
  name: string;
  dtype: SafetensorsDtype;
  shape: readonly number[];
  /** Exactly the bytes that dtype and shape make, little-endian. */
  data: ArrayBufferView;
}

/** A tensor whose bytes are fetched when they are written. */
export interface TensorToFetch extends Omit<TensorToStore, 'data'> {
  data(): ArrayBufferView | Promise<ArrayBufferView>;
}

/**
 * A whole file, byte for byte as Python's safetensors writes it: widest dtype first, then by name, the header padded with
 * spaces so that the data begin at a multiple of 8.
 */
export function encodeSafetensors(
  tensors: readonly TensorToStore[],
  metadata?: Readonly<Record<string, string>>,
): Uint8Array<ArrayBuffer> {
  const { header, sorted, dataBytes } = layOut(tensors, metadata);
  const file = new Uint8Array(header.length + dataBytes);
  file.set(header);
  let at = header.length;
  for (const tensor of sorted) {
    file.set(bytesOf(tensor, tensor.data), at);
    at += tensor.data.byteLength;
  }
  return file;
}

/** The same file in pieces, one tensor in memory at a time (for `Files.writeAtomic`). */
export async function* safetensorsPieces(
  tensors: readonly TensorToFetch[],
  metadata?: Readonly<Record<string, string>>,
): AsyncGenerator<Uint8Array> {
  const { header, sorted } = layOut(tensors, metadata);
  yield header;
  for (const tensor of sorted) yield bytesOf(tensor, await tensor.data());
}

/** The order of the tensors, and everything that stands before them. */
function layOut<T extends Omit<TensorToStore, 'data'>>(
  tensors: readonly T[],
  metadata: Readonly<Record<string, string>> | undefined,
): { header: Uint8Array<ArrayBuffer>; sorted: T[]; dataBytes: number } {
  const order = Object.keys(dtypeBits);
  const sorted = tensors.toSorted(
    (a, b) => order.indexOf(b.dtype) - order.indexOf(a.dtype) || compareUtf8(a.name, b.name),
  );
  const entries: string[] = [];
  if (metadata !== undefined) entries.push(`${JSON.stringify(metadataKey)}:${JSON.stringify(metadata)}`);
  const names = new Set<string>([metadataKey]);
  let end = 0;
  for (const { name, dtype, shape } of sorted) {
    if (names.has(name)) throw new RangeError(`two tensors are called ${name}`);
    names.add(name);
    const bytes = byteLength(dtype, shape);
    if (bytes === undefined) throw new RangeError(`${name}: ${dtype} [${shape}] fills no whole bytes or is too large`);
    const info = { dtype, shape, data_offsets: [end, end + bytes] };
    entries.push(`${JSON.stringify(name)}:${JSON.stringify(info)}`);
    end += bytes;
  }
  const text = new TextEncoder().encode(`{${entries.join(',')}}`);
  const length = Math.ceil(text.length / 8) * 8;
  if (length > maxHeaderBytes) throw new RangeError('the header would exceed 100 MB');
  const header = new Uint8Array(8 + length).fill(0x20);
  new DataView(header.buffer).setBigUint64(0, BigInt(length), true);
  header.set(text, 8);
  return { header, sorted, dataBytes: end };
}

function bytesOf({ name, dtype, shape }: Omit<TensorToStore, 'data'>, data: ArrayBufferView): Uint8Array {
  const bytes = byteLength(dtype, shape);
  if (bytes !== data.byteLength)
    throw new RangeError(`${name}: ${dtype} [${shape}] takes ${bytes} bytes, given ${data.byteLength}`);
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}

async function readPart(files: Files, tensor: StoredTensor, from: number, length: number): Promise<Uint8Array> {
  const part = await files.readRange(tensor.file, tensor.offset + from, length);
  if (part.length !== length)
    throw truncated(tensor.file, tensor.offset + tensor.bytes, tensor.offset + from + part.length);
  return part;
}

/** A typed view of `part`, over a copy where its start is not aligned. */
function typed<T>(part: Uint8Array, view: (buffer: ArrayBuffer, offset: number) => T): T {
  const own = part.byteOffset % 8 === 0 ? part : part.slice();
  return view(own.buffer as ArrayBuffer, own.byteOffset);
}

function headerLength(start: Uint8Array, fileSize: number, file: string): number {
  if (start.length < 8) {
    throw inputError('this is no safetensors file: it is too short', {
      code: 'safetensors.short',
      file,
      expected: 'at least 8 bytes',
      found: `${fileSize} bytes`,
    });
  }
  // BigInt: the length is an unsigned 64-bit number that a hostile file may set to anything.
  const length = new DataView(start.buffer, start.byteOffset, 8).getBigUint64(0, true);
  if (length > BigInt(maxHeaderBytes) || length < 2n) {
    throw inputError('the length of the safetensors header is out of bounds', {
      code: 'safetensors.header-length',
      file,
      expected: `2 to ${maxHeaderBytes} bytes`,
      found: `${length} bytes`,
      hint: 'download the file again; if it stays so, it is not a safetensors file',
    });
  }
  if (8n + length > BigInt(fileSize)) throw truncated(file, 8 + Number(length), fileSize);
  return Number(length);
}

function parseHeader(header: Uint8Array, fileSize: number, file: string): SafetensorsFile {
  const wrong = (message: string, code: string, more: { field?: string; expected?: string; found?: string } = {}) =>
    inputError(message, { code: `safetensors.${code}`, file, ...more });
  if (header[0] !== 0x7b)
    throw wrong('the safetensors header does not begin with a brace', 'header-start', {
      expected: '"{"',
      found: `byte ${header[0]}`,
    });
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(header);
  } catch {
    throw wrong('the safetensors header is not valid UTF-8', 'header-encoding');
  }
  let json: Json;
  try {
    json = parseStrictJson(text, { maxDepth: 4, integersOnly: true });
  } catch (error) {
    if (!(error instanceof StrictJsonError)) throw error;
    throw wrong(`the safetensors header is not acceptable JSON: ${error.message}`, 'header-json', {
      found: `at character ${error.offset}: ${quoteFound(text.slice(error.offset, error.offset + 60))}`,
    });
  }
  const dataStart = 8 + header.length;
  let metadata: Record<string, string> = {};
  const tensors: StoredTensor[] = [];
  for (const [name, entry] of Object.entries(json as Record<string, Json>)) {
    if (name === metadataKey) metadata = checkMetadata(entry, wrong);
    else tensors.push(checkTensor(name, entry, dataStart, file));
  }
  checkCoverage(tensors, dataStart, fileSize, file);
  return { file, metadata, tensors: new Map(tensors.map((tensor) => [tensor.name, tensor])) };
}

function checkMetadata(entry: Json, wrong: (message: string, code: string, more: object) => Error) {
  const plain = entry !== null && typeof entry === 'object' && !Array.isArray(entry);
  if (!plain || Object.values(entry).some((value) => typeof value !== 'string')) {
    throw wrong('the metadata must map names to strings', 'metadata', {
      field: metadataKey,
      found: quoteFound(JSON.stringify(entry)),
    });
  }
  return { ...(entry as Record<string, string>) };
}

function checkTensor(name: string, entry: Json, dataStart: number, file: string): StoredTensor {
  const wrong = (message: string, code: string, expected: string, found: Json | undefined) =>
    inputError(message, {
      code: `safetensors.${code}`,
      file,
      field: `tensor ${quoteFound(name)}`,
      expected,
      found: quoteFound(found === undefined ? 'nothing' : JSON.stringify(found)),
    });
  const keys = entry !== null && typeof entry === 'object' && !Array.isArray(entry) ? Object.keys(entry) : [];
  if (keys.toSorted().join() !== 'data_offsets,dtype,shape')
    throw wrong('a tensor is described by exactly three fields', 'fields', 'dtype, shape, data_offsets', entry);
  const { dtype, shape, data_offsets: offsets } = entry as Record<string, Json>;
  if (typeof dtype !== 'string' || !Object.hasOwn(dtypeBits, dtype))
    throw wrong('unknown dtype', 'dtype', Object.keys(dtypeBits).join(', '), dtype);
  if (!isNumbers(shape)) throw wrong('the shape is not a list of sizes', 'shape', 'a list of whole numbers', shape);
  if (!isNumbers(offsets) || offsets.length !== 2 || offsets[1]! < offsets[0]!)
    throw wrong('the offsets are not a range', 'offsets', '[begin, end] with begin <= end', offsets);
  const bytes = byteLength(dtype as SafetensorsDtype, shape);
  if (bytes === undefined)
    throw wrong('the shape is too large or fills no whole bytes', 'shape', 'fewer than 2^53 bits, whole bytes', shape);
  const [begin, end] = offsets as [number, number];
  if (end - begin !== bytes) {
    const found = `${end - begin} bytes, offsets ${begin} to ${end}`;
    throw wrong('the length does not fit dtype and shape', 'length', `${bytes} bytes for ${dtype} [${shape}]`, found);
  }
  return { name, dtype: dtype as SafetensorsDtype, shape, file, offset: dataStart + begin, bytes };
}

/** Sorts the tensors by offset; they must cover the data exactly once, from its first byte to its last. */
function checkCoverage(tensors: StoredTensor[], dataStart: number, fileSize: number, file: string): void {
  tensors.sort((a, b) => a.offset - b.offset || a.bytes - b.bytes);
  let end = dataStart;
  for (const tensor of tensors) {
    if (tensor.offset !== end) {
      const overlap = tensor.offset < end;
      throw inputError(overlap ? 'two tensors overlap' : 'there is a hole before this tensor', {
        code: overlap ? 'safetensors.overlap' : 'safetensors.hole',
        file,
        field: `tensor ${quoteFound(tensor.name)}`,
        expected: `begin at offset ${end - dataStart}`,
        found: `begin at offset ${tensor.offset - dataStart}`,
      });
    }
    end += tensor.bytes;
  }
  if (end > fileSize) throw truncated(file, end, fileSize);
  if (end < fileSize) {
    throw inputError('bytes that belong to no tensor follow the last one', {
      code: 'safetensors.trailing',
      file,
      expected: `${end} bytes`,
      found: `${fileSize} bytes`,
    });
  }
}

/** Bytes of a tensor; undefined where they are not whole or the sizes leave exact arithmetic. */
function byteLength(dtype: SafetensorsDtype, shape: readonly number[]): number | undefined {
  // The product skips zeros, so that [0, 2^40, 2^40] is refused as [2^40, 2^40, 0] is.
  let product = dtypeBits[dtype] as number;
  for (const size of shape) {
    product *= size === 0 ? 1 : size;
    if (!Number.isSafeInteger(product)) return undefined;
  }
  if (shape.includes(0)) return 0;
  return product % 8 === 0 ? product / 8 : undefined;
}

function isNumbers(value: Json | undefined): value is number[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'number');
}

function truncated(file: string, expected: number, found: number): Error {
  return inputError('the safetensors file is cut off', {
    code: 'safetensors.truncated',
    file,
    expected: `${expected} bytes`,
    found: `${found} bytes`,
    hint: 'download the file again',
  });
}

/** Order of the UTF-8 bytes (which is the order of code points), as the format's own writer sorts. */
function compareUtf8(a: string, b: string): number {
  const [left, right] = [[...a], [...b]];
  for (let i = 0; i < left.length && i < right.length; i++) {
    const difference = left[i]!.codePointAt(0)! - right[i]!.codePointAt(0)!;
    if (difference !== 0) return difference;
  }
  return left.length - right.length;
}
