/** Scores as they are printed in runs. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { digits } from '../../src/study/rankings.ts';

test('a printed score reads back as the same 32-bit float', () => {
  const readsBack = (score: number) =>
    assert.equal(Math.fround(Number(digits(score))) + 0, score + 0, `${score} was printed as ${digits(score)}`);
  fc.assert(fc.property(fc.float({ noNaN: true }), readsBack), { numRuns: 2000 });
  fc.assert(fc.property(fc.float({ noNaN: true, min: -5000, max: 5000 }), readsBack), { numRuns: 2000 });
  // Where the number of decimals changes, and the floats beside.
  const float = new Float32Array(1);
  const bits = new Int32Array(float.buffer);
  for (let power = -8; power <= 14; power++)
    for (let step = -2000; step <= 2000; step++) {
      float[0] = 2 ** power;
      bits[0]! += step;
      readsBack(float[0]!);
      readsBack(-float[0]!);
    }
  assert.equal(digits(0), '0');
  assert.equal(digits(12.5), '12.5000000');
});
