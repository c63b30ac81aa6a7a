import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import type { RowRanking } from '../../src/retrieve/candidates.ts';
import { crossFit, dealFolds } from '../../src/retrieve/cross-fit.ts';
import { alphaGrid, interpolate, minMax, rrf, sweepAlpha } from '../../src/retrieve/fuse.ts';

const list = (rows: number[], scores: number[]): RowRanking => ({
  rows: Int32Array.from(rows),
  scores: Float32Array.from(scores),
});

test('RRF: ranks 1 and 3 at k 60 give 0.0322664585; an absent document adds 0', () => {
  const fused = rrf([list([7, 8, 9], [3, 2, 1]), list([1, 2, 7], [3, 2, 1])]);
  assert.equal(fused.rows[0], 7);
  assert.ok(Math.abs(fused.scores[0]! - 0.0322664585) < 4e-9);
  assert.equal(fused.scores[1], Math.fround(1 / 61));
});

test('interpolation at alpha 1 and 0 is the list itself, documents of the other list at 0', () => {
  const dense = list([1, 2, 3], [0.9, 0.5, 0.1]);
  const sparse = list([4, 3], [12, 4]);
  assert.deepEqual(interpolate(dense, sparse, { alpha: 1, limit: 9 }), list([1, 2, 3, 4], [1, 0.5, 0, 0]));
  assert.deepEqual(interpolate(dense, sparse, { alpha: 0, limit: 1 }), list([4], [1]));
  assert.equal(sweepAlpha(dense, sparse, alphaGrid(0.1)).length, 11);
});

test('a constant list and an empty one normalise to 0, never NaN', () => {
  assert.deepEqual([...minMax([2, 2, 2])], [0, 0, 0]);
  const fused = interpolate(list([1, 2], [5, 5]), list([], []), { alpha: 0.7 });
  assert.deepEqual(fused, list([1, 2], [0, 0]));
});

test('equals ranx: rrf, and wsum after min-max', () => {
  const path = join(import.meta.dirname, '..', 'fixtures', 'fuse', 'ranx.json');
  interface Case {
    lists: { rows: number[]; scores: number[] }[];
    expected: Record<string, Record<string, number>>;
  }
  const { cases } = JSON.parse(readFileSync(path, 'utf8')) as { cases: Case[] };
  for (const { lists, expected } of cases) {
    const [dense, sparse] = lists.map(({ rows, scores }) => list(rows, scores));
    for (const [name, scores] of Object.entries(expected)) {
      const fused = name.startsWith('rrf')
        ? rrf([dense!, sparse!], { k: Number(name.slice(3)), limit: 100 })
        : interpolate(dense!, sparse!, { alpha: Number(name.slice(5)), limit: 100 });
      assert.equal(fused.rows.length, Object.keys(scores).length);
      for (const [i, row] of fused.rows.entries())
        assert.ok(Math.abs(fused.scores[i]! - scores[row]!) < 1e-6, `${name}, row ${row}`);
    }
  }
});

test('alpha and its step are checked', () => {
  const empty = list([], []);
  assert.throws(() => interpolate(empty, empty, { alpha: 1.1 }), /alpha out of range/);
  assert.throws(() => alphaGrid(0.3), /must divide 1/);
  assert.equal(alphaGrid().length, 21);
});

test('folds keep families whole and are of about equal size', () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 0, max: 30 }), { minLength: 1, maxLength: 200 }),
      fc.integer(),
      (families, seed) => {
        const clusters = Int32Array.from(families);
        const fold = dealFolds(clusters.length, clusters, 5, seed);
        const seen = new Map<number, number>();
        fold.forEach((f, q) => {
          assert.equal(seen.get(clusters[q]!) ?? f, f);
          seen.set(clusters[q]!, f);
        });
        const largest = Math.max(
          ...[...seen.keys()].map((family) => families.filter((other) => other === family).length),
        );
        const loads = Array.from(
          { length: Math.min(5, seen.size) },
          (_, f) => fold.filter((other) => other === f).length,
        );
        assert.ok(Math.max(...loads) - Math.min(...loads) <= largest);
      },
    ),
  );
});

test('no query has a say in its own setting: its value can change without changing the choice for its fold', () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.double({ min: 0, max: 1 }), fc.double({ min: 0, max: 1 })), {
        minLength: 10,
        maxLength: 60,
      }),
      fc.nat(),
      (pairs, pick) => {
        const columns = () => [0, 1].map((s) => Float64Array.from(pairs, (pair) => pair[s]!));
        const clusters = Int32Array.from(pairs, (_, q) => q >> 1);
        const options = { clusters, seed: 3 };
        const before = crossFit(columns(), options);
        const changed = columns();
        const query = pick % pairs.length;
        changed[0]![query] = 100;
        const after = crossFit(changed, options);
        const fold = before.fold[query]!;
        assert.equal(after.choices[fold]!.setting, before.choices[fold]!.setting);
        before.chosen.forEach((s, q) => {
          assert.equal(before.values[q], pairs[q]![s]);
        });
      },
    ),
  );
});

test('cross-fitting finds the setting that is best everywhere, and passes over queries without a value', () => {
  const values = [0.2, 0.6, 0.4].map((mean) =>
    Float64Array.from({ length: 50 }, (_, q) => (q === 4 ? Number.NaN : mean)),
  );
  const fit = crossFit(values, { seed: 1 });
  assert.ok(fit.chosen.every((setting) => setting === 1));
  assert.equal(fit.choices.length, 5);
  assert.ok(Math.abs(fit.choices[0]!.meanElsewhere - 0.6) < 1e-12);
  assert.deepEqual([...crossFit([Float64Array.of(0.1), Float64Array.of(0.3)], { seed: 1 }).chosen], [1]);
});
