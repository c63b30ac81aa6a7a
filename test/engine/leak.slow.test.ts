/** Thousands of runs, and hundreds of programs, leave no memory behind. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { nodePlatform } from '../../src/base/node/platform.ts';
import { type Feeds, input, linear, openEngine, type Program, parameter } from '../../src/engine/index.ts';
import { Draw } from './ops.ts';

const engine = await openEngine(nodePlatform, { threads: 2 });
after(() => engine.close());

const width = 256;
const y = linear(input('x', 'float32', ['rows', width]), parameter('w', [width, width]));
const d = new Draw(1, 'conformance');
const parameters = {
  w: { dtype: 'float32' as const, shape: [width, width], source: d.floats(width * width) },
};

async function growth(warm: number, rounds: number, round: (i: number) => Promise<void>): Promise<number> {
  for (let i = 0; i < warm; i++) await round(i);
  const before = process.memoryUsage.rss();
  for (let i = 0; i < rounds; i++) await round(i);
  return (process.memoryUsage.rss() - before) / 2 ** 20;
}

test('5,000 runs of changing size do not grow the process', async () => {
  const program: Program = await engine.compile({ y }, { parameters });
  const feeds: Feeds[] = Array.from({ length: 50 }, (_, i) => ({ x: d.floats((10 + 7 * i) * width) }));
  const grown = await growth(1000, 5000, async (i) => {
    await program.run(feeds[i % feeds.length]!);
  });
  await program.close();
  assert.ok(grown < 64, `grew by ${grown.toFixed(0)} MB, 5,000 kept results would be 900 MB`);
});

test('300 programs opened and closed do not grow the process', async () => {
  const grown = await growth(100, 300, async () => {
    const program = await engine.compile({ y }, { parameters });
    await program.run({ x: d.floats(width) });
    await program.close();
  });
  assert.ok(grown < 64, `grew by ${grown.toFixed(0)} MB, 300 kept weights would be 75 MB`);
});
