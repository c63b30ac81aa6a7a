/** Batches: every example once, no two that share a key, the same after any interruption. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { stream } from '../../src/base/random.ts';
import { BatchSampler, type SamplerOptions } from '../../src/train/sampler.ts';

const once = ({ batches, leftOut }: ReturnType<BatchSampler['epoch']>, examples: number) => {
  const all = [...batches.flatMap((batch) => [...batch]), ...leftOut].sort((a, b) => a - b);
  assert.deepEqual(
    all,
    Array.from({ length: examples }, (_, i) => i),
  );
};

test('every example stands once; without keys all batches but the last are full', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 90 }),
      fc.integer({ min: 1, max: 17 }),
      fc.constantFrom('keep' as const, 'drop' as const, { fewest: 3 }),
      fc.nat(1000),
      (examples, batchSize, last, seed) => {
        const fewest = last === 'keep' ? 1 : last === 'drop' ? batchSize : Math.min(3, batchSize);
        const options: SamplerOptions = { examples, batchSize, last, seed };
        if (examples < fewest) {
          assert.throws(() => new BatchSampler(options), /fewer examples/);
          return;
        }
        const epoch = new BatchSampler(options).epoch(2);
        once(epoch, examples);
        assert.ok(epoch.batches.slice(0, -1).every((batch) => batch.length === batchSize));
        assert.ok(epoch.batches.every((batch) => batch.length >= fewest));
        assert.ok(epoch.leftOut.length < fewest);
      },
    ),
    { numRuns: 100 },
  );
});

test('no batch holds two examples that share a key; what does not fit is reported', () => {
  fc.assert(
    fc.property(fc.nat(1000), fc.integer({ min: 1, max: 12 }), fc.integer({ min: 2, max: 40 }), (seed, size, kinds) => {
      const random = stream(seed, 'keys');
      const keys = Array.from({ length: 120 }, () => [random.integer(kinds), `text ${random.integer(200)}`]);
      const options: SamplerOptions = { examples: 120, batchSize: size, seed, keys: (example) => keys[example]! };
      for (const last of ['drop', 'keep'] as const) {
        const epoch = new BatchSampler({ ...options, last }).epoch(0);
        once(epoch, 120);
        for (const batch of epoch.batches) {
          const all = [...batch].flatMap((example) => keys[example]!);
          assert.equal(new Set(all).size, all.length);
          if (last === 'drop') assert.equal(batch.length, size);
        }
        if (last === 'keep') assert.equal(epoch.leftOut.length, 0);
      }
    }),
    { numRuns: 60 },
  );
});

test('an example that waits comes first in the next batch', () => {
  const families = [0, 0, 1, 2, 3, 4, 5, 6];
  const { batches, leftOut } = new BatchSampler({
    examples: 8,
    batchSize: 3,
    seed: 1,
    shuffle: false,
    keys: (example) => [families[example]!],
  }).epoch(0);
  assert.deepEqual(
    batches.map((batch) => [...batch]),
    [
      [0, 2, 3],
      [1, 4, 5],
    ],
  );
  assert.deepEqual([...leftOut], [6, 7]);
});

test('batches follow from seed and index alone, whatever was asked before', () => {
  const options: SamplerOptions = { examples: 53, batchSize: 8, seed: 4, keys: (example) => [example % 30] };
  const walked = new BatchSampler(options);
  const sequence = Array.from({ length: 40 }, (_, i) => walked.batch(i));
  for (const index of [39, 0, 17, 6, 25]) assert.deepEqual(new BatchSampler(options).batch(index), sequence[index]);
  const orders = new Set(sequence.map(({ examples }) => examples.join()));
  assert.equal(orders.size, 40, 'epochs differ');
  assert.notDeepEqual(new BatchSampler({ ...options, seed: 5 }).batch(0), sequence[0]);
});

test('examples that all share a key fill no batch of two', () => {
  const sampler = new BatchSampler({ examples: 9, batchSize: 2, seed: 1, keys: () => ['same'] });
  assert.equal(sampler.epoch(0).leftOut.length, 9);
  assert.throws(() => sampler.batch(0), /share a key/);
});
