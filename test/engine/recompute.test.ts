/** Chains of programs that compute activations again: the gradients of one program, wherever the graph is cut. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import type { PatentlabError } from '../../src/base/errors.ts';
import { nodePlatform } from '../../src/base/node/platform.ts';
import { stream } from '../../src/base/random.ts';
import { defineOp } from '../../src/engine/graph.ts';
import {
  add,
  constant,
  type Feeds,
  gather,
  input,
  linear,
  mean,
  multiply,
  openEngine,
  type Parameters,
  parameter,
  relu,
  reshape,
  stopGradient,
  sum,
  type Tensor,
  type TrainedParameter,
  type Training,
  tanh,
} from '../../src/engine/index.ts';
import { openTrainable } from '../../src/model/trainable.ts';
import { fixtureFolder } from '../model/fixtures.ts';

const engine = await openEngine(nodePlatform, { threads: 2 });
after(() => engine.close());

const random = stream(3, 'recompute');
const values = (length: number) => Float32Array.from({ length }, () => random.normal() * 0.5);
const total = (x: Tensor) => sum(sum(x, 1), 0);

/** Outputs of two runs, the second with another weight, and the gradients that both add up to. */
async function found(
  training: Training,
  outputs: Record<string, Tensor>,
  runs: readonly Feeds[],
  options: { boundaries?: readonly Tensor[]; parameters?: Parameters },
): Promise<Record<string, Float32Array>> {
  const program = await training.compile(outputs, { loss: 'loss', ...options });
  const all: Record<string, Float32Array> = {};
  for (const [i, feeds] of runs.entries())
    for (const [name, value] of Object.entries(await program.accumulate(feeds, { weight: 1 + i / 2 })))
      all[`${name}, run ${i}`] = value.floats;
  for (const { name } of training.parameters) all[`gradient of ${name}`] = await training.readGradient(name);
  await training.update({ learningRate: 0 }); // forgets the gradient
  await program.close();
  return all;
}

/** The largest difference of each value, relative to the largest of its kind. */
function differences(a: Record<string, Float32Array>, b: Record<string, Float32Array>): [string, number][] {
  assert.deepEqual(Object.keys(a), Object.keys(b));
  return Object.entries(a).map(([name, one]) => {
    const peak = one.reduce((most, value) => Math.max(most, Math.abs(value)), 1e-30);
    return [name, one.reduce((most, value, i) => Math.max(most, Math.abs(value - b[name]![i]!)), 0) / peak];
  });
}

const worstOf = (list: [string, number][]) => Math.max(...list.map(([, difference]) => difference));

for (const name of ['bert', 'roberta', 'mpnet', 'modernbert'] as const)
  test(`${name}: cut between its layers`, async () => {
    const model = await openTrainable(nodePlatform, fixtureFolder(name), { pooling: 'mean' });
    const training = await engine.openTraining(model.trained);
    const { vectors, boundaries } = model.encoder();
    assert.equal(boundaries.length, model.parts.config.layers - 1);
    const cotangents = input('cotangents', 'float32', ['batch', model.parts.dimensions]);
    const outputs = { loss: total(multiply(vectors, cotangents)), vectors };
    const sequences = [Int32Array.of(2, 9, 8, 7, 7, 3), Int32Array.of(2, 30, 3), Int32Array.of(2, 9, 9, 3)];
    const runs = [2, 3].map((count) => ({
      ...model.feeds(sequences.slice(0, count)),
      cotangents: { data: values(count * model.parts.dimensions), shape: [count, model.parts.dimensions] },
    }));
    const whole = await found(training, outputs, runs, { parameters: model.frozen });
    const chain = await found(training, outputs, runs, { parameters: model.frozen, boundaries });
    const list = differences(whole, chain).filter(([, difference]) => difference > 0);
    // Bit-equal, but for a parameter that every layer reads: its parts are summed in another order.
    if (name !== 'mpnet') assert.deepEqual(list, []);
    else {
      assert.deepEqual(
        list.map(([what]) => what),
        ['gradient of encoder.relative_attention_bias.weight'],
      );
      assert.ok(worstOf(list) < 1e-6);
    }
    await training.close();
  });

test('awkward cuts: values that cross several, shared weights, tables read twice, branches without gradient', async () => {
  const width = 8;
  const parameters: TrainedParameter[] = [
    { name: 'table', shape: [20, width], decay: true, rows: true, value: float([20, width]) },
    ...['a', 'b', 'c'].map((name) => ({ name, shape: [width, width], decay: true, value: float([width, width]) })),
    { name: 'aside', shape: [width, width], decay: true, value: float([width, width]) },
  ];
  const frozen = { frozen: float([width, width]) };
  const training = await engine.openTraining(parameters);
  const w = (name: string) => parameter(name, [width, width]);
  const ids = input('ids', 'int32', ['rows']);
  const x = gather(parameter('table', [20, width]), ids);
  const h1 = tanh(linear(x, w('a')));
  const between = relu(linear(h1, w('b'))); // crosses the second cut, and depends on the first
  const h2 = add(tanh(linear(between, w('frozen'))), h1);
  const quiet = stopGradient(linear(h2, w('aside')));
  const h3 = add(multiply(tanh(linear(h2, w('a'))), between), quiet); // 'a' again
  const h4 = add(tanh(linear(h3, w('c'))), gather(parameter('table', [20, width]), ids)); // the table again, past all cuts
  const loss = total(multiply(h4, add(h1, input('scale', 'float32', []))));
  const runs = [4, 7].map((rows) => ({
    ids: Int32Array.from({ length: rows }, (_, i) => (i * 5) % 3),
    scale: { data: values(1), shape: [] },
  }));
  const outputs = { loss, h2, quiet };
  const whole = await found(training, outputs, runs, { parameters: frozen });
  for (const boundaries of [[h1], [h1, h2], [h3, h1, h2], [h2, quiet, h4], [x, h1, between, h2, h3, h4, loss], []]) {
    const chain = await found(training, outputs, runs, { parameters: frozen, boundaries });
    assert.ok(worstOf(differences(whole, chain)) < 1e-6);
  }
  assert.ok(whole['gradient of aside']!.every((value) => value === 0));
  await training.close();
});

test('a segment learns the sizes of named axes from inputs that others read', async () => {
  const training = await engine.openTraining([{ name: 'w', shape: [4, 4], decay: true, value: float([4, 4]) }]);
  const x = input('x', 'float32', ['texts', 'words', 4]);
  const flat = tanh(linear(reshape(x, ['rows', 4]), parameter('w', [4, 4])));
  const back = reshape(tanh(linear(flat, parameter('w', [4, 4]))), ['texts', 'words', 4]);
  const outputs = { loss: total(mean(back, 1)) };
  const weight = input('rows', 'float32', ['rows']); // what 'rows' is
  const loss = add(outputs.loss, sum(weight, 0));
  const runs = [
    [2, 3],
    [3, 5],
  ].map(([texts, words]) => ({
    x: { data: values(texts! * words! * 4), shape: [texts!, words!, 4] },
    rows: values(texts! * words!),
  }));
  const whole = await found(training, { loss }, runs, {});
  const chain = await found(training, { loss }, runs, { boundaries: [flat] });
  assert.ok(worstOf(differences(whole, chain)) < 1e-6);
  await training.close();
});

/** The tensor itself, whose cotangent is multiplied by the row `fault` of a list of one: any other number fails on the way back. */
const fragile = defineOp<undefined>({
  name: 'fragile',
  infer: ([x]) => ({ dtype: x!.dtype, shape: x!.shape }),
  evaluate: ([x]) => x!,
  lower: (context, [x]) => context.emit('Identity', [x!]),
  gradient: (_, cotangent) => [multiply(cotangent, gather(constant([1], [1]), input('fault', 'int32', [])))],
});

test('a run that fails on its way back leaves nothing behind', async () => {
  const width = 8;
  const tensors: TrainedParameter[] = [
    { name: 'table', shape: [20, width], decay: true, rows: true, value: float([20, width]) },
    ...['a', 'b', 'c'].map((name) => ({ name, shape: [width, width], decay: true, value: float([width, width]) })),
  ];
  const w = (name: string) => parameter(name, [width, width]);
  const ids = input('ids', 'int32', ['rows']);
  const table = () => gather(parameter('table', [20, width]), ids);
  const h1 = tanh(linear(table(), w('a')));
  const h2 = fragile([tanh(linear(h1, w('b')))], undefined);
  const h3 = tanh(linear(h2, w('a')));
  const loss = total(multiply(add(linear(h3, w('c')), table()), tanh(linear(h3, w('a')))));
  const feeds = (run: number, fault = 0) => ({
    ids: Int32Array.from({ length: 4 + run }, (_, i) => (i * 5 + run) % 7),
    fault: { data: Int32Array.of(fault), shape: [] },
  });
  for (const boundaries of [[h1, h2, h3], []]) {
    const trained = async (isFailing: boolean) => {
      const training = await engine.openTraining(tensors);
      const quiet = { logSeverityLevel: 4 };
      const program = await training.compile({ loss }, { loss: 'loss', boundaries, sessionOptions: quiet });
      const failing = async (run: number) => {
        if (!isFailing) return;
        await assert.rejects(program.accumulate(feeds(run, 9)), { code: 'engine.runtime' });
        // A row that the table lacks is met only where its gradient is to be added.
        const beyond = { ...feeds(run), ids: Int32Array.of(1, -1, 2) };
        await assert.rejects(program.accumulate(beyond), /no row -1/);
      };
      const seen: Float32Array[] = [];
      await failing(3);
      for (const run of [0, 1, 2, 3]) {
        await program.accumulate(feeds(run), { weight: 1 + run / 2 });
        await failing(run + 1);
        if (run === 0) continue;
        for (const { name } of tensors) seen.push(await training.readGradient(name));
        await training.update({ learningRate: 0.01 });
        await failing(run);
      }
      for (const { name } of tensors)
        seen.push(await training.read('weights', name), await training.read('second', name));
      await training.close();
      return seen;
    };
    assert.deepEqual(await trained(true), await trained(false));
  }
});

test('a gradient that is forgotten is not there in the next step', async () => {
  const training = await engine.openTraining([
    { name: 'w', shape: [4, 4], decay: true, value: float([4, 4]) },
    { name: 'table', shape: [9, 4], decay: false, rows: true, value: float([9, 4]) },
  ]);
  const read = gather(parameter('table', [9, 4]), input('ids', 'int32', ['rows']));
  const program = await training.compile({ loss: total(tanh(linear(read, parameter('w', [4, 4])))) }, { loss: 'loss' });
  const gradientOf = async (ids: Int32Array) => {
    await program.accumulate({ ids });
    return [await training.readGradient('w'), await training.readGradient('table')];
  };
  const alone = await gradientOf(Int32Array.of(3, 4));
  await training.forget();
  for (const name of ['w', 'table']) assert.ok((await training.readGradient(name)).every((value) => value === 0));
  await gradientOf(Int32Array.of(1, 2));
  await training.forget();
  assert.deepEqual(await gradientOf(Int32Array.of(3, 4)), alone);
  assert.equal(await training.step(), 0);
  await training.close();
});

test('boundaries that cannot be are refused', async () => {
  const training = await engine.openTraining([{ name: 'w', shape: [2, 2], decay: true, value: float([2, 2]) }]);
  const x = input('x', 'float32', ['rows', 2]);
  const y = linear(x, parameter('w', [2, 2]));
  const outputs = { loss: total(y), other: relu(y) };
  const refused = (boundaries: Tensor[], field: string, found: RegExp) =>
    assert.rejects(training.compile(outputs, { loss: 'loss', boundaries }), (error: PatentlabError) => {
      assert.equal(error.code, 'engine.boundary');
      assert.equal(error.details.field, field);
      assert.match(error.details.found!, found);
      return true;
    });
  await refused([x], 'boundaries[0]', /leaf/);
  await refused([y, outputs.other], 'boundaries[1]', /does not depend/);
  await refused([input('ids', 'int32', [])], 'boundaries[0]', /int32/);
  await assert.rejects(training.compile(outputs, { boundaries: [y] }), { code: 'engine.training' });
  await training.close();
});

function float(shape: number[]) {
  return { dtype: 'float32' as const, shape, source: values(shape.reduce((a, b) => a * b, 1)) };
}
