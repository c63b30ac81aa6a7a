import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ahead } from '../../src/encode/ahead.ts';
import { planBatches, windowsOf } from '../../src/encode/plan.ts';

async function allOf<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

test('a plan holds every row once, within the budget, longest first', () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 0, max: 600 }), { maxLength: 300 }),
      fc.integer({ min: 1, max: 5000 }),
      (lengths, budget) => {
        const batches = planBatches(lengths, budget);
        const rows = batches.flatMap((batch) => [...batch]);
        assert.deepEqual(
          [...rows].sort((a, b) => a - b),
          lengths.map((_, row) => row),
        );
        for (const batch of batches) {
          const longest = Math.max(...[...batch].map((row) => lengths[row]!));
          assert.ok(batch.length === 1 || batch.length * longest <= budget);
        }
        for (let i = 1; i < rows.length; i++) {
          const [a, b] = [rows[i - 1]!, rows[i]!];
          assert.ok(lengths[a]! > lengths[b]! || (lengths[a] === lengths[b] && a < b));
        }
      },
    ),
    { seed: 1 },
  );
});

test('windows keep the order, start small, and close early where texts are long', async () => {
  const sizes = async (texts: Iterable<string>) => {
    const windows = await allOf(windowsOf(texts));
    let row = 0;
    for (const { start, texts } of windows) {
      assert.equal(start, row);
      row += texts.length;
    }
    return windows.map(({ texts }) => texts.length);
  };
  assert.deepEqual(await sizes(Array.from({ length: 4000 }, (_, i) => `${i}`)), [128, 256, 512, 1024, 1024, 1024, 32]);
  assert.deepEqual(await sizes(['x'.repeat(8_000_000), 'a', 'b']), [1, 2]);
  assert.deepEqual(await sizes([]), []);
});

test('a corpus that grew keeps its earlier windows', async () => {
  const texts = Array.from({ length: 1500 }, (_, i) => `text ${i}`);
  const before = await allOf(windowsOf(texts));
  const after = await allOf(windowsOf([...texts, 'more']));
  assert.deepEqual(after.slice(0, before.length - 1), before.slice(0, -1));
});

test('ahead keeps the order, works in advance, and reports an error in its turn', async () => {
  const made: number[] = [];
  async function* numbers() {
    for (let i = 0; i < 5; i++) {
      made.push(i);
      yield i;
    }
    throw new Error('end');
  }
  const seen: number[] = [];
  await assert.rejects(async () => {
    for await (const item of ahead(numbers(), 2)) {
      if (item === 0) await new Promise((resolve) => setTimeout(resolve, 10));
      if (item === 0) assert.ok(made.length >= 3);
      seen.push(item);
    }
  }, /end/);
  assert.deepEqual(seen, [0, 1, 2, 3, 4]);
});

test('ahead ends its source when the loop is left early', async () => {
  let ended = false;
  async function* endless() {
    try {
      for (let i = 0; ; i++) yield i;
    } finally {
      ended = true;
    }
  }
  for await (const item of ahead(endless(), 2)) if (item === 3) break;
  assert.ok(ended);
});
