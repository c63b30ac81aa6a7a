/** Names like a mistyped one. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { editDistance, nearest } from '../../src/base/nearest.ts';

const ids = ['sentence-transformers/all-MiniLM-L6-v2', 'sentence-transformers/all-mpnet-base-v2', 'intfloat/e5-base'];

test('the name meant comes first; nothing comes for a name like none', () => {
  assert.equal(nearest('all-minlm-l6-v2', ids)[0], ids[0]);
  assert.equal(nearest('sentence-transformer/all-mpnet-base-v2', ids)[0], ids[1]);
  assert.equal(nearest('MiniLM', ids)[0], ids[0], 'a part of the name');
  assert.equal(nearest('someone/e5-bas', ids)[0], ids[2]);
  assert.deepEqual(nearest('sentence-transformers/zebra', ids), [], 'the owner alone is no likeness');
});

test('the edit distance is a metric, and known words have the known values', () => {
  assert.deepEqual([editDistance('kitten', 'sitting'), editDistance('', 'abc'), editDistance('a', 'a')], [3, 3, 0]);
  const word = fc.string({ maxLength: 8 });
  fc.assert(
    fc.property(word, word, word, (a, b, c) => {
      assert.equal(editDistance(a, b), editDistance(b, a));
      assert.equal(editDistance(a, b) === 0, a === b);
      assert.ok(editDistance(a, c) <= editDistance(a, b) + editDistance(b, c));
    }),
  );
});
