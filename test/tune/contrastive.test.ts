/** Contrastive fine-tuning against PyTorch, and the cached gradient against that of the whole batch. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { nodePlatform } from '../../src/base/node/platform.ts';
import { openEngine } from '../../src/engine/index.ts';
import { loadAdapter } from '../../src/model/index.ts';
import { openTrainable } from '../../src/model/trainable.ts';
import { withAdapter } from '../../src/model/trainable-lora.ts';
import { schedule } from '../../src/train/schedule.ts';
import { compileGradient } from '../../src/tune/contrastive.ts';
import { fixtureFolder } from '../model/fixtures.ts';
import { pairBatch, trainingFixture, trainingFixtures, trainingFolder } from '../support/pair-batches.ts';

async function opened(name: string, chunked: boolean, { hardNegatives = false, adapter = '' } = {}) {
  const base = await openTrainable(nodePlatform, fixtureFolder(name), { pooling: 'mean' });
  const model =
    adapter === ''
      ? base
      : withAdapter(base, await loadAdapter(nodePlatform.files, join(trainingFolder, adapter), base.parts.specs));
  const engine = await openEngine(nodePlatform, { threads: 1 });
  const training = await engine.openTraining(model.trained);
  const gradient = await compileGradient(engine, training, model, { hardNegatives }, chunked);
  return { model, engine, training, gradient };
}

/** Trains as the fixture says; every loss and norm must be PyTorch's. */
async function follow(fixture: string, { engine, training, gradient }: Awaited<ReturnType<typeof opened>>) {
  const { settings, batches, losses, norms } = trainingFixture(fixture);
  const factor = schedule({ kind: 'linear', steps: settings.steps, warmupSteps: settings.warmup });
  try {
    for (let step = 1; step <= settings.steps; step++) {
      const loss = await gradient(pairBatch(batches[(step - 1) % batches.length]!), Number.POSITIVE_INFINITY);
      const { gradientNorm } = await training.update({
        learningRate: settings.learningRate * factor(step),
        maxNorm: 1,
        weightDecay: settings.weightDecay,
      });
      const [expected, norm] = [losses[step - 1]!, norms[step - 1]!];
      assert.ok(Math.abs(loss - expected) <= 1e-5 * expected, `step ${step}: loss ${loss}, not ${expected}`);
      assert.ok(Math.abs(gradientNorm - norm) <= 1e-4 * norm, `step ${step}: norm ${gradientNorm}, not ${norm}`);
    }
  } finally {
    await engine.close();
  }
}

for (const name of trainingFixtures)
  test(`${name}: losses and norms of 50 steps as PyTorch's, within 1e-5`, async () => {
    await follow(name, await opened(name, false));
  });

test("hard negatives: losses and norms of 50 steps as sentence-transformers', within 1e-5", async () => {
  await follow('mpnet-negatives', await opened('mpnet', false, { hardNegatives: true }));
});

for (const name of ['roberta', 'modernbert'])
  test(`${name} with LoRA: losses and norms of 50 steps as peft's, within 1e-5; the model itself stays as it was`, async () => {
    const setup = await opened(name, false, { adapter: `${name}-lora` });
    assert.ok(setup.model.trained.every(({ name: parameter }) => /\.lora_[AB]\.weight$/.test(parameter)));
    await follow(`${name}-lora`, setup);
  });

for (const hardNegatives of [false, true])
  test(`the cached gradient in chunks is that of the whole batch, ${hardNegatives ? 'hard negatives' : 'repeated tokens'} and all`, async () => {
    const fixture = trainingFixture(hardNegatives ? 'mpnet-negatives' : 'mpnet');
    const whole = await opened('mpnet', false, { hardNegatives });
    const cached = await opened('mpnet', true, { hardNegatives });
    try {
      for (const batch of fixture.batches.slice(0, 2)) {
        const losses = [
          await whole.gradient(pairBatch(batch), Number.POSITIVE_INFINITY),
          await cached.gradient(pairBatch(batch), 2), // 8 chunks, or 12
        ];
        assert.ok(Math.abs(losses[0]! - losses[1]!) <= 1e-5 * losses[0]!, `${losses}`);
      }
      let largest = 0;
      for (const { name } of whole.model.trained) {
        const [a, b] = [await whole.training.readGradient(name), await cached.training.readGradient(name)];
        const peak = a.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
        a.forEach((value, i) => {
          assert.ok(Math.abs(value - b[i]!) <= 1e-5 * Math.max(1, peak), `${name}[${i}]: ${value} and ${b[i]}`);
        });
        largest = Math.max(largest, peak);
      }
      assert.ok(largest > 0.01, 'there is a gradient');
    } finally {
      await whole.engine.close();
      await cached.engine.close();
    }
  });
