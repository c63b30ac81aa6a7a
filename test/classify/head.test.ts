/** Heads: the linear one reaches logistic regression's loss, the perceptron what no line can; early stopping; seeds. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { nodePlatform } from '../../src/base/node/platform.ts';
import { stream } from '../../src/base/random.ts';
import { type HeadOptions, predictHead, trainHead } from '../../src/classify/head.ts';
import { predictLogistic, trainLogistic } from '../../src/classify/logistic.ts';
import { openEngine } from '../../src/engine/index.ts';
import { type LabelSets, labelSets } from '../../src/metrics/label-sets.ts';
import { apart, invent } from './invented.ts';

const engine = await openEngine(nodePlatform, { threads: 1 });
after(() => engine.close());
const base = { engine, platform: nodePlatform, seed: 1 };

/** Mean over rows and labels of the binary cross-entropy, in float64. */
function loss(probabilities: Float32Array, truth: LabelSets, labels: number): number {
  let sum = 0;
  for (let row = 0; row + 1 < truth.offsets.length; row++) {
    const own = new Set(truth.codes.subarray(truth.offsets[row], truth.offsets[row + 1]));
    for (let label = 0; label < labels; label++) {
      const p = probabilities[row * labels + label]!;
      sum -= Math.log(Math.max(1e-12, own.has(label) ? p : 1 - p));
    }
  }
  return sum / (truth.offsets.length - 1) / labels;
}

test('the linear head comes to the loss of unpenalised logistic regression, within a hundredth', async () => {
  const { features, truth } = invent(1, 400, 10, 6);
  const options: HeadOptions = {
    ...base,
    labels: 6,
    head: { kind: 'linear' },
    learningRate: 0.05,
    weightDecay: 1e-6,
    epochs: 60,
    patience: 60,
  };
  const fit = await trainHead(features, truth, options);
  const own = loss(await predictHead(fit.model, features, { engine }), truth, 6);
  const best = await trainLogistic(features, truth, {
    engine,
    labels: 6,
    C: 1e4,
    tolerance: 1e-6,
    maxIterations: 1000,
  });
  const least = loss(await predictLogistic(best.model, features, { engine }), truth, 6);
  assert.ok(own < least * 1.03 + 0.003, `${own}, logistic regression ${least}`);
});

test('with the defaults, hundreds of rows and rare labels: no worse than logistic regression, better than the shares alone', async () => {
  const random = stream(6, 'rare labels');
  const [labels, dimensions] = [40, 64];
  const topics = Array.from({ length: labels * dimensions }, () => random.normal());
  const draw = (rows: number) => {
    const sets = Array.from({ length: rows }, () => [0, 1].map(() => Math.floor(labels * random.uniform() ** 2)));
    const vectors = new Float32Array(rows * dimensions);
    sets.forEach((own, row) => {
      const vector = vectors.subarray(row * dimensions, (row + 1) * dimensions);
      // Directions vary less and less, as those of embeddings do.
      for (let i = 0; i < dimensions; i++)
        vector[i] =
          (own.reduce((sum, label) => sum + topics[label * dimensions + i]!, 0) + 4 * random.normal()) /
          (1 + (8 * i) / dimensions);
      const length = Math.hypot(...vector);
      for (let i = 0; i < dimensions; i++) vector[i]! /= length;
    });
    return { features: { vectors, dimensions }, truth: labelSets(sets) };
  };
  const [train, test] = [draw(500), draw(1000)];
  const share = new Float32Array(labels);
  for (const code of train.truth.codes) share[code]! += 1 / 500;
  const prior = loss(
    Float32Array.from({ length: 1000 * labels }, (_, i) => share[i % labels]!),
    test.truth,
    labels,
  );
  const best = await trainLogistic(train.features, train.truth, { engine, labels });
  const least = loss(await predictLogistic(best.model, test.features, { engine }), test.truth, labels);
  for (const head of [{ kind: 'linear' }, { kind: 'mlp', dropout: 0.1 }] as const) {
    const fit = await trainHead(train.features, train.truth, { ...base, labels, head });
    const own = loss(await predictHead(fit.model, test.features, { engine }), test.truth, labels);
    assert.equal(fit.stopped, 'early', head.kind);
    assert.ok(own < least * 1.02, `${head.kind} ${own}, logistic regression ${least}`);
    assert.ok(own < 0.9 * prior, `${head.kind} ${own}, shares ${prior}`);
    const limited = await trainHead(train.features, train.truth, { ...base, labels, head, epochs: 2 });
    assert.deepEqual([limited.stopped, limited.epochs.length], ['end', 2]);
  }
});

test('the perceptron learns what no line parts: exclusive or, with both activations and with dropout', async () => {
  const random = stream(4, 'xor');
  const vectors = Float32Array.from({ length: 2 * 600 }, () => 2 * random.uniform() - 1);
  const truth = labelSets(
    Array.from({ length: 600 }, (_, row) => (vectors[2 * row]! * vectors[2 * row + 1]! > 0 ? [0] : [1])),
  );
  const features = { vectors, dimensions: 2 };
  const right = (scores: Float32Array) =>
    [...truth.codes].filter((code, row) => scores[row * 2 + code]! > scores[row * 2 + 1 - code]!).length / 600;
  const options = { ...base, labels: 2, task: 'multi-class' as const, learningRate: 0.04, epochs: 20 };
  const line = await trainHead(features, truth, { ...options, head: { kind: 'linear' } });
  assert.ok(right(await predictHead(line.model, features, { engine })) < 0.7);
  for (const activation of ['gelu', 'relu'] as const)
    for (const dropout of [0, 0.2]) {
      const fit = await trainHead(features, truth, {
        ...options,
        head: { kind: 'mlp', hidden: 32, activation, dropout },
      });
      const probabilities = await predictHead(fit.model, features, { engine });
      assert.ok(right(probabilities) > 0.93, `${activation}, ${dropout}: ${right(probabilities)}`);
      for (let row = 0; row < 600; row++)
        assert.ok(Math.abs(probabilities[2 * row]! + probabilities[2 * row + 1]! - 1) < 1e-6);
    }
});

test('stops early on noise, with the weights of the lowest held-out loss', async () => {
  const random = stream(5, 'noise');
  const vectors = Float32Array.from({ length: 30 * 200 }, () => random.normal());
  const truth = labelSets(Array.from({ length: 200 }, () => [random.integer(3)]));
  const features = { vectors, dimensions: 30 };
  const options = {
    ...base,
    labels: 3,
    head: { kind: 'mlp' as const, hidden: 64 },
    learningRate: 0.01,
    patience: 3,
    heldOut: 0.3,
  };
  const fit = await trainHead(features, truth, options);
  assert.equal(fit.stopped, 'early');
  const losses = fit.epochs.map(({ heldOutLoss }) => heldOutLoss);
  // The last fall that was notable: nothing after it is lower by a thousandth.
  assert.ok(Math.min(...losses) >= losses[fit.best - 1]! * (1 - 1e-3));
  assert.ok(losses.slice(0, fit.best - 1).every((loss) => loss > losses[fit.best - 1]!));
  assert.equal(losses.length, fit.best + 3);
  const shorter = await trainHead(features, truth, { ...options, epochs: fit.best });
  assert.deepEqual(shorter.model, fit.model, 'the weights are those of the best epoch');
});

test('a seed gives the same bytes, another seed others; families are held out whole', async () => {
  const { features, truth } = invent(7, 200, 8, 5);
  const options: HeadOptions = { ...base, labels: 5, head: { kind: 'mlp', hidden: 16, dropout: 0.1 }, epochs: 3 };
  const [a, b, c] = [
    await trainHead(features, truth, options),
    await trainHead(features, truth, options),
    await trainHead(features, truth, { ...options, seed: 2 }),
  ];
  assert.deepEqual(a, b);
  assert.ok(apart(a.model.layers[0]!.weight, c.model.layers[0]!.weight) > 1e-3);
  const one = { ...options, groups: new Int32Array(200) };
  await assert.rejects(trainHead(features, truth, one), { code: 'classify.folds' });
});

test('constant columns and a label of no document leave only numbers', async () => {
  const { features, truth } = invent(8, 150, 6, 5);
  for (let at = 0; at < features.vectors.length; at += 6) features.vectors[at] = 0.25;
  const fit = await trainHead(features, truth, {
    ...base,
    labels: 5,
    head: { kind: 'linear' },
    epochs: 60,
    learningRate: 0.05,
  });
  const probabilities = await predictHead(fit.model, features, { engine });
  assert.ok(probabilities.every((value) => value >= 0 && value <= 1));
  for (let row = 0; row < 150; row++) assert.ok(probabilities[row * 5 + 4]! < 0.2, 'of no document');
});

test('wrong input is refused', async () => {
  const { features, truth } = invent(9, 20, 4, 4);
  const options: HeadOptions = { ...base, labels: 4, head: { kind: 'linear' }, epochs: 1 };
  const code = (wanted: string) => ({ code: wanted });
  await assert.rejects(trainHead(features, truth, { ...options, epochs: 0 }), code('classify.option'));
  await assert.rejects(trainHead(features, truth, { ...options, halveAfter: 0 }), code('classify.option'));
  await assert.rejects(trainHead(features, truth, { ...options, leastGain: 0 }), code('classify.option'));
  await assert.rejects(trainHead(features, truth, { ...options, heldOut: 1 }), code('classify.heldOut'));
  await assert.rejects(trainHead(features, truth, { ...options, task: 'multi-class' }), code('classify.classes'));
  const broken = { ...features, vectors: features.vectors.map((value, i) => (i === 5 ? Number.NaN : value)) };
  await assert.rejects(trainHead(broken, truth, options), code('classify.finite'));
  const { model } = await trainHead(features, truth, options);
  await assert.rejects(predictHead(model, { ...features, dimensions: 8 }, { engine }), code('classify.dimensions'));
});
