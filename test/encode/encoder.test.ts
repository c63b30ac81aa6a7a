import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { nodePlatform } from '../../src/base/node/platform.ts';
import { stream } from '../../src/base/random.ts';
import { type EncodeRequest, encodeTexts, type TextVectors } from '../../src/encode/index.ts';
import type { TextModel } from '../../src/model/types.ts';
import { loadTokenizer } from '../../src/tokenizer/index.ts';
import { type FakeModel, fakeModel } from '../support/fake-model.ts';
import { scratch } from '../support/scratch.ts';

const words =
  'the a transducer drives lens array of first hollow probe in tissue said pump MHz valve 10-20 sensor'.split(' ');

/** Texts of 1 to 120 words, a few of them empty. */
function texts(count: number, seed = 1): string[] {
  const random = stream(seed, 'texts');
  return Array.from({ length: count }, (_, i) =>
    i % 97 === 5 ? ' ' : Array.from({ length: 1 + random.integer(120) }, () => random.pick(words)).join(' '),
  );
}

const encode = (model: TextModel, request: EncodeRequest, vectors?: string) =>
  encodeTexts(nodePlatform, model, { ...request, batchTokens: 512, ...(vectors === undefined ? {} : { vectors }) });

const bytes = async (vectors: TextVectors) =>
  createHash('sha256')
    .update(new Uint8Array((await vectors.read()).buffer))
    .digest('hex');

function filesUnder(folder: string, ending: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith(ending))
    .map((name) => join(folder, name))
    .sort();
}

test('vectors are those of each text, in input order', async () => {
  const model = fakeModel();
  const input = texts(700);
  const vectors = await encode(model, { texts: input });
  assert.equal(vectors.count, 700);
  const values = await vectors.read();
  const tokenizer = await loadTokenizer(nodePlatform, model.folder);
  for (const row of [0, 5, 127, 128, 400, 699]) {
    const { ids } = tokenizer.encode(input[row]!, { maxLength: 64 });
    const alone = await model.encode([ids]);
    for (let i = 0; i < 8; i++) assert.ok(Math.abs(values[row * 8 + i]! - alone[i]!) < 0.05, `row ${row}`);
  }
  const { summary } = vectors;
  assert.equal(summary.computed, 700);
  assert.equal(summary.empty, input.filter((text) => text === ' ').length);
  const whole = input.map((text) => tokenizer.encode(text).ids.length);
  assert.equal(summary.truncated, whole.filter((length) => length > 64).length);
  assert.equal(
    summary.tokens,
    whole.reduce((sum, length) => sum + Math.min(length, 64), 0),
  );
  assert.ok(model.batches.every(({ texts, longest }) => texts * longest <= 512));
});

test('reading in blocks gives the same values as reading all', async (t) => {
  const vectors = await encode(fakeModel(), { texts: texts(500) }, scratch(t));
  const all = await vectors.read();
  const parts: number[] = [];
  for await (const { from, vectors: block } of vectors.blocks(77)) {
    assert.equal(parts.length, from * 8);
    parts.push(...block);
  }
  assert.deepEqual(parts, [...all]);
  assert.deepEqual([...(await vectors.read(126, 131))], [...all.subarray(126 * 8, 131 * 8)]);
  await assert.rejects(vectors.read(0, 501), RangeError);
});

test('stored vectors are those computed, bit for bit, and nothing is computed twice', async (t) => {
  const folder = scratch(t);
  const input = texts(900);
  const fresh = await bytes(await encode(fakeModel(), { texts: input }));
  const first = await encode(fakeModel(), { texts: input }, folder);
  assert.equal(await bytes(first), fresh);
  const model = fakeModel();
  const again = await encode(model, { texts: input }, folder);
  assert.equal(await bytes(again), fresh);
  assert.equal(model.encoded, 0);
  assert.deepEqual({ ...again.summary, seconds: 0, computed: 900 }, { ...first.summary, seconds: 0 });
});

test('a grown list re-uses its earlier windows and gives the vectors of a fresh run', async (t) => {
  const folder = scratch(t);
  const input = texts(1000);
  await encode(fakeModel(), { texts: input.slice(0, 950) }, folder);
  const model = fakeModel();
  const grown = await encode(model, { texts: input }, folder);
  assert.equal(model.encoded, 1000 - 896);
  assert.equal(await bytes(grown), await bytes(await encode(fakeModel(), { texts: input })));
});

test('a known source is answered without reading its texts', async (t) => {
  const folder = scratch(t);
  const source = { corpus: 'c', hash: 'h', view: 'TA' };
  const first = await encode(fakeModel(), { texts: texts(300), source }, folder);
  const unread = {
    [Symbol.iterator](): Iterator<string> {
      throw new Error('was read');
    },
  };
  const again = await encode(fakeModel(), { texts: unread, source }, folder);
  assert.equal(await bytes(again), await bytes(first));
  await assert.rejects(encode(fakeModel(), { texts: unread, source: { ...source, view: 'T' } }, folder), /was read/);
});

test('a document never gets the vector of a query, nor of another model, prompt, length or precision', async (t) => {
  const folder = scratch(t);
  const input = texts(50);
  const prompts = { query: '', document: '', named: {}, source: 'none' as const };
  const variants: [Partial<TextModel>, Partial<EncodeRequest>][] = [
    [{}, {}],
    [{}, { role: 'query' }],
    [{}, { prompt: 'a lens ' }],
    [{ prompts: { ...prompts, document: 'said ' } }, {}],
    [{}, { maxLength: 32 }],
    [{ hash: 'other' }, {}],
    [{ dtype: 'int8' }, {}],
    [{ pooling: { modes: ['cls'], includePrompt: true, source: 'option' } }, {}],
    [{ normalized: false }, {}],
  ];
  for (const [i, [fields, request]] of variants.entries()) {
    const model = fakeModel(fields);
    await encode(model, { texts: input, ...request }, folder);
    assert.equal(model.encoded, 50, `variant ${i} took vectors of another`);
  }
  assert.equal(readdirSync(folder).length, variants.length);
});

test('a prompt stands before every text', async () => {
  const input = texts(20);
  const prompted = await encode(fakeModel(), { texts: input, prompt: 'the probe ' });
  const plain = await encode(fakeModel(), { texts: input.map((text) => `the probe ${text}`) });
  assert.equal(await bytes(prompted), await bytes(plain));
});

test('Matryoshka: leading values, of length 1 again; the stored vectors serve all lengths', async (t) => {
  const folder = scratch(t);
  const input = texts(40);
  const whole = await (await encode(fakeModel(), { texts: input }, folder)).read();
  const model = fakeModel();
  const short = await encode(model, { texts: input, dimensions: 3 }, folder);
  assert.equal(model.encoded, 0);
  const values = await short.read();
  assert.equal(values.length, 40 * 3);
  for (let row = 0; row < 40; row++) {
    const vector = values.subarray(row * 3, row * 3 + 3);
    assert.ok(Math.abs(Math.hypot(...vector) - 1) < 1e-6);
    assert.ok(Math.abs(vector[0]! / vector[1]! - whole[row * 8]! / whole[row * 8 + 1]!) < 1e-4);
  }
  await assert.rejects(encode(model, { texts: input, dimensions: 9 }), { code: 'encode.dimensions' });
});

/** Aborts when batch `at` is about to run. */
function interrupted(at: number): { model: FakeModel; signal: AbortSignal } {
  const abort = new AbortController();
  const model = fakeModel({
    beforeBatch: (batch) => {
      if (batch === at) abort.abort();
    },
  });
  return { model, signal: abort.signal };
}

test('stopped and resumed gives the bytes of an uninterrupted run, and no finished batch runs again', async (t) => {
  const input = texts(900);
  const uninterrupted = fakeModel();
  const whole = await encode(uninterrupted, { texts: input });
  const expected = await bytes(whole);
  for (const at of [0, 3, 20, 41]) {
    const folder = scratch(t);
    const { model, signal } = interrupted(at);
    await assert.rejects(encode(model, { texts: input, signal }, folder), { name: 'AbortError' });
    assert.ok(model.batches.length <= at + 3);
    const resumed = fakeModel();
    const vectors = await encode(resumed, { texts: input }, folder);
    assert.equal(await bytes(vectors), expected);
    assert.equal(model.encoded + resumed.encoded, uninterrupted.encoded, `stopped at batch ${at}`);
    assert.deepEqual(filesUnder(folder, '.part'), []);
  }
});

test('a damaged shard, part or manifest is noticed and computed again', async (t) => {
  const folder = scratch(t);
  const input = texts(400);
  const source = { corpus: 'c' };
  const expected = await bytes(await encode(fakeModel(), { texts: input, source }, folder));
  const shards = filesUnder(folder, '.vec');
  assert.equal(shards.length, 3);
  const flip = (path: string, place: number) => {
    const content = readFileSync(path);
    content[place]! ^= 1;
    writeFileSync(path, content);
  };
  const damages = [
    () => flip(shards[0]!, 100),
    () => flip(shards[1]!, 16),
    () => truncateSync(shards[2]!, 70),
    () => writeFileSync(shards[0]!, ''),
  ];
  for (const damage of damages) {
    damage();
    const model = fakeModel();
    assert.equal(await bytes(await encode(model, { texts: input, source }, folder)), expected);
    assert.ok(model.encoded > 0 && model.encoded < 400);
  }
  writeFileSync(filesUnder(folder, '.json').find((path) => path.includes('sources'))!, '{"format": 1,');
  assert.equal(await bytes(await encode(fakeModel(), { texts: input, source }, folder)), expected);
});

test('a model that gives no numbers is an error, and nothing of it is stored', async (t) => {
  const folder = scratch(t);
  const model = fakeModel({ encode: async (sequences) => new Float32Array(sequences.length * 8).fill(Number.NaN) });
  await assert.rejects(encode(model, { texts: texts(10) }, folder), { code: 'encode.finite' });
  assert.deepEqual(filesUnder(folder, '.vec'), []);
});

test('no texts give no vectors', async (t) => {
  const vectors = await encode(fakeModel(), { texts: [] }, scratch(t));
  assert.equal(vectors.count, 0);
  assert.equal((await vectors.read()).length, 0);
});

test('an error of the source of the texts reaches the caller', async () => {
  async function* failing() {
    yield 'a lens';
    throw new Error('cannot read on');
  }
  await assert.rejects(encode(fakeModel(), { texts: failing() }), /cannot read on/);
});
