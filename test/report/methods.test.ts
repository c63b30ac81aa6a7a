import assert from 'node:assert/strict';
import { test } from 'node:test';
import { methods } from '../../src/report/methods.ts';
import { Standings } from '../../src/report/standings.ts';
import { fakeResults } from './fake-results.ts';

const text = (results = fakeResults()) => methods(new Standings(results)).join('\n');

test('says what was searched, by which systems, measured and tested how, and made by what', () => {
  const told = text();
  assert.match(told, /ultrasound-us \(1,255 documents, 1,046 queries, corpus hash c0ffeec0ffee\) and assistive-at/);
  assert.match(told, /Relevant is what the query patent cites/);
  assert.match(told, /bm25 \(variant lucene, k1 1\.5, b 0\.75, no stemming\)/);
  assert.match(
    told,
    /all-MiniLM-L6-v2@int8 \(int8, mean pooling, 384 dimensions, at most 256 tokens, query prompt "query: ", document prompt "passage: ", SHA-256 abad1deaabad\)/,
  );
  assert.match(told, /nDCG@10.*as trec_eval defines them/);
  assert.match(told, /\(10,000 resamples\)/);
  assert.match(told, /practical margin of 0\.01/);
  assert.match(told, /patentlab 0\.1\.0; seed 1; cpu\. Command: patentlab evaluate/);
});

test('passages are told instead of a length', () => {
  const results = fakeResults({ systems: [{ model: 'mini' }] });
  const passages = { size: 256, overlap: 64, aggregate: 'max', most: 4 } as const;
  results.cells = results.cells.map((cell) => ({ ...cell, manifest: { ...cell.manifest, passages } }));
  const told = text(results);
  assert.match(
    told,
    /mini \(the first 4 passages of 256 tokens that share 64, a document by the best of them, a query by its first,/,
  );
  assert.doesNotMatch(told, /at most 256/);
});

test('claims no test where none was made, and says where data is invented', () => {
  const results = fakeResults({ invented: true, systems: [{ model: 'lsa' }] });
  results.comparisons = [];
  const told = text(results);
  assert.doesNotMatch(told, /Holm|margin|cross-fitted/);
  assert.match(told, /invented data/);
});
