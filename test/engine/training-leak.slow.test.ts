/** Ten thousand steps, and hundreds of programs and trainings, leave no memory behind. */
import assert from 'node:assert/strict';
import { after, type TestContext, test } from 'node:test';
import { nodePlatform } from '../../src/base/node/platform.ts';
import {
  crossEntropy,
  type Feeds,
  gather,
  gelu,
  input,
  layerNorm,
  linear,
  mean,
  openEngine,
  parameter,
  type TrainedParameter,
} from '../../src/engine/index.ts';
import { Draw } from './ops.ts';

const engine = await openEngine(nodePlatform, { threads: 2 });
after(() => engine.close());

const [words, width, classes] = [2000, 64, 20];
const d = new Draw(1, 'conformance');
const trained = (name: string, shape: number[], rows = false): TrainedParameter => {
  const source = d.floats(shape.reduce((a, b) => a * b, 1));
  return { name, shape, decay: true, rows, value: { dtype: 'float32', shape, source } };
};
const parameters = [
  trained('words', [words, width], true),
  trained('wide', [4 * width, width]),
  trained('narrow', [width, 4 * width]),
  trained('classes', [classes, width]),
];
const embedded = gather(parameter('words', [words, width]), input('ids', 'int32', ['rows']));
const hidden = gelu(linear(embedded, parameter('wide', [4 * width, width])));
const normed = layerNorm(linear(hidden, parameter('narrow', [width, 4 * width])));
const scores = linear(normed, parameter('classes', [classes, width]));
const outputs = { loss: mean(crossEntropy(scores, input('labels', 'int32', ['rows'])), 0), scores };

/** Batches of 50 sizes: every kept result, or every session memory that grew with the sizes, would show. */
const batches: Feeds[] = Array.from({ length: 50 }, (_, i) => {
  const rows = 16 + ((37 * i) % 50) * 8;
  return {
    ids: Int32Array.from({ length: rows }, (_, row) => (row * row + 31 * i) % words),
    labels: Int32Array.from({ length: rows }, (_, row) => (row + i) % classes),
  };
});

const megabytes = () => process.memoryUsage.rss() / 2 ** 20;

/** Growth over all rounds after a warm-up, in MB. */
async function growth(t: TestContext, warm: number, rounds: number, round: (i: number) => Promise<unknown>) {
  for (let i = 0; i < warm; i++) await round(i);
  const before = megabytes();
  let half = before;
  for (let i = 0; i < rounds; i++) {
    await round(i);
    if (i === Math.floor(rounds / 2)) half = megabytes();
  }
  const end = megabytes();
  t.diagnostic(`${before.toFixed(0)} MB, half way ${half.toFixed(0)} MB, at the end ${end.toFixed(0)} MB`);
  return end - before;
}

for (const [what, options] of [
  ['one program', {}],
  ['a chain of programs', { boundaries: [embedded, hidden] }],
] as const)
  test(`10,000 steps on batches of changing size do not grow the process: ${what}`, async (t) => {
    const training = await engine.openTraining(parameters);
    const program = await training.compile(outputs, { loss: 'loss', ...options });
    const grown = await growth(t, 1000, 10_000, async (i) => {
      await program.accumulate(batches[i % batches.length]!);
      await training.update({ learningRate: 1e-4, maxNorm: 1 });
    });
    assert.equal(await training.step(), 11_000);
    await training.close();
    assert.ok(grown < 32, `grew by ${grown.toFixed(0)} MB; 10,000 kept gradients would be 1,300 MB`);
  });

test('300 programs of one training, opened and closed, do not grow the process', async (t) => {
  const training = await engine.openTraining(parameters);
  const grown = await growth(t, 100, 300, async (i) => {
    const program = await training.compile(outputs, { loss: 'loss', ...(i % 2 ? { boundaries: [hidden] } : {}) });
    await program.accumulate(batches[i % batches.length]!);
    await program.run(batches[i % batches.length]!);
    await program.close();
    await training.update({ learningRate: 1e-4 });
  });
  await training.close();
  assert.ok(grown < 64, `grew by ${grown.toFixed(0)} MB`);
});

test('200 trainings, closed without closing their programs, do not grow the process', async (t) => {
  const grown = await growth(t, 100, 200, async (i) => {
    const training = await engine.openTraining(parameters);
    const program = await training.compile(outputs, { loss: 'loss' });
    await program.accumulate(batches[i % batches.length]!);
    await training.update({ learningRate: 1e-4 });
    await training.close();
  });
  assert.ok(
    grown < 64,
    `grew by ${grown.toFixed(0)} MB; parameters and moments alone would be ${(200 * 3.4).toFixed(0)} MB`,
  );
});
