/** The bootstrap over seeds and queries against the same written out in numpy (test/oracle/hierarchical.py). */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { comparePairs } from '../../src/metrics/significance.ts';

interface Case {
  clusters: number[];
  a: number[][];
  b: number[][];
  difference: number;
  lower: number;
  upper: number;
  p: number;
}

const path = join(import.meta.dirname, '..', 'fixtures', 'metrics', 'hierarchical.json');
const cases = JSON.parse(readFileSync(path, 'utf8')) as Case[];

for (const [at, expected] of cases.entries()) {
  const { clusters, a, b } = expected;
  test(`${a.length} seeds against ${b.length}, ${clusters.length} queries: interval and p of numpy`, () => {
    const [pair] = comparePairs({
      systems: ['a', 'b'],
      values: [a, b].map((seeds) => seeds.map((values) => Float64Array.from(values))),
      clusters,
      metric: 'ndcg@10',
      seed: at,
      resamples: 50_000,
    });
    assert.ok(Math.abs(pair!.difference - expected.difference) < 1e-12);
    // Ends of a 95 % interval from 50,000 resamples: their own error is about 1 % of its width.
    const width = expected.upper - expected.lower;
    assert.ok(Math.abs(pair!.lower - expected.lower) < 0.02 * width, `${pair!.lower}, numpy ${expected.lower}`);
    assert.ok(Math.abs(pair!.upper - expected.upper) < 0.02 * width, `${pair!.upper}, numpy ${expected.upper}`);
    const error = Math.sqrt((expected.p * (1 - expected.p)) / 50_000);
    assert.ok(Math.abs(pair!.p - expected.p) < 5 * error + 1e-4, `${pair!.p}, numpy ${expected.p}`);
    assert.equal(pair!.tentative, a.length < 5 || b.length < 5 ? true : undefined);
  });
}
