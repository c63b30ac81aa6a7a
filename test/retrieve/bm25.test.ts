/** BM25 against bm25s on real patents (test/oracle/bm25.py), and against the formula written out. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import fc from 'fast-check';
import { Bm25Builder, Bm25Index, type Bm25Variant, bm25Variants } from '../../src/retrieve/bm25.ts';
import { inverseDocumentFrequency, termComponent } from '../../src/retrieve/bm25-scoring.ts';
import { tieRanks } from '../../src/retrieve/candidates.ts';
import { missing, realData } from '../support/data.ts';

interface Fixture {
  documents: number;
  tokens: number;
  sha256: string;
  queries: { part: 'text' | 'abstract'; row: number }[];
  cases: {
    variant: Bm25Variant;
    k1: number;
    b: number;
    delta: number;
    results: { rows: number[]; scores: number[] }[];
  }[];
}

test('equals bm25s for all variants on 1,000 real patents', { skip: missing('ultrasound_us.jsonl.gz') }, async () => {
  const path = join(import.meta.dirname, '..', 'fixtures', 'bm25', 'bm25s.json');
  const fixture = JSON.parse(readFileSync(path, 'utf8')) as Fixture;
  const records = gunzipSync(readFileSync(realData('ultrasound_us.jsonl.gz')))
    .toString()
    .split('\n', fixture.documents)
    .map((line) => JSON.parse(line) as { title?: string; abstract?: string; text?: string });
  const vocabulary = new Map<string, number>();
  const ids = (...texts: (string | null | undefined)[]) =>
    Int32Array.from(
      texts
        .map((text) => text ?? '')
        .join('\n')
        .toLowerCase()
        .match(/[a-z0-9]+/g) ?? [],
      (word) => {
        if (!vocabulary.has(word)) vocabulary.set(word, vocabulary.size);
        return vocabulary.get(word)!;
      },
    );
  const corpus = records.map((record) => ids(record.title, record.abstract, record.text));
  const hash = createHash('sha256');
  for (const document of corpus) hash.update(document);
  assert.equal(hash.digest('hex'), fixture.sha256, 'the same token ids');
  const queries = fixture.queries.map(({ part, row }) =>
    part === 'text' ? corpus[row]! : ids(records[row]!.abstract),
  );
  for (const { results, ...options } of fixture.cases) {
    const index = await Bm25Index.build(corpus, options);
    for (const [q, expected] of results.entries()) {
      const found = index.search(queries[q]!, { k: expected.rows.length });
      for (const [rank, row] of expected.rows.entries()) {
        const label = `${options.variant}, query ${q}, rank ${rank + 1}`;
        const score = expected.scores[rank]!;
        const close = 1e-5 * Math.abs(score);
        assert.ok(Math.abs(found.scores[rank]! - score) <= close, `${label}: ${found.scores[rank]} is not ${score}`);
        if (found.rows[rank] === row) continue;
        const elsewhere = expected.rows.indexOf(found.rows[rank]!);
        const itsScore = elsewhere < 0 ? expected.scores.at(-1)! : expected.scores[elsewhere]!;
        assert.ok(Math.abs(itsScore - score) <= close, `${label}: row ${found.rows[rank]} instead of ${row}`);
      }
    }
  }
});

/** Every score by the formula, in float64, one token at a time. */
function plainScores(
  corpus: number[][],
  query: number[],
  settings: { variant: Bm25Variant; k1: number; b: number; delta: number },
) {
  const mean = corpus.reduce((sum, document) => sum + document.length, 0) / corpus.length;
  return corpus.map((document) => {
    let score = 0;
    for (const token of query) {
      const df = corpus.filter((other) => other.includes(token)).length;
      if (df === 0) continue;
      const tf = document.filter((other) => other === token).length;
      const norm = 1 - settings.b + (settings.b * document.length) / mean;
      score += inverseDocumentFrequency(settings.variant, corpus.length, df) * termComponent(settings, tf, norm);
    }
    return score;
  });
}

const tokens = fc.array(fc.integer({ min: 0, max: 12 }), { maxLength: 12 });

test('search equals the formula written out, for any corpus, query and filter', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(tokens, { minLength: 1, maxLength: 20 }),
      tokens,
      fc.constantFrom(...bm25Variants),
      fc.integer({ min: 1, max: 25 }),
      fc.integer({ min: 0, max: 19 }),
      async (corpus, query, variant, k, own) => {
        const settings = { variant, k1: 1.2, b: 0.6, delta: 0.7 };
        const tieRank = tieRanks(corpus.map((_, row) => `P${row}`));
        const days = Int32Array.from(corpus, (_, row) => row % 5);
        const filter = { excluded: () => [own], documentDay: days, queryDay: Int32Array.of(4) };
        const index = await Bm25Index.build(corpus, settings);
        const [found] = [...index.searchAll([query], { k, tieRank, filter })];
        const scores = plainScores(corpus, query, settings);
        const idfOf = (token: number) =>
          inverseDocumentFrequency(variant, corpus.length, corpus.filter((other) => other.includes(token)).length);
        const expected = corpus
          .map((document, row) => ({
            row,
            scores: scores[row]!,
            shared: query.some((t) => document.includes(t) && idfOf(t) > 0),
          }))
          .filter(({ row, shared }) => shared && row !== own && days[row]! < 4);
        assert.equal(found!.rows.length, Math.min(k, expected.length));
        for (const [rank, row] of found!.rows.entries()) {
          assert.ok(Math.abs(found!.scores[rank]! - scores[row]!) <= 1e-6 * Math.abs(scores[row]!), `score of ${row}`);
          if (rank === 0) continue;
          const [a, b] = [found!.scores[rank - 1]!, found!.scores[rank]!];
          assert.ok(a > b || (a === b && tieRank[found!.rows[rank - 1]!]! < tieRank[row]!), 'order');
        }
        const worst = found!.scores.at(-1) ?? 0;
        const kept = new Set(found!.rows);
        for (const { row, scores: score } of expected)
          assert.ok(kept.has(row) || score <= worst * (1 + 1e-6), `row ${row} was left out`);
      },
    ),
    { numRuns: 300 },
  );
});

test('the published vector: N 3, df 1, tf 2, length 5, mean length 4', async () => {
  const index = await Bm25Index.build([
    [0, 0, 1, 2, 3],
    [1, 2, 3],
    [1, 2, 3, 4],
  ]);
  const { rows, scores } = index.search([0]);
  assert.deepEqual([...rows], [0]);
  assert.ok(Math.abs(scores[0]! - 0.5187857206) < 1e-7);
});

test('segments do not show: a corpus beyond 65,536 documents', () => {
  const builder = new Bm25Builder();
  const size = 70_000;
  for (let row = 0; row < size; row++) builder.add([row % 7, 10 + (row % 1000), 5000 + row]);
  const index = builder.finish();
  assert.equal(index.size, size);
  assert.equal(index.postings, 3 * size);
  for (const row of [0, 65_535, 65_536, 69_999]) {
    const found = index.search([5000 + row, row % 7], { k: 3 });
    assert.equal(found.rows[0], row);
    const ties = [...found.rows.slice(1)];
    const first = [row % 7, (row % 7) + 7, (row % 7) + 14].filter((other) => other !== row);
    assert.deepEqual(ties, first.slice(0, 2), 'ties across segments go by row');
  }
});

test('empty corpus, empty documents, empty and unknown queries give empty rankings', async () => {
  assert.equal((await Bm25Index.build([])).search([1, 2]).rows.length, 0);
  const index = await Bm25Index.build([[], [], [3]]);
  assert.equal(index.search([]).rows.length, 0);
  assert.equal(index.search([99]).rows.length, 0);
  assert.deepEqual([...index.search([3, 99]).rows], [2]);
  assert.equal((await Bm25Index.build([[], []])).search([0]).rows.length, 0);
});

test('parameters out of range are refused by name', () => {
  assert.throws(() => new Bm25Builder({ b: 2 }), /out of range/);
  assert.throws(() => new Bm25Builder({ k1: Number.NaN }), /out of range/);
  assert.throws(() => new Bm25Builder({ variant: 'okapi' as Bm25Variant }), /unknown BM25 variant/);
});
