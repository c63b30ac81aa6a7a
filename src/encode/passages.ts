/**
 * Long texts as passages: every passage has a vector, and a document's score for a query is
 *
 *   max    the largest similarity of its passages: all vectors are searched (`firsts` tells exact search whose they are)
 *   mean   the similarity of the mean of its passage vectors, brought to length 1 again where the model's have it:
 *          one vector a document, as cheap to search and to keep as no passages
 *
 * Windows are cut by the model's own tokenizer (`tokenizer/passages.ts`). A document of one passage has that passage's vector,
 * to the bit, under both. A vector that is cut to fewer dimensions is cut after the mean. Vectors are read in blocks: memory
 * does not grow with the number of passages, only with those of the longest document.
 */
import { inputError } from '../base/errors.ts';
import { cutDimensions, type TextVectors } from './vectors.ts';

export const passageAggregates = ['max', 'mean'] as const;
export type PassageAggregate = (typeof passageAggregates)[number];

export interface PassageOptions {
  /** Tokens of a passage, special tokens and prompt counted; at most what the model reads. */
  size: number;
  /** Tokens shared with the passage before. */
  overlap: number;
  aggregate: PassageAggregate;
  /** At most so many passages of a document, the first ones. Default: all. */
  most?: number;
  /** A query is its first passage (default), or the mean of all of its own. */
  queries?: 'first' | 'mean';
}

/** A message that names the field is thrown where an option is out of range. */
export function checkPassages(options: PassageOptions): PassageOptions {
  const { size, overlap, aggregate, most, queries } = options;
  const wrong = (field: string, expected: string, found: unknown) =>
    inputError('passages cannot be cut so', {
      code: 'encode.passages',
      field: `passages ${field}`,
      expected,
      found: String(found),
      hint: 'for example size=256,overlap=64,aggregate=max',
    });
  if (!(Number.isInteger(size) && size >= 1)) throw wrong('size', 'a number of tokens', size);
  if (!(Number.isInteger(overlap) && overlap >= 0 && overlap < size))
    throw wrong('overlap', `a number of tokens below the size ${size}`, overlap);
  if (!passageAggregates.includes(aggregate)) throw wrong('aggregate', passageAggregates.join(' or '), aggregate);
  if (most !== undefined && !(Number.isInteger(most) && most >= 1))
    throw wrong('most', 'a whole number from 1 on', most);
  if (queries !== undefined && queries !== 'first' && queries !== 'mean')
    throw wrong('queries', 'first or mean', queries);
  return options;
}

/** What search reads vectors from (`retrieve/exact.ts`). */
interface Blocks {
  count: number;
  dimensions: number;
  blocks(rows?: number): AsyncGenerator<{ from: number; vectors: Float32Array }>;
  firsts?: Int32Array;
}

/** All passage vectors, each cut to `dimensions` (default all), in blocks of about `rows` that end with a document. */
export function passageBlocks(vectors: TextVectors, dimensions: number = vectors.dimensions): Required<Blocks> {
  const { count } = vectors;
  const firsts = firstsOf(vectors);
  return {
    count,
    dimensions,
    firsts,
    async *blocks(rows = 4096) {
      for (const [document, end] of groups(firsts, rows)) {
        const from = firsts[document]!;
        yield { from, vectors: cutTo(dimensions, await vectors.read(from, firsts[end]!), vectors.dimensions) };
      }
    },
  };
}

/**
 * One vector a document, the mean of its passages', cut to `dimensions` (default all). `normalise`: to length 1 again.
 * `vectors` must be of full width.
 */
export function passageMeans(
  vectors: TextVectors,
  { normalise, dimensions = vectors.dimensions }: { normalise: boolean; dimensions?: number },
): Blocks {
  const firsts = firstsOf(vectors);
  const width = vectors.dimensions;
  return {
    count: firsts.length - 1,
    dimensions,
    async *blocks(rows = 4096) {
      for (const [document, end] of groups(firsts, rows)) {
        const means = meansOf(
          await vectors.read(firsts[document]!, firsts[end]!),
          firsts.subarray(document, end + 1),
          width,
          normalise,
        );
        yield { from: document, vectors: cutTo(dimensions, means, width) };
      }
    },
  };
}

function cutTo(narrow: number, vectors: Float32Array, wide: number): Float32Array {
  return narrow === wide ? vectors : cutDimensions(vectors, wide, narrow);
}

function firstsOf({ passageRows, count }: TextVectors): Int32Array {
  return passageRows ?? Int32Array.from({ length: count + 1 }, (_, row) => row);
}

/** Runs of documents [from, to) with about `rows` passages in all, at least one document each. */
function* groups(firsts: Int32Array, rows: number): Generator<[from: number, to: number]> {
  const documents = firsts.length - 1;
  for (let from = 0; from < documents; ) {
    let to = from + 1;
    while (to < documents && firsts[to + 1]! - firsts[from]! <= rows) to++;
    yield [from, to];
    from = to;
  }
}

function meansOf(passages: Float32Array, firsts: Int32Array, width: number, normalise: boolean): Float32Array {
  const documents = firsts.length - 1;
  const means = new Float32Array(documents * width);
  const sum = new Float64Array(width);
  for (let document = 0; document < documents; document++) {
    const [from, to] = [firsts[document]! - firsts[0]!, firsts[document + 1]! - firsts[0]!];
    if (to - from === 1) {
      means.set(passages.subarray(from * width, to * width), document * width);
      continue;
    }
    sum.fill(0);
    for (let at = from * width; at < to * width; ) for (let i = 0; i < width; i++) sum[i]! += passages[at++]!;
    let scale = 1 / (to - from);
    if (normalise) {
      const length = Math.sqrt(sum.reduce((squares, value) => squares + value * value, 0));
      scale = length > 0 ? 1 / length : 0;
    }
    for (let i = 0; i < width; i++) means[document * width + i] = sum[i]! * scale;
  }
  return means;
}
