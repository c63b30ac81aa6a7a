import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RandomStream, stream } from '../../src/base/random.ts';

test('equal names give equal streams, other names others', () => {
  const take = (draw: RandomStream) => Array.from({ length: 8 }, () => draw.uint32());
  assert.deepEqual(take(stream(1, 'a', 2)), take(stream(1, 'a', 2)));
  assert.notDeepEqual(take(stream(1, 'a', 2)), take(stream(1, 'a2')));
  assert.notDeepEqual(take(stream(1, 'a')), take(stream(2, 'a')));
});

test("xoshiro128** gives the reference sequence of its authors' code for state 1, 2, 3, 4", () => {
  const draw = new RandomStream([1, 2, 3, 4]);
  assert.deepEqual(
    Array.from({ length: 4 }, () => draw.uint32()),
    [11520, 0, 5927040, 70819200],
  );
});

test('filling gives what single calls give, and the stream goes on after them', () => {
  const [one, two] = [stream(5, 'fill'), stream(5, 'fill')];
  const filled = new Uint32Array(37);
  one.fill(filled);
  assert.deepEqual(
    [...filled, one.uint32()],
    Array.from({ length: 38 }, () => two.uint32()),
  );
});

test('a saved state goes on with the same sequence', () => {
  const one = stream(5, 'x');
  for (let i = 0; i < 10; i++) one.normal();
  const two = new RandomStream(one.state);
  for (let i = 0; i < 10; i++) assert.equal(two.uniform(), one.uniform());
});

test('uniform, normal and integer have the right moments', () => {
  const draw = stream(11, 'moments');
  const n = 200_000;
  let [sum, square] = [0, 0];
  const counts = new Array<number>(7).fill(0);
  for (let i = 0; i < n; i++) {
    const x = draw.normal();
    sum += x;
    square += x * x;
    counts[draw.integer(7)]!++;
  }
  assert.ok(Math.abs(sum / n) < 0.01);
  assert.ok(Math.abs(square / n - 1) < 0.02);
  for (const count of counts) assert.ok(Math.abs(count / n - 1 / 7) < 0.004);
});
