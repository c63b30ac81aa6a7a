/** Dropout in the models: where transformers drops, by the checkpoint's rates, the same whatever the batch. */
import assert from 'node:assert/strict';
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { nodePlatform } from '../../src/base/node/platform.ts';
import { inOrder, type Tensor } from '../../src/engine/graph.ts';
import { exp, multiply, openEngine, sum } from '../../src/engine/index.ts';
import { batchFeeds } from '../../src/model/batch.ts';
import { drops, type ForwardContext, floatContext, trainingContext } from '../../src/model/forward.ts';
import { createAdapter } from '../../src/model/lora.ts';
import { openTrainable } from '../../src/model/trainable.ts';
import { withAdapter } from '../../src/model/trainable-lora.ts';
import { compileGradient } from '../../src/tune/contrastive.ts';
import { fixtureFolder, largestDifference, names } from '../model/fixtures.ts';
import { pairBatch, trainingFixture } from '../support/pair-batches.ts';
import { scratch } from '../support/scratch.ts';

const open = (name: string) => openTrainable(nodePlatform, fixtureFolder(name), { pooling: 'mean' });
const engine = await openEngine(nodePlatform, { threads: 1 });
const oracle = await openEngine(nodePlatform, { backend: 'reference' });
after(() => engine.close());
const sequences = [Int32Array.of(2, 9, 8, 7, 9, 9, 3), Int32Array.of(2, 30, 3), Int32Array.of(2, 9, 8, 11, 3)];

/** Vectors of some of the sequences in training, each with its own number. */
async function vectorsOf(name: string, rate: number, rows: number[], { on = engine, step = 1 } = {}) {
  const model = await open(name);
  const program = await on.compile(
    { vectors: model.vectors(trainingContext(rate)) },
    { parameters: await model.parts.values('fp32') },
  );
  const draws = { seed: 5, step, samples: rows };
  const { vectors } = await program.run(
    model.feeds(
      rows.map((row) => sequences[row]!),
      0,
      rate === 0 ? undefined : draws,
    ),
  );
  await program.close();
  return vectors!.floats;
}

interface Attributes {
  rate?: number;
  site?: number;
  dropout?: { rate: number; site: number };
}
const attributesOf = ({ attributes }: Tensor) => (attributes ?? {}) as Attributes;
const siteOf = (tensor: Tensor) => {
  const { site, dropout } = attributesOf(tensor);
  return tensor.op.name === 'dropout' ? [site!] : dropout ? [dropout.site] : [];
};

/** The graph with every dropout as x · (1 − rate), as test/oracle/dropout.py has it. */
function shrunk(output: Tensor): Tensor {
  const replaced = new Map<Tensor, Tensor>();
  for (const tensor of inOrder([output])) {
    const inputs = tensor.inputs.map((one) => replaced.get(one)!);
    const { rate, dropout, ...rest } = attributesOf(tensor);
    if (tensor.op.name === 'dropout') replaced.set(tensor, multiply(inputs[0]!, 1 - rate!));
    else if (dropout)
      replaced.set(tensor, multiply({ ...tensor, inputs: inputs.slice(0, -1), attributes: rest }, 1 - dropout.rate));
    else replaced.set(tensor, { ...tensor, inputs });
  }
  return replaced.get(output)!;
}

const fixture = (name: string) =>
  JSON.parse(readFileSync(join(import.meta.dirname, '..', 'fixtures', 'dropout', `${name}.json`), 'utf8')) as {
    rates: Record<string, number>;
    sequences: number[][];
    states: number[];
  };

for (const name of names) {
  test(`${name}: dropout off or at rate 0 adds no node, and none where the checkpoint has no rates`, async () => {
    const model = await open(name);
    const count = (rate?: number) => inOrder([model.vectors(trainingContext(rate))]).map(({ op }) => op.name);
    const plain = inOrder([model.vectors(floatContext)]).map(({ op }) => op.name);
    assert.deepEqual(count(0), plain);
    assert.deepEqual(count(), plain); // the fixtures' rates are 0
    assert.ok(!drops(model.vectors(trainingContext())));
    assert.ok(drops(model.vectors(trainingContext(0.1))));
  });

  test(`${name}: at the places and the rates of transformers`, async (t) => {
    const expected = fixture(name);
    const folder = scratch(t);
    cpSync(fixtureFolder(name), folder, { recursive: true });
    const config = join(folder, 'config.json');
    writeFileSync(config, JSON.stringify({ ...JSON.parse(readFileSync(config, 'utf8')), ...expected.rates }));
    const { parts } = await openTrainable(nodePlatform, folder, { pooling: 'mean' });
    const states = parts.graphs(trainingContext()).states();
    const sites = inOrder([states]).flatMap(siteOf);
    assert.equal(sites.length, 1 + 3 * parts.config.layers);
    assert.equal(new Set(sites).size, sites.length, 'each draws by itself');
    const program = await engine.compile({ states: shrunk(states) }, { parameters: await parts.values('fp32') });
    const feeds = batchFeeds(
      parts.config,
      expected.sequences.map((ids) => Int32Array.from(ids)),
    );
    const { floats } = (await program.run(feeds)).states!;
    await program.close();
    assert.ok(largestDifference(floats, expected.states) < 1e-5);
  });

  test(`${name}: in training the reference's vectors; a sample's do not depend on its batch`, async () => {
    const together = await vectorsOf(name, 0.2, [0, 1, 2]);
    assert.ok(largestDifference(await vectorsOf(name, 0.2, [0, 1, 2], { on: oracle }), together) < 1e-5);
    const width = together.length / 3;
    for (const row of [0, 1, 2])
      assert.ok(
        largestDifference(await vectorsOf(name, 0.2, [row]), together.subarray(row * width, (row + 1) * width)) < 1e-5,
      );
    assert.ok(largestDifference(await vectorsOf(name, 0, [0, 1, 2]), together) > 1e-2, 'something is dropped');
    assert.ok(
      largestDifference(await vectorsOf(name, 0.2, [0, 1, 2], { step: 2 }), together) > 1e-2,
      'anew at each step',
    );
  });
}

test('an adapter drops from the input of A at its own rate, in training only', async () => {
  const base = await open('roberta');
  const adapter = createAdapter(base.parts.specs, { rank: 2, dropout: 0.1 });
  const model = withAdapter(base, adapter);
  const rates = (context?: ForwardContext) =>
    inOrder([model.vectors(context)]).flatMap(({ op, attributes }) =>
      op.name === 'dropout' ? [(attributes as { rate: number }).rate] : [],
    );
  assert.deepEqual(rates(), []);
  assert.deepEqual(
    rates(trainingContext(0)),
    Array.from(adapter.layers, () => 0.1),
  );
  assert.equal(rates(trainingContext(0.3)).filter((rate) => rate === 0.1).length, adapter.layers.size);
});

test('activations computed again draw the same: the gradient is that of one program', async () => {
  const model = await open('mpnet');
  const { vectors, boundaries } = model.encoder(trainingContext(0.2));
  const loss = sum(sum(exp(vectors), 1), 0);
  const feeds = model.feeds(sequences, 0, { seed: 5, step: 1, samples: [0, 1, 2] });
  const found: Float32Array[][] = [];
  for (const cuts of [[], boundaries]) {
    const training = await engine.openTraining(model.trained);
    const program = await training.compile({ loss }, { loss: 'loss', parameters: model.frozen, boundaries: cuts });
    await program.accumulate(feeds);
    found.push(await Promise.all(model.trained.map(({ name }) => training.readGradient(name))));
    await training.close();
  }
  found[0]!.forEach((gradient, i) => {
    assert.ok(largestDifference(gradient, found[1]![i]!) < 1e-5, model.trained[i]!.name);
  });
  assert.ok(found[0]!.some((gradient) => gradient.some((value) => Math.abs(value) > 0.01)));
});

for (const name of ['mpnet', 'modernbert'])
  test(`${name}: the cached gradient at 8 sub-batches is that of the whole batch, with dropout and repeated tokens`, async () => {
    const { batches } = trainingFixture(name);
    const model = await open(name);
    const found: { losses: number[]; gradients: Float32Array[] }[] = [];
    for (const cached of [false, true]) {
      const training = await engine.openTraining(model.trained);
      const gradient = await compileGradient(engine, training, model, { dropout: 0.1 }, cached);
      const losses: number[] = [];
      for (const [at, batch] of batches.slice(0, 2).entries()) {
        const { sequences: all, ...rest } = pairBatch(batch);
        const draws = { seed: 3, step: at + 1, samples: all.map((_, i) => 7 * i + at) };
        losses.push(await gradient({ ...rest, sequences: all, draws }, all.length / 8));
      }
      found.push({
        losses,
        gradients: await Promise.all(model.trained.map(({ name: of }) => training.readGradient(of))),
      });
      await training.close();
    }
    const [whole, chunked] = found as [(typeof found)[0], (typeof found)[0]];
    whole.losses.forEach((loss, i) => {
      assert.ok(Math.abs(loss - chunked.losses[i]!) <= 1e-5 * loss, `${loss} and ${chunked.losses[i]}`);
    });
    whole.gradients.forEach((gradient, i) => {
      const peak = gradient.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
      assert.ok(largestDifference(gradient, chunked.gradients[i]!) <= 1e-5 * Math.max(1, peak), model.trained[i]!.name);
    });
  });
