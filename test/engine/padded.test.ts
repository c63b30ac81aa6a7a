/** Graphs for other runtimes: running sums on both backends, and what cannot be written out is refused. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { PatentlabError } from '../../src/base/errors.ts';
import { nodePlatform } from '../../src/base/node/platform.ts';
import { attention, input, openEngine, sequenceInputs } from '../../src/engine/index.ts';
import { runOnnxFile, writeOnnxFile } from '../../src/engine/onnx-file.ts';
import { paddedGraph } from '../../src/engine/padded.ts';
import { runningSum } from '../../src/engine/running-sum.ts';
import { scratch } from '../support/scratch.ts';

test('running sums along each axis', async () => {
  const x = input('x', 'float32', ['rows', 3]);
  const feeds = { x: { data: Float32Array.of(1, 2, 3, 4, 5, 6), shape: [2, 3] } };
  for (const backend of ['ort', 'reference'] as const) {
    const engine = await openEngine(nodePlatform, { backend, threads: 1 });
    const program = await engine.compile({ down: runningSum(x, 0), along: runningSum(x, -1) });
    const { down, along } = await program.run(feeds);
    assert.deepEqual([...down!.floats], [1, 2, 3, 5, 7, 9], backend);
    assert.deepEqual([...along!.floats], [1, 3, 6, 4, 9, 15], backend);
    await engine.close();
  }
});

test('attention that is not written out is refused', () => {
  const layout = sequenceInputs();
  const x = input('x', 'float32', ['tokens', 8]);
  const mask = input('mask', 'int64', ['batch', 'seq']);
  for (const option of [{ causal: true }, { alibi: [1, 0.5] }]) {
    const y = attention(x, x, x, layout, { heads: 2, ...option });
    assert.throws(
      () => paddedGraph({ y }, { mask, layout, inputs: {} }),
      (error) => error instanceof PatentlabError && error.message.includes('not written out'),
    );
  }
});

test('a file that ONNX Runtime cannot read is named, and what is written runs under plain names', async (t) => {
  const work = scratch(t);
  const [good, bad] = [join(work, 'good.onnx'), join(work, 'bad.onnx')];
  const x = input('x', 'float32', ['rows', 3]);
  await writeOnnxFile(nodePlatform.files, good, { y: runningSum(x, 1) }, { parameters: {}, dimensions: { rows: 'n' } });
  await nodePlatform.files.writeAtomic(bad, 'not a model');
  const feeds = [{ name: 'x', dtype: 'float32' as const, shape: [1, 3], data: Float32Array.of(1, 2, 3) }];
  const { shape, data } = (await runOnnxFile(nodePlatform, good, feeds)).get('y')!;
  assert.deepEqual(
    [shape, [...(data as Float32Array)]],
    [
      [1, 3],
      [1, 3, 6],
    ],
  );
  await assert.rejects(
    runOnnxFile(nodePlatform, bad, feeds),
    (error) => error instanceof PatentlabError && error.code === 'engine.onnx-file' && error.details.file === bad,
  );
});
