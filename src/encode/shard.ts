/**
 * A shard: the vectors of one window in one file.
 *
 *   0   8 bytes   magic `PLVECT\0` and format number 1
 *   8   uint32    vectors: texts, or their passages
 *   12  uint32    dimensions
 *   16  uint32    batches done (of an unfinished window), 0xffffffff where all are
 *   20  uint32    texts that were truncated
 *   24  uint32    texts without a word
 *   28  float64   tokens, special tokens included
 *   36  uint32    texts that were cut into passages; 0 where every text is one vector
 *   64  float32   [vectors, dimensions], little-endian
 *       uint32    passages of each text that was cut
 *   end 32 bytes  SHA-256 of all before
 *
 * A file that fails its checksum, or is not of the length its header says, counts as absent.
 */
import { toHex } from '../base/hash.ts';

export interface Shard {
  /** Vectors: one a text, or one a passage. */
  rows: number;
  /** Passages of each text; undefined where every text is one vector. */
  passages?: Int32Array;
  dimensions: number;
  /** Batches whose vectors are there, in plan order; `allBatches` where the window is finished. */
  batches: number;
  truncated: number;
  empty: number;
  tokens: number;
  /** [rows, dimensions] */
  vectors: Float32Array;
}

export const allBatches = 0xffffffff;
/** Offset of the first value. */
export const shardHeader = 64;
const checksum = 32;
const magic = [0x50, 0x4c, 0x56, 0x45, 0x43, 0x54, 0x00, 0x01];

/** The file's bytes and the SHA-256 they end with. */
export async function encodeShard(shard: Shard): Promise<{ bytes: Uint8Array; sha256: string }> {
  const values = new Uint8Array(shard.vectors.buffer, shard.vectors.byteOffset, shard.vectors.byteLength);
  const passages = shard.passages ?? new Int32Array(0);
  const bytes = new Uint8Array(shardHeader + values.length + passages.byteLength + checksum);
  bytes.set(magic);
  const view = new DataView(bytes.buffer);
  view.setUint32(8, shard.rows, true);
  view.setUint32(12, shard.dimensions, true);
  view.setUint32(16, shard.batches, true);
  view.setUint32(20, shard.truncated, true);
  view.setUint32(24, shard.empty, true);
  view.setFloat64(28, shard.tokens, true);
  view.setUint32(36, passages.length, true);
  bytes.set(values, shardHeader);
  for (const [i, count] of passages.entries()) view.setUint32(shardHeader + values.length + 4 * i, count, true);
  const digest = await digestOf(bytes.subarray(0, bytes.length - checksum));
  bytes.set(digest, bytes.length - checksum);
  return { bytes, sha256: toHex(digest) };
}

/** The shard in `bytes`, or undefined where they are damaged or something else. */
export async function decodeShard(bytes: Uint8Array): Promise<(Shard & { sha256: string }) | undefined> {
  if (bytes.length < shardHeader + checksum || magic.some((byte, i) => bytes[i] !== byte)) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const rows = view.getUint32(8, true);
  const dimensions = view.getUint32(12, true);
  const cut = view.getUint32(36, true);
  const after = shardHeader + rows * dimensions * 4;
  const end = after + cut * 4;
  if (bytes.length !== end + checksum) return undefined;
  const sha256 = toHex(await digestOf(bytes.subarray(0, end)));
  if (sha256 !== toHex(bytes.subarray(end))) return undefined;
  return {
    rows,
    ...(cut === 0 ? {} : { passages: Int32Array.from({ length: cut }, (_, i) => view.getUint32(after + 4 * i, true)) }),
    dimensions,
    batches: view.getUint32(16, true),
    truncated: view.getUint32(20, true),
    empty: view.getUint32(24, true),
    tokens: view.getFloat64(28, true),
    vectors: floatsOf(bytes.subarray(shardHeader, after)),
    sha256,
  };
}

/** Little-endian float32 values as an array of their own (aligned, whatever the bytes' offset). */
export function floatsOf(bytes: Uint8Array): Float32Array {
  const copy = new Float32Array(bytes.length / 4);
  new Uint8Array(copy.buffer).set(bytes); // not bytes.slice(): a Node Buffer gives a view of its pool
  return copy;
}

async function digestOf(bytes: Uint8Array): Promise<Uint8Array> {
  return new Uint8Array(await crypto.subtle.digest('SHA-256', bytes as BufferSource));
}
