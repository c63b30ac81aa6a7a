import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { tieRanks } from '../../src/retrieve/candidates.ts';
import { TopK } from '../../src/retrieve/top-k.ts';

const score = fc.oneof(
  fc.integer({ min: -3, max: 3 }), // many ties
  fc.float({ noNaN: true }), // with infinities and both zeros
);

test('top k equals a full sort by score down, then id down', () => {
  fc.assert(
    fc.property(
      fc.array(score, { maxLength: 400 }),
      fc.integer({ min: 1, max: 120 }),
      fc.boolean(),
      (scores, k, ranked) => {
        const ids = scores.map((_, row) => `US${(row * 7919) % 1000}B${row % 3}-${row}`);
        const collector = new TopK(k, ranked ? tieRanks(ids) : undefined);
        for (let round = 0; round < 2; round++) {
          scores.forEach((value, row) => {
            collector.offer(row, value);
          });
          const found = collector.take();
          const sorted = scores
            .map((value, row) => ({ row, value: Math.fround(value) }))
            .sort((a, b) => b.value - a.value || (ranked ? (ids[a.row]! > ids[b.row]! ? -1 : 1) : a.row - b.row))
            .slice(0, k);
          assert.deepEqual(
            [...found.rows],
            sorted.map(({ row }) => row),
          );
          assert.deepEqual(
            [...found.scores].map((value) => value + 0),
            sorted.map(({ value }) => value + 0),
          );
        }
      },
    ),
    { numRuns: 500 },
  );
});

test('the threshold never turns a member away, whatever the order of offers', () => {
  const collector = new TopK(10);
  for (let row = 0; row < 100_000; row++) collector.offer(row, Math.floor(row / 1000));
  assert.deepEqual(
    [...collector.take().rows],
    Array.from({ length: 10 }, (_, i) => 99_000 + i),
  );
  for (let row = 100_000; row-- > 0; ) collector.offer(row, 5);
  assert.deepEqual(
    [...collector.take().rows],
    Array.from({ length: 10 }, (_, i) => i),
  );
});

test('scores that are no numbers and k out of range are refused', () => {
  assert.throws(() => new TopK(3).offer(1, Number.NaN), /not a number/);
  for (const k of [0, 1.5, -1]) assert.throws(() => new TopK(k), RangeError);
});
