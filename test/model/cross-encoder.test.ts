/** Cross-encoders against sentence-transformers' CrossEncoder, from text pairs to scores (test/oracle/cross_encoder.py). */
import assert from 'node:assert/strict';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import fc from 'fast-check';
import { nodePlatform } from '../../src/base/node/platform.ts';
import { type CrossEncoder, loadCrossEncoder } from '../../src/model/cross-encoder.ts';
import { loadTokenizer } from '../../src/tokenizer/index.ts';
import { longestFirst, PairEncoder } from '../../src/tokenizer/pair.ts';
import { crossEncoderFixtures, crossEncoderFolder } from '../support/cross-encoders.ts';
import { tinyCheckpoint } from '../support/tiny-checkpoint.ts';
import { largestDifference } from './fixtures.ts';

const { length, pairs, models } = crossEncoderFixtures;
const scratch = mkdtempSync(join(tmpdir(), 'patentlab-test-'));
after(() => rmSync(scratch, { recursive: true, force: true }));

async function encoderOf(folder: string, maxLength = length) {
  return new PairEncoder(await loadTokenizer(nodePlatform, folder), maxLength);
}

function near(a: ArrayLike<number>, b: ArrayLike<number>, tolerance: number): void {
  const worst = largestDifference(a, b);
  assert.ok(worst < tolerance, `largest difference ${worst}`);
}

const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));

for (const [name, expected] of Object.entries(models)) {
  describe(name, async () => {
    const folder = crossEncoderFolder(name, scratch);
    const encoder = await encoderOf(folder);
    const joined = pairs.map(([a, b]) => encoder.join(encoder.read(a), encoder.read(b)));

    test('token ids and segments of a pair, cut or whole', () => {
      assert.deepEqual(
        joined.map(({ ids }) => [...ids]),
        expected.ids,
      );
      if (expected.segments === null) return;
      assert.deepEqual(
        joined.map(({ segments }) => [...segments]),
        expected.segments,
      );
      assert.ok(joined.some(({ truncated }) => truncated) && joined.some(({ truncated }) => !truncated));
    });

    for (const backend of ['ort', 'reference'] as const)
      test(`scores, ${backend}`, async () => {
        const model = await loadCrossEncoder(nodePlatform, folder, { backend, threads: 1 });
        try {
          assert.equal(model.maxLength, length);
          const scores = await model.score(joined);
          near(scores, expected.scores, 1e-5);
          assert.equal(model.activation, 'sigmoid');
          near(Array.from(scores, sigmoid), expected.predicted, 1e-5);
          // One by one, without neighbours.
          const alone: number[] = [];
          for (const pair of joined) alone.push(...(await model.score([pair])));
          if (backend === 'ort') assert.deepEqual(alone, [...scores], 'to the bit: scores may be kept and shared');
          else near(alone, scores, 1e-9);
        } finally {
          await model.close();
        }
      });
  });
}

test('8 bits stay near, keep the head and have a hash of their own', async () => {
  const folder = crossEncoderFolder('bert', scratch);
  const encoder = await encoderOf(folder);
  const joined = pairs.map(([a, b]) => encoder.join(encoder.read(a), encoder.read(b)));
  const open: CrossEncoder[] = [];
  after(() => Promise.all(open.map((model) => model.close())));
  for (const dtype of ['fp32', 'int8'] as const)
    open.push(await loadCrossEncoder(nodePlatform, folder, { dtype, threads: 1 }));
  const [exact, rounded] = await Promise.all(open.map((model) => model.score(joined)));
  const worst = largestDifference(exact!, rounded!);
  const spread = Math.max(...exact!) - Math.min(...exact!);
  assert.ok(worst > 0 && worst < 0.1 * spread, `${worst} of ${spread}`);
  assert.notEqual(open[0]!.hash, open[1]!.hash);
});

test('the share of two texts fills the room, never cuts the shorter below half, and is symmetric', () => {
  const size = fc.integer({ min: 0, max: 200 });
  fc.assert(
    fc.property(size, size, fc.integer({ min: 2, max: 120 }), (a, b, room) => {
      const [first, second] = longestFirst(a, b, room);
      assert.equal(first + second, Math.min(a + b, room));
      assert.ok(first <= a && second <= b);
      assert.ok(Math.min(first, second) >= Math.min(a, b, Math.floor(room / 2)));
      if (a !== b) assert.deepEqual(longestFirst(b, a, room), [second, first]);
    }),
  );
});

test('the activation that a checkpoint names; foreign code is never called', async () => {
  const activations = {
    'torch.nn.modules.linear.Identity': 'identity',
    'torch.nn.modules.activation.Sigmoid': 'sigmoid',
    'somebody.code.Function': 'sigmoid',
  };
  for (const [path, expected] of Object.entries(activations)) {
    const folder = changed('bert', `activation ${expected} ${path.length}`, {
      sentence_transformers: { activation_fn: path },
    });
    const model = await loadCrossEncoder(nodePlatform, folder, { threads: 1 });
    await model.close();
    assert.equal(model.activation, expected);
  }
  const folder = changed('bert', 'odd', {
    sbert_ce_default_activation_function: 'torch.nn.modules.activation.Softplus',
  });
  await assert.rejects(loadCrossEncoder(nodePlatform, folder), { code: 'cross-encoder.activation' });
});

/** A copy of a fixture with other fields in its config.json. */
function changed(name: string, as: string, fields: object): string {
  const folder = join(scratch, as);
  cpSync(crossEncoderFolder(name, scratch), folder, { recursive: true });
  const path = join(folder, 'config.json');
  writeFileSync(path, JSON.stringify({ ...JSON.parse(readFileSync(path, 'utf8')), ...fields }));
  return folder;
}

test('a folder that is no cross-encoder is refused by what it lacks', async () => {
  const encoder = join(scratch, 'encoder');
  mkdirSync(encoder);
  tinyCheckpoint(encoder);
  await assert.rejects(loadCrossEncoder(nodePlatform, encoder), {
    code: 'cross-encoder.no-head',
    message: /no classification head/,
  });

  const untokenized = changed('bert', 'untokenized', {});
  rmSync(join(untokenized, 'tokenizer.json'));
  await assert.rejects(loadTokenizer(nodePlatform, untokenized), { code: 'tokenizer.missing' });

  const classes = changed('bert', 'classes', {});
  widen(join(classes, 'model.safetensors'));
  await assert.rejects(loadCrossEncoder(nodePlatform, classes), {
    code: 'cross-encoder.outputs',
    message: /more than one number/,
  });

  const other = crossEncoderFolder('xlm-roberta', scratch);
  await assert.rejects(encoderOf(other, 5), { code: 'tokenizer.length' });
});

/** Says in the header that the classifier has three outputs; the data of the other two come from what follows. */
function widen(path: string): void {
  const bytes = readFileSync(path);
  const size = Number(bytes.readBigUInt64LE());
  const header = JSON.parse(bytes.subarray(8, 8 + size).toString()) as Record<
    string,
    { shape: number[]; data_offsets: number[] }
  >;
  const values = bytes.subarray(8 + size);
  const { shape, data_offsets: offsets } = header['classifier.weight']!;
  const row = values.subarray(offsets[0], offsets[1]);
  header['classifier.weight'] = {
    ...header['classifier.weight']!,
    shape: [3, shape[1]!],
    data_offsets: [values.length, values.length + 3 * row.length],
  };
  // The place of the old tensor is given to one that nobody asks for, so that no byte is left over.
  header['bert.embeddings.position_ids'] = { ...header['classifier.weight']!, shape, data_offsets: offsets };
  const text = Buffer.from(JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(text.length));
  writeFileSync(path, Buffer.concat([length, text, values, row, row, row]));
}
