import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import * as format from '../../src/report/format.ts';

test('values, differences and p values', () => {
  assert.equal(format.score(0.41249), '0.412');
  assert.equal(format.signed(0.0126), '+0.013');
  assert.equal(format.signed(-0.0126), '\u22120.013');
  assert.equal(format.signed(-0.0001), '0.000');
  assert.equal(format.withInterval({ value: 0.5, lower: 0.4, upper: 0.6 }), '0.500 [0.400, 0.600]');
  assert.equal(format.pPhrase(0.00004), 'p\u00A0<\u00A00.001');
  assert.equal(format.pPhrase(0.0123, 'Holm p'), 'Holm\u00A0p\u00A0=\u00A00.012');
  assert.equal(format.score(Number.NaN), '–');
});

test('counts, rates, sizes and times', () => {
  assert.equal(format.count(46069), '46,069');
  assert.equal(format.count(1234567), '1,234,567');
  assert.equal(format.rate(3138.4), '3,138');
  assert.equal(format.rate(31.04), '31.0');
  assert.equal(format.rate(undefined), '–');
  assert.equal(format.bytes(999), '999 B');
  assert.equal(format.bytes(1_930_000), '1.9 MB');
  assert.equal(format.bytes(622e6), '622 MB');
  assert.deepEqual([0.004, 1.42, 42, 200, 9000].map(format.seconds), ['4 ms', '1.4 s', '42 s', '3 min', '2.5 h']);
  assert.equal(format.percent(0.391), '39.1 %');
});

test('metrics bear the names of the field', () => {
  const keys = ['ndcg@10', 'recall@100', 'map', 'mrr', 'unjudged@10', 'rprec', 'own@3'];
  assert.deepEqual(keys.map(format.metricName), [
    'nDCG@10',
    'Recall@100',
    'MAP',
    'MRR',
    'Unjudged@10',
    'R-precision',
    'own@3',
  ]);
});

test('lists and shortened names', () => {
  assert.equal(format.listOf(['a', 'b', 'c']), 'a, b and c');
  assert.equal(format.listOf(['a']), 'a');
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), fc.integer({ min: 4, max: 40 }), (text, width) => {
      const short = format.shorten(text, width);
      assert.ok([...short].length <= width);
      if ([...text].length <= width) assert.equal(short, text);
    }),
  );
});
