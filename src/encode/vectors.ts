/** Vectors of a list of texts, read in blocks from wherever they are kept. */
import { inputError } from '../base/errors.ts';
import type { StoredShard, VectorStore } from './store.ts';

export interface VectorsSummary {
  texts: number;
  dimensions: number;
  /** Special tokens and prompts included. */
  tokens: number;
  /** Texts that were longer than the model reads. */
  truncated: number;
  /** Texts without a word. */
  empty: number;
  /** Texts whose vectors were computed now; the others were found in the cache. */
  computed: number;
  /** Wall time of this call. */
  seconds: number;
}

export class TextVectors {
  /** Vectors: one a text, or one a passage. */
  readonly count: number;
  /** Of texts cut into passages: the row of each one's first vector, and the end [texts + 1]. */
  readonly passageRows: Int32Array | undefined;
  readonly dimensions: number;
  readonly summary: VectorsSummary;
  /** Path of the manifest, where the vectors are on disk. */
  readonly manifest: string | undefined;
  private readonly store: VectorStore;
  private readonly shards: readonly StoredShard[];
  private readonly starts: Float64Array;
  private readonly storedDimensions: number;

  constructor(
    store: VectorStore,
    shards: readonly StoredShard[],
    summary: VectorsSummary,
    { storedDimensions, manifest }: { storedDimensions: number; manifest: string | undefined },
  ) {
    this.store = store;
    this.shards = shards;
    this.summary = summary;
    this.manifest = manifest;
    this.dimensions = summary.dimensions;
    this.storedDimensions = storedDimensions;
    this.starts = new Float64Array(shards.length + 1);
    for (const [i, shard] of shards.entries())
      this.starts[i + 1] = this.starts[i]! + (shard.passages?.reduce((sum, count) => sum + count, 0) ?? shard.texts);
    this.count = this.starts[shards.length]!;
    this.passageRows = shards.some(({ passages }) => passages !== undefined) ? firstRows(shards) : undefined;
  }

  /** Vectors of rows [from, to): float32 [to - from, dimensions], in input order. */
  async read(from = 0, to: number = this.count): Promise<Float32Array> {
    if (!(from >= 0 && from <= to && to <= this.count))
      throw new RangeError(`rows ${from} to ${to} are not within 0 to ${this.count}`);
    const wide = this.storedDimensions;
    const result = new Float32Array((to - from) * wide);
    for (let shard = this.shardOf(from), row = from; row < to; shard++) {
      const start = this.starts[shard]!;
      const end = Math.min(to, this.starts[shard + 1]!);
      if (end === row) continue;
      const values = await this.store.values(this.shards[shard]!.hash, (row - start) * wide, (end - start) * wide);
      if (values.length !== (end - row) * wide) throw lost(this.shards[shard]!.hash);
      result.set(values, (row - from) * wide);
      row = end;
    }
    return this.dimensions === wide ? result : cutDimensions(result, wide, this.dimensions);
  }

  /** All vectors in blocks of at most `rows` rows, in input order. */
  async *blocks(rows = 4096): AsyncGenerator<{ from: number; vectors: Float32Array }> {
    for (let from = 0; from < this.count; from += rows)
      yield { from, vectors: await this.read(from, Math.min(this.count, from + rows)) };
  }

  private shardOf(row: number): number {
    let [low, high] = [0, this.shards.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.starts[middle + 1]! <= row) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

function firstRows(shards: readonly StoredShard[]): Int32Array {
  const firsts = new Int32Array(shards.reduce((sum, { texts }) => sum + texts, 1));
  let text = 0;
  for (const { passages = [] } of shards) {
    for (const count of passages) {
      firsts[text + 1] = firsts[text]! + count;
      text++;
    }
  }
  return firsts;
}

function lost(hash: string): Error {
  return inputError('stored vectors vanished or changed while they were in use', {
    code: 'vectors.lost',
    found: `shard ${hash.slice(0, 12)}`,
    hint: 'run the command again; it computes what is missing',
  });
}

/** Matryoshka: the first `narrow` values of each vector, normalised again (L2); a zero vector stays zero. */
export function cutDimensions(vectors: Float32Array, wide: number, narrow: number): Float32Array {
  const rows = vectors.length / wide;
  const result = new Float32Array(rows * narrow);
  for (let row = 0; row < rows; row++) {
    let sum = 0;
    for (let i = 0; i < narrow; i++) sum += vectors[row * wide + i]! ** 2;
    const scale = sum > 0 ? 1 / Math.sqrt(sum) : 0;
    for (let i = 0; i < narrow; i++) result[row * narrow + i] = vectors[row * wide + i]! * scale;
  }
  return result;
}
