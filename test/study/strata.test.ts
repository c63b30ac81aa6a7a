/** Periods and countries: every query in one stratum, periods in order and of similar size. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { jointStatement } from '../../src/study/assemble.ts';
import { gatherRuns, gatherSmall } from '../../src/study/strata.ts';

const year = fc.option(fc.integer({ min: 1900, max: 2030 }).map(String), { nil: undefined, freq: 10 });

test('periods cover all queries once, in order, at most eight, none with too few but where there are too few', () => {
  fc.assert(
    fc.property(fc.array(year, { maxLength: 400 }), fc.integer({ min: 1, max: 20 }), (years, least) => {
      const groups = gatherRuns(years, { least, most: 8 });
      const members = [...groups.values()].flat().sort((a, b) => a - b);
      assert.deepEqual(members, [...years.keys()]);
      const periods = [...groups].filter(([name]) => name !== 'unknown');
      assert.ok(periods.length <= 8);
      let last = 0;
      for (const [name, queries] of periods) {
        const [first, end = first] = name.split('\u2013').map(Number) as [number, number?];
        assert.ok(first > last && end >= first);
        last = end;
        assert.ok(queries.length >= least || periods.length === 1);
        for (const query of queries) assert.ok(Number(years[query]) >= first && Number(years[query]) <= end);
      }
    }),
    { numRuns: 200 },
  );
});

test('few well-filled years stay single, many even ones become periods of the same size', () => {
  const few = ['2001', '2002', '2003'].flatMap((name) => Array.from({ length: 12 }, () => name));
  assert.deepEqual([...gatherRuns(few, { least: 10, most: 8 }).keys()], ['2001', '2002', '2003']);
  const many = Array.from({ length: 800 }, (_, i) => String(1980 + Math.floor(i / 20)));
  const sizes = [...gatherRuns(many, { least: 10, most: 8 }).values()].map(({ length }) => length);
  assert.deepEqual(sizes, Array(8).fill(100));
});

test('countries of few queries stand together', () => {
  const keys = [...Array(12).fill('US'), 'EP', 'JP', undefined];
  assert.deepEqual(
    [...gatherSmall(keys, 10)].map(([name, { length }]) => [name, length]),
    [
      ['US', 12],
      ['other', 3],
    ],
  );
});

test('the statement of several corpora is made once where they differ by name alone', () => {
  const of = (corpus: string, rest = 'cited') => ({
    corpus,
    statement: `Relevant are ${rest}; all other patents of "${corpus}" may be found, later ones too.`,
  });
  assert.equal(jointStatement([of('a')]), of('a').statement);
  assert.equal(
    jointStatement([of('a'), of('b')]),
    'Relevant are cited; all other patents of its own corpus ("a", "b") may be found, later ones too.',
  );
  assert.match(jointStatement([of('a'), of('b', 'coupled')]), /^a: Relevant are cited.* b: Relevant are coupled/);
});
