/** The loop's own promises, on a regression of a few numbers: early stopping, the best given back, records that only grow. */
import assert from 'node:assert/strict';
import { appendFileSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { nodePlatform } from '../../src/base/node/platform.ts';
import { input, mean, multiply, openEngine, parameter, subtract, type Training } from '../../src/engine/index.ts';
import { type LoopOptions, type LoopTask, train } from '../../src/train/loop.ts';
import { scratch } from '../support/scratch.ts';

const { files } = nodePlatform;

/** Weights that move a little at each step, and a task that scores them as told. */
async function withTask(
  scoreAt: (step: number) => number,
  use: (training: Training, task: LoopTask, seen: number[]) => Promise<void>,
): Promise<void> {
  const engine = await openEngine(nodePlatform, { threads: 1 });
  try {
    const value = { dtype: 'float32' as const, shape: [4], source: new Float32Array(4) };
    const training = await engine.openTraining([{ name: 'w', shape: [4], decay: false, value }]);
    const away = subtract(parameter('w', [4]), input('target', 'float32', [4]));
    const program = await training.compile({ loss: mean(multiply(away, away), 0) }, { loss: 'loss' });
    const seen: number[] = [];
    await use(
      training,
      {
        async accumulate(step) {
          seen.push(step);
          const target = { data: Float32Array.of(step, 1, -step, 2), shape: [4] };
          return { loss: (await program.accumulate({ target })).loss!.floats[0]!, examples: 1, tokens: 1 };
        },
        evaluate: async (step) => ({ score: scoreAt(step) }),
      },
      seen,
    );
  } finally {
    await engine.close();
  }
}

const usual: Omit<LoopOptions, 'steps'> = {
  learningRate: 0.1,
  evaluateEvery: 2,
  best: { score: 'score', patience: 2 },
};

/** Weights after so many steps without any evaluation. */
async function weightsAfter(steps: number): Promise<Float32Array> {
  let weights = new Float32Array(0);
  await withTask(
    () => 0,
    async (training, task) => {
      await train(files, training, task, { steps, learningRate: 0.1 });
      weights = Float32Array.from(await training.read('weights', 'w'));
    },
  );
  return weights;
}

test('stops where the score has not grown for so many evaluations, and gives the best back: with and without a folder', async (t) => {
  const folder = scratch(t);
  const scores = [0.1, 0.5, 0.3, Number.NaN, 0.9, 0.9];
  for (const where of [{}, { folder }])
    await withTask(
      (step) => scores[step / 2 - 1]!,
      async (training, task, seen) => {
        const result = await train(files, training, task, { ...usual, steps: 40, ...where });
        assert.equal(result.stopped, 'early', 'after 0.3 and what is no number');
        assert.deepEqual([result.step, result.best], [4, { step: 4, score: 0.5 }]);
        assert.equal(seen.length, 8);
        assert.deepEqual(await training.read('weights', 'w'), await weightsAfter(4));
      },
    );
});

test('the earliest of equal scores is kept; without patience all steps are made', async () => {
  await withTask(
    (step) => (step >= 4 ? 1 : 0),
    async (training, task) => {
      const result = await train(files, training, task, { ...usual, best: { score: 'score' }, steps: 9 });
      assert.deepEqual([result.stopped, result.step, result.records.length], ['end', 4, 9]);
      assert.deepEqual(
        result.records.filter(({ scores }) => scores).map(({ step }) => step),
        [2, 4, 6, 8, 9],
      );
      assert.deepEqual(await training.read('weights', 'w'), await weightsAfter(4));
    },
  );
});

test('a run that broke off between the best evaluation and the next save finds the best again', async (t) => {
  const folder = scratch(t);
  const scoreAt = (step: number) => -Math.abs(step - 6);
  for (const breakAt of [5, 7, 9, undefined])
    await withTask(scoreAt, async (training, task, seen) => {
      const broken: LoopTask = {
        ...task,
        async accumulate(step) {
          if (step === breakAt) throw new Error('broken off');
          return task.accumulate(step);
        },
      };
      // Saved only where a call ends: what comes after the last save is computed again.
      const run = train(files, training, broken, {
        ...usual,
        steps: 40,
        folder,
        saveSeconds: breakAt === 7 ? 0 : 1000,
      });
      if (breakAt !== undefined) return await assert.rejects(run, /broken off/);
      const result = await run;
      assert.equal(seen[0], 7, 'it went on after the last save');
      assert.deepEqual([result.stopped, result.step, result.records.length], ['early', 6, 10]);
      assert.deepEqual(await training.read('weights', 'w'), await weightsAfter(6));
    });
});

test('records are added to their file, never written again; a damaged or foreign state is refused', async (t) => {
  const folder = scratch(t);
  const log = join(folder, 'state', 'records.jsonl');
  const inodes = new Set<number>();
  let before = '';
  const options = { ...usual, best: { score: 'score' }, folder, saveSeconds: 0, settings: { a: 1 } };
  await withTask(
    () => 0,
    async (training, task) => {
      await train(files, training, task, {
        ...options,
        steps: 12,
        onStep({ step }) {
          if (step < 3) return;
          const text = readFileSync(log, 'utf8');
          assert.ok(text.startsWith(before));
          before = text;
          inodes.add(statSync(log).ino);
        },
      });
    },
  );
  assert.equal(inodes.size, 1);
  assert.equal(readFileSync(log, 'utf8').split('\n').length, 13);
  const again = (settings: object, steps = 12) =>
    withTask(
      () => 0,
      async (training, task, seen) => {
        const { records } = await train(files, training, task, { ...options, settings, steps });
        assert.deepEqual(
          records.map(({ step }) => step),
          Array.from({ length: steps }, (_, i) => i + 1),
        );
        assert.equal(seen.length, steps - 12);
      },
    );
  // A line that a crash left half written lies beyond the valid length.
  appendFileSync(log, '{"step":13,"lo');
  await again({ a: 1 }, 14);
  assert.equal(readFileSync(log, 'utf8').split('\n').length, 15);
  await assert.rejects(again({ a: 2 }), { code: 'train.settings' });
  writeFileSync(log, readFileSync(log, 'utf8').slice(0, -2));
  await assert.rejects(again({ a: 1 }), { code: 'train.state' });
});

test('a step that failed half-way leaves nothing for the step that is made when the training goes on', async (t) => {
  const folder = scratch(t);
  await withTask(
    () => 0,
    async (training, task) => {
      const options = { steps: 6, learningRate: 0.1, folder, saveSeconds: 0 };
      const half: LoopTask = {
        async accumulate(step) {
          const result = await task.accumulate(step);
          if (step === 4) throw new Error('the second half of the batch is not there');
          return result;
        },
      };
      await assert.rejects(train(files, training, half, options), /second half/);
      const { computed } = await train(files, training, { accumulate: task.accumulate }, options);
      assert.equal(computed, 3);
      assert.deepEqual(await training.read('weights', 'w'), await weightsAfter(6));
    },
  );
});
