/** Exact search against a naive float64 search, on the engine and by plain products; chunked = whole. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { nodePlatform } from '../../src/base/node/platform.ts';
import { stream } from '../../src/base/random.ts';
import { type CandidateFilter, type RowRanking, tieRanks } from '../../src/retrieve/candidates.ts';
import { searchExact, vectorArray, vectorFile } from '../../src/retrieve/exact.ts';
import { type MatrixProduct, openMatrixProduct } from '../../src/retrieve/matrix-product.ts';
import { scratch } from '../support/scratch.ts';

const plain: MatrixProduct = {
  async multiply(a, m, b, n, k) {
    const result = new Float32Array(m * n);
    for (let i = 0; i < m; i++)
      for (let j = 0; j < n; j++) {
        let sum = 0;
        for (let d = 0; d < k; d++) sum += a[i * k + d]! * b[j * k + d]!;
        result[i * n + j] = sum;
      }
    return result;
  },
  async close() {},
};

function vectorsOf(seed: number, count: number, dimensions: number, unit: boolean): Float32Array {
  const random = stream(seed, 'vectors', count);
  const vectors = Float32Array.from({ length: count * dimensions }, () => random.normal());
  for (let at = 0; unit && at < vectors.length; at += dimensions) {
    const norm = Math.hypot(...vectors.subarray(at, at + dimensions));
    for (let i = at; i < at + dimensions; i++) vectors[i]! /= norm;
  }
  return vectors;
}

/** Scores of all documents for one query in float64; NaN for those that may not be found. */
function naive(
  documents: Float32Array,
  queries: Float32Array,
  dimensions: number,
  query: number,
  filter: CandidateFilter,
  cosine: boolean,
) {
  const q = queries.subarray(query * dimensions, (query + 1) * dimensions);
  const norm = (vector: Float32Array) => (cosine ? Math.hypot(...vector) || 1 : 1);
  return Float64Array.from({ length: documents.length / dimensions }, (_, row) => {
    const d = documents.subarray(row * dimensions, (row + 1) * dimensions);
    if (Array.from(filter.excluded?.(query) ?? []).includes(row)) return Number.NaN;
    if (filter.documentDay && !(filter.documentDay[row]! < filter.queryDay![query]!)) return Number.NaN;
    return d.reduce((sum, value, i) => sum + value * q[i]!, 0) / norm(d) / norm(q);
  });
}

function assertSame(found: RowRanking, scores: Float64Array, k: number, tieRank: Uint32Array, tolerance = 1e-6): void {
  const allowed = [...scores.keys()].filter((row) => !Number.isNaN(scores[row]!));
  assert.equal(found.rows.length, Math.min(k, allowed.length));
  const best = allowed.sort((a, b) => scores[b]! - scores[a]! || tieRank[a]! - tieRank[b]!);
  assert.equal(new Set(found.rows).size, found.rows.length);
  for (const [rank, row] of found.rows.entries()) {
    assert.ok(Math.abs(found.scores[rank]! - scores[row]!) <= tolerance, `score of row ${row}`);
    assert.ok(
      Math.abs(scores[row]! - scores[best[rank]!]!) <= tolerance,
      `rank ${rank}: row ${row}, not ${best[rank]}`,
    );
    if (rank === 0) continue;
    const [a, b] = [found.scores[rank - 1]!, found.scores[rank]!];
    assert.ok(a > b || (a === b && tieRank[found.rows[rank - 1]!]! < tieRank[row]!), `order at rank ${rank}`);
  }
}

test('equals a naive float64 search for any block sizes and filters; chunked = whole', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.record({
        seed: fc.nat(),
        documents: fc.integer({ min: 1, max: 60 }),
        queries: fc.integer({ min: 1, max: 9 }),
        k: fc.integer({ min: 1, max: 70 }),
        documentBlock: fc.integer({ min: 1, max: 64 }),
        queryBlock: fc.integer({ min: 1, max: 10 }),
        cosine: fc.boolean(),
        days: fc.boolean(),
      }),
      async ({ seed, documents, queries, k, documentBlock, queryBlock, cosine, days }) => {
        const dimensions = 5;
        const d = vectorsOf(seed, documents, dimensions, false).map(Math.round); // small whole numbers: many ties
        const q = vectorsOf(seed + 1, queries, dimensions, false).map(Math.round);
        const tieRank = tieRanks(Array.from({ length: documents }, (_, row) => `P${row}`));
        const filter: CandidateFilter = {
          excluded: (query) => [query, 7],
          ...(days
            ? {
                documentDay: Int32Array.from({ length: documents }, (_, row) => row % 9),
                queryDay: Int32Array.from({ length: queries }, (_, query) => query),
              }
            : {}),
        };
        const options = { product: plain, k, tieRank, filter, similarity: cosine ? 'cosine' : 'dot' } as const;
        const blocks = vectorArray(d, dimensions);
        const chunked = await searchExact(blocks, q, { ...options, documentBlock, queryBlock });
        const whole = await searchExact(blocks, q, options);
        assert.deepEqual(chunked, whole);
        for (let query = 0; query < queries; query++)
          assertSame(whole[query]!, naive(d, q, dimensions, query, filter, cosine), k, tieRank);
      },
    ),
    { numRuns: 200 },
  );
});

test('on the engine, from memory and from a file', async (t) => {
  const [count, dimensions, queries, k] = [3000, 96, 40, 50];
  const documents = vectorsOf(1, count, dimensions, true);
  const q = vectorsOf(2, queries, dimensions, true);
  const path = join(scratch(t), 'vectors.f32');
  writeFileSync(path, Buffer.concat([Buffer.alloc(12), Buffer.from(documents.buffer)]));
  const product = await openMatrixProduct(nodePlatform, { threads: 1 });
  t.after(() => product.close());
  const tieRank = tieRanks(Array.from({ length: count }, (_, row) => `P${row}`));
  const filter = { excluded: (query: number) => [query] };
  const file = vectorFile(nodePlatform, path, { dimensions, count, offset: 12 });
  for (const [blocks, documentBlock] of [
    [vectorArray(documents, dimensions), 4096],
    [file, 700],
  ] as const) {
    const found = await searchExact(blocks, q, { product, k, tieRank, filter, documentBlock, queryBlock: 17 });
    assert.equal(found.length, queries);
    for (let query = 0; query < queries; query++)
      assertSame(found[query]!, naive(documents, q, dimensions, query, filter, false), k, tieRank);
  }
  const short = vectorFile(nodePlatform, path, { dimensions, count: count + 1, offset: 12 });
  await assert.rejects(searchExact(short, q, { product, k }), /too short/);
});

test('queries of another dimension and vectors that are no numbers are refused', async () => {
  const blocks = vectorArray(Float32Array.of(1, 2, Number.NaN, 4), 2);
  await assert.rejects(searchExact(blocks, new Float32Array(3), { product: plain }), /another number of dimensions/);
  await assert.rejects(searchExact(blocks, Float32Array.of(1, 1), { product: plain }), /row 1 is not a number/);
  assert.deepEqual(await searchExact(blocks, new Float32Array(0), { product: plain }), []);
});

test('a search can be stopped', async () => {
  const signal = AbortSignal.abort();
  const blocks = vectorArray(new Float32Array(20), 2);
  await assert.rejects(searchExact(blocks, new Float32Array(2), { product: plain, signal }), { name: 'AbortError' });
});
