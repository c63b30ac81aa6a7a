/** Stratified folds: even, whole families, a function of the seed; against iterative-stratification (test/oracle/probes.py). */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { stream } from '../../src/base/random.ts';
import { stratifiedFolds } from '../../src/classify/stratify.ts';
import { labelSets } from '../../src/metrics/label-sets.ts';
import { fixture, invent } from './invented.ts';

/** Mean over labels and folds of |documents of the label there - its share| over its documents; and of the folds' sizes. */
function unevenness(fold: Int32Array, sets: number[][], labels: number, shares: readonly number[]): [number, number] {
  let [byLabel, sizes] = [0, 0];
  shares.forEach((share, f) => {
    const own = sets.filter((_, row) => fold[row] === f);
    sizes += Math.abs(own.length / sets.length - share) / shares.length;
    for (let label = 0; label < labels; label++) {
      const count = (some: number[][]) => some.filter((set) => set.includes(label)).length;
      const total = count(sets);
      byLabel += Math.abs(count(own) - share * total) / Math.max(1, total) / labels / shares.length;
    }
  });
  return [byLabel, sizes];
}

test('at least as even as iterative-stratification, on every case: labels, and sizes to one document a fold', () => {
  for (const { seed, rows, labels, shares, theirs } of fixture.stratified) {
    const { truth, sets } = invent(seed, rows, 1, labels);
    const found = Array.from({ length: 10 }, (_, s) =>
      unevenness(stratifiedFolds(truth, { labels, folds: shares, seed: s }), sets, labels, shares),
    );
    const [byLabel, sizes] = [0, 1].map((k) => found.reduce((sum, own) => sum + own[k]!, 0) / found.length);
    assert.ok(byLabel! <= theirs[0], `case ${seed}: ${byLabel}, theirs ${theirs[0]}`);
    assert.ok(sizes! <= theirs[1] + 1 / rows, `case ${seed}: ${sizes}, theirs ${theirs[1]}`);
  }
});

test('groups stay whole, every document has a fold, sizes follow the shares to the largest group', () => {
  const property = fc.property(
    fc.integer({ min: 1, max: 1e6 }),
    fc.integer({ min: 2, max: 5 }),
    fc.integer({ min: 1, max: 4 }),
    (seed, folds, largest) => {
      const random = stream(seed, 'case');
      const groups = Array.from({ length: 40 }, (_, group) =>
        new Array<number>(1 + random.integer(largest)).fill(group),
      ).flat();
      const sets = groups.map(() => Array.from({ length: random.integer(4) }, () => random.integer(7)));
      const options = { labels: 7, folds, groups, seed };
      const fold = stratifiedFolds(labelSets(sets), options);
      assert.deepEqual(fold, stratifiedFolds(labelSets(sets), options));
      const of = new Map<number, number>();
      groups.forEach((group, row) => {
        assert.ok(fold[row]! >= 0 && fold[row]! < folds);
        assert.equal(fold[row], of.get(group) ?? fold[row]);
        of.set(group, fold[row]!);
      });
      const sizes = Array.from({ length: folds }, (_, f) => fold.filter((own) => own === f).length);
      for (const size of sizes) assert.ok(Math.abs(size - groups.length / folds) <= 2 * largest + 1, `${sizes}`);
    },
  );
  fc.assert(property, { numRuns: 60 });
});

test('another seed gives other folds; a label of few documents is shared out, not left in one fold', () => {
  const random = stream(1, 'rare');
  // Label 9 stands at 10 of 500 documents.
  const sets = Array.from({ length: 500 }, (_, row) => [random.integer(9), ...(row % 50 === 0 ? [9] : [])]);
  const truth = labelSets(sets);
  const [a, b] = [1, 2].map((seed) => stratifiedFolds(truth, { labels: 10, folds: 5, seed }));
  assert.notDeepEqual(a, b);
  for (let f = 0; f < 5; f++) assert.equal(sets.filter((own, row) => own.includes(9) && a![row] === f).length, 2);
});

test('wrong input is refused', () => {
  const truth = labelSets([[0], [1], [0]]);
  const code = (wanted: string) => ({ code: wanted });
  const options = { labels: 2, seed: 1 };
  assert.throws(() => stratifiedFolds(truth, { ...options, folds: 4 }), code('classify.folds'));
  assert.throws(() => stratifiedFolds(truth, { ...options, folds: 2, groups: [1, 1, 1] }), code('classify.folds'));
  assert.throws(() => stratifiedFolds(truth, { ...options, folds: 2, groups: [1, 1] }), code('classify.groups'));
  for (const folds of [1, 2.5, [1], [0.5, -0.5], [1, Number.NaN]])
    assert.throws(() => stratifiedFolds(truth, { ...options, folds }), code('classify.folds'));
});
