/** Fine-tuning with layers computed a second time: the gradient of a training that keeps them, dropout, chunks and adapters and all. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nodePlatform } from '../../src/base/node/platform.ts';
import { openEngine } from '../../src/engine/index.ts';
import { createAdapter } from '../../src/model/lora.ts';
import { openTrainable } from '../../src/model/trainable.ts';
import { withAdapter } from '../../src/model/trainable-lora.ts';
import { compileGradient } from '../../src/tune/contrastive.ts';
import { fixtureFolder } from '../model/fixtures.ts';
import { pairBatch, trainingFixture } from '../support/pair-batches.ts';

for (const { name, lora, chunk } of [
  { name: 'roberta', lora: false, chunk: Number.POSITIVE_INFINITY },
  { name: 'modernbert', lora: true, chunk: Number.POSITIVE_INFINITY },
  { name: 'roberta', lora: true, chunk: 3 },
  { name: 'modernbert', lora: false, chunk: 3 },
] as const)
  test(`${name}${lora ? ' with LoRA' : ''}${chunk < 9 ? ' in chunks' : ''}: the same bits`, async () => {
    const base = await openTrainable(nodePlatform, fixtureFolder(name), { pooling: 'mean' });
    const model = lora ? withAdapter(base, createAdapter(base.parts.specs, { rank: 4, dropout: 0.1, seed: 1 })) : base;
    const engine = await openEngine(nodePlatform, { threads: 1 });
    try {
      const [kept, again] = await Promise.all(
        [false, true].map(async (recompute) => {
          const training = await engine.openTraining(model.trained);
          const options = { dropout: 0.1, recompute };
          return { training, gradient: await compileGradient(engine, training, model, options, chunk < 9) };
        }),
      );
      for (const [step, pairs] of trainingFixture(name).batches.slice(0, 3).entries()) {
        const batch = pairBatch(pairs);
        const samples = batch.sequences.map((_, i) => i);
        const losses = [];
        for (const { training, gradient } of [kept!, again!]) {
          losses.push(await gradient({ ...batch, draws: { seed: 3, step, samples } }, chunk));
          for (const { name: parameter } of model.trained) {
            const gradientOfIt = await training.readGradient(parameter);
            assert.ok(gradientOfIt.every(Number.isFinite));
            assert.deepEqual(gradientOfIt, await kept!.training.readGradient(parameter), parameter);
          }
        }
        assert.equal(losses[0], losses[1]);
        for (const { training } of [kept!, again!]) await training.update({ learningRate: 1e-3, maxNorm: 1 });
      }
    } finally {
      await engine.close();
    }
  });
