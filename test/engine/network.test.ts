/** Layers that make their own parameters: what they list, what they start as, and that they learn. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { nodePlatform } from '../../src/base/node/platform.ts';
import { crossEntropy, input, linear, mean, network, openEngine, tanh } from '../../src/engine/index.ts';

const engine = await openEngine(nodePlatform, { threads: 1 });
after(() => engine.close());

function classifier(seed: number, { middle = false } = {}) {
  const net = network(seed);
  let x = net.layerNorm(net.embedding(input('ids', 'int32', ['rows']), 'words', 12, 8), 'norm');
  if (middle) x = tanh(net.linear(x, 'middle', 8));
  const scores = net.linear(x, 'scores', 3, { bias: false });
  return { net, scores, loss: mean(crossEntropy(scores, input('labels', 'int32', ['rows'])), 0) };
}

test('parameters by name: shapes, what decays, tables by rows', () => {
  const { parameters } = classifier(1, { middle: true }).net;
  assert.deepEqual(
    parameters.map(({ name, shape, decay, rows = false }) => [name, shape, decay, rows]),
    [
      ['words.weight', [12, 8], true, true],
      ['norm.weight', [8], false, false],
      ['norm.bias', [8], false, false],
      ['middle.weight', [8, 8], true, false],
      ['middle.bias', [8], false, false],
      ['scores.weight', [3, 8], true, false],
    ],
  );
  const start = (name: string) => parameters.find((one) => one.name === name)!.value.source as Float32Array;
  assert.ok(start('norm.weight').every((value) => value === 1));
  assert.ok(start('middle.bias').every((value) => value === 0));
  const bound = Math.sqrt(6 / 16);
  assert.ok(start('middle.weight').every((value) => Math.abs(value) <= bound));
  assert.ok(start('middle.weight').some((value) => value > bound / 2));
  assert.ok(start('middle.weight').some((value) => value < -bound / 2));
});

test('a start depends on seed and name alone', () => {
  const start = (seed: number, middle: boolean) =>
    classifier(seed, { middle }).net.parameters.find(({ name }) => name === 'scores.weight')!.value.source;
  assert.deepEqual(start(1, false), start(1, true));
  assert.notDeepEqual(start(1, false), start(2, false));
});

test('it learns: each word its label', async () => {
  const { net, scores, loss } = classifier(3);
  const training = await engine.openTraining(net.parameters);
  const learn = await training.compile({ loss }, { loss: 'loss' });
  const ids = Int32Array.from({ length: 12 }, (_, id) => id);
  for (let step = 0; step < 60; step++) {
    await learn.accumulate({ ids, labels: ids.map((id) => (id * id) % 3) });
    await training.update({ learningRate: 0.05 });
  }
  const found = (await (await training.compile({ scores })).run({ ids })).scores!.floats;
  for (const id of ids) {
    const row = [...found.subarray(3 * id, 3 * id + 3)];
    assert.equal(row.indexOf(Math.max(...row)), (id * id) % 3);
  }
  await training.close();
});

test('two parameters of one name, and a width without a number, are refused', () => {
  const net = network(1);
  const x = input('x', 'float32', ['rows', 2]);
  net.linear(x, 'layer', 2);
  assert.throws(() => net.linear(x, 'layer', 2), { code: 'engine.graph' });
  assert.throws(() => net.linear(linear(x, input('w', 'float32', ['wide', 2])), 'next', 2), { code: 'engine.graph' });
});
