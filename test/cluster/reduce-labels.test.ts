import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { labelRules, reduceLabels } from '../../src/cluster/reduce-labels.ts';
import { labelSets } from '../../src/metrics/label-sets.ts';

// Frequencies: 0 four times, 1 twice, 2 three times, 7 once.
const documents = [[0, 2], [2], [], [1, 0, 7], [0, 1], [0, 2], []];
const sets = labelSets(documents);
const first = Int32Array.from([2, 2, -1, 1, 0, 2, -1]);

test('each rule takes the label it says', () => {
  const reduced = (rule: (typeof labelRules)[number]) => {
    const { rows, truth, codes } = reduceLabels(sets, { rule, first });
    return Object.fromEntries(Array.from(rows, (row, i) => [row, codes[truth[i]!]!]));
  };
  assert.deepEqual(reduced('single'), { 1: 2 });
  assert.deepEqual(reduced('first'), { 0: 2, 1: 2, 3: 1, 4: 0, 5: 2 });
  assert.deepEqual(reduced('frequent'), { 0: 0, 1: 2, 3: 0, 4: 0, 5: 0 });
  assert.deepEqual(reduced('rare'), { 0: 2, 1: 2, 3: 7, 4: 1, 5: 2 });
});

test('small labels go with their documents, and everything is counted', () => {
  const found = reduceLabels(sets, { rule: 'rare', least: 2 });
  assert.deepEqual(found, {
    rule: 'rare',
    least: 2,
    rows: Int32Array.of(0, 1, 5),
    truth: Int32Array.of(0, 0, 0),
    codes: Int32Array.of(2),
    documents: { all: 7, unlabelled: 2, several: 0, small: 2, kept: 3 },
    labels: { used: 3, dropped: 2 },
  });
  const single = reduceLabels(sets, { rule: 'single' });
  assert.deepEqual(single.documents, { all: 7, unlabelled: 2, several: 4, small: 0, kept: 1 });
});

test('for any labels: own labels, numbered without gaps, none smaller than asked', () => {
  fc.assert(
    fc.property(
      fc.array(fc.array(fc.integer({ min: 0, max: 8 }), { maxLength: 4 }), { minLength: 1, maxLength: 40 }),
      fc.constantFrom(...labelRules),
      fc.integer({ min: 1, max: 5 }),
      (lists, rule, least) => {
        const given = Int32Array.from(lists, (list) => list[0] ?? -1);
        const found = reduceLabels(labelSets(lists), { rule, first: given, least });
        const sizes = new Int32Array(found.codes.length);
        found.rows.forEach((row, i) => {
          assert.ok(lists[row]!.includes(found.codes[found.truth[i]!]!));
          sizes[found.truth[i]!]!++;
        });
        assert.ok(sizes.every((size) => size >= least));
        const { all, unlabelled, several, small, kept } = found.documents;
        assert.equal(all, unlabelled + several + small + kept);
        assert.equal(kept, found.rows.length);
      },
    ),
  );
});

test('a rule that cannot be followed is refused', () => {
  assert.throws(() => reduceLabels(sets, { rule: 'first' }), /cannot be reduced/);
  assert.throws(() => reduceLabels(sets, { rule: 'first', first: Int32Array.of(0) }), /cannot be reduced/);
  assert.throws(() => reduceLabels(sets, { rule: 'first', first: new Int32Array(7).fill(5) }), /cannot be reduced/);
  assert.throws(() => reduceLabels(sets, { rule: 'best' as never }), /cannot be reduced/);
  assert.throws(() => reduceLabels(sets, { rule: 'rare', least: 0 }), /cannot be reduced/);
});
