/** Passages: windows as cut by hand, vectors and scores as a plain computation gives them, and nothing changed where all fit. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { PatentlabError } from '../../src/base/errors.ts';
import { nodePlatform } from '../../src/base/node/platform.ts';
import { stream } from '../../src/base/random.ts';
import { checkPassages, encodeTexts, passageBlocks, passageMeans } from '../../src/encode/index.ts';
import { searchExact } from '../../src/retrieve/exact.ts';
import type { MatrixProduct } from '../../src/retrieve/matrix-product.ts';
import { loadTokenizer, tokenizePassages, tokenizeTexts } from '../../src/tokenizer/index.ts';
import { passageSpans } from '../../src/tokenizer/passages.ts';
import { type FakeModel, fakeModel } from '../support/fake-model.ts';
import { scratch } from '../support/scratch.ts';

const words = 'the a transducer drives lens array of first hollow probe in tissue said pump MHz valve sensor'.split(
  ' ',
);

function texts(count: number, longest: number, seed = 1): string[] {
  const random = stream(seed, 'passages');
  return Array.from({ length: count }, (_, i) =>
    i % 31 === 5 ? '' : Array.from({ length: 1 + random.integer(longest) }, () => random.pick(words)).join(' '),
  );
}

/** The fake model, but with vectors that do not depend on the batch: equality can be asked for to the bit. */
function steadyModel(change: Partial<FakeModel> = {}): FakeModel {
  const vectorOf = (ids: Int32Array) => {
    const vector = new Float32Array(8);
    for (const [place, id] of ids.entries()) vector[place % 8]! += Math.sin(id * 0.37 + place);
    const norm = Math.hypot(...vector);
    return vector.map((value) => value / norm);
  };
  const model = fakeModel({
    encode: async (sequences) => {
      model.encoded += sequences.length;
      return Float32Array.from(sequences.flatMap((ids) => [...vectorOf(ids)]));
    },
    ...change,
  });
  return model;
}

const encode = (model: FakeModel, request: Omit<Parameters<typeof encodeTexts>[2], 'batchTokens'>) =>
  encodeTexts(nodePlatform, model, { ...request, batchTokens: 512 });

test('windows: equally long, overlapping by as much as asked, the last moved back to end with the text', () => {
  assert.deepEqual(passageSpans(10, 4, 1), [[0, 4], [3, 7], [6, 10]]); // biome-ignore format: pairs
  assert.deepEqual(passageSpans(11, 4, 1), [[0, 4], [3, 7], [6, 10], [7, 11]]); // biome-ignore format: pairs
  assert.deepEqual(passageSpans(3, 4, 1), [[0, 3]]);
  assert.deepEqual(passageSpans(0, 4, 1), [[0, 0]]);
  fc.assert(
    fc.property(fc.nat(300), fc.integer({ min: 1, max: 40 }), fc.nat(39), (count, room, wish) => {
      const overlap = Math.min(wish, room - 1);
      const spans = passageSpans(count, room, overlap);
      assert.deepEqual([spans[0]![0], spans.at(-1)![1]], [0, count]);
      for (const [i, [from, to]] of spans.entries()) {
        assert.equal(to - from, Math.min(room, count));
        if (i === 0) continue;
        const shared = spans[i - 1]![1] - from;
        assert.ok(i === spans.length - 1 ? shared >= overlap : shared === overlap);
        assert.ok(from > spans[i - 1]![0]);
      }
    }),
  );
});

test('tokens: prompt and special tokens in every passage, the first as a plain limit cuts it', async () => {
  const tokenizer = await loadTokenizer(nodePlatform, fakeModel().folder);
  const input = texts(60, 120);
  for (const prompt of ['', 'the sensor: ']) {
    const lead = prompt === '' ? [] : tokenizer.tokens(prompt);
    const [size, overlap] = [24, 6];
    const plain = tokenizeTexts(tokenizer, input, prompt, size);
    const cut = tokenizePassages(tokenizer, input, prompt, { size, overlap });
    const room = size - tokenizer.prefix.length - tokenizer.suffix.length - lead.length;
    let at = 0;
    for (const [i, text] of input.entries()) {
      const own = tokenizer.tokens(text);
      const passages = Array.from({ length: cut.passages![i]! }, () =>
        Array.from(cut.ids.subarray(cut.starts[at]!, cut.starts[++at]!)),
      );
      const expected = passageSpans(own.length, room, overlap).map(([from, to]) => [
        ...tokenizer.prefix,
        ...lead,
        ...own.slice(from, to),
        ...tokenizer.suffix,
      ]);
      assert.deepEqual(passages, expected);
      assert.deepEqual(passages[0], Array.from(plain.ids.subarray(plain.starts[i]!, plain.starts[i + 1]!)));
    }
    assert.equal(at, cut.starts.length - 1);
    assert.equal(cut.truncated, 0);
    assert.equal(cut.promptTokens, plain.promptTokens);
    const two = tokenizePassages(tokenizer, input, prompt, { size, overlap, most: 2 });
    assert.deepEqual(
      [...two.passages!],
      [...cut.passages!].map((count) => Math.min(count, 2)),
    );
    assert.equal(two.truncated, [...cut.passages!].filter((count) => count > 2).length);
  }
  assert.throws(() => tokenizePassages(tokenizer, ['lens'], '', { size: 8, overlap: 6 }), /overlap by as much/);
});

test('where every text fits in one passage the vectors are those without passages, bit for bit', async (t) => {
  const input = texts(700, 30);
  const model = fakeModel(); // its last bits tell batches apart
  const plain = await encode(model, { texts: input });
  const { batches } = model;
  for (const vectors of [undefined, scratch(t)]) {
    const again = fakeModel();
    const cut = await encode(again, { texts: input, passages: { overlap: 16 }, ...(vectors ? { vectors } : {}) });
    assert.deepEqual(again.batches, batches);
    assert.deepEqual(await cut.read(), await plain.read());
    for (const dimensions of [8, 5]) {
      const narrow = await encode(fakeModel(), { texts: input, dimensions });
      const means: number[] = [];
      for await (const { from, vectors } of passageMeans(cut, { normalise: true, dimensions }).blocks(100)) {
        assert.equal(from, means.length / dimensions);
        means.push(...vectors);
      }
      assert.deepEqual(means, [...(await narrow.read())]);
    }
  }
});

test('every passage has the vector of its tokens; stored ones are found again, an interrupted run goes on', async (t) => {
  const vectors = scratch(t);
  const input = texts(300, 200);
  const passages = { overlap: 10, most: 5 };
  const first = steadyModel();
  const request = { texts: input, maxLength: 40, passages, vectors };
  const encoded = await encode(first, request);
  const tokenizer = await loadTokenizer(nodePlatform, first.folder);
  const cut = tokenizePassages(tokenizer, input, '', { size: 40, ...passages });
  const sequences = Array.from({ length: cut.starts.length - 1 }, (_, i) =>
    cut.ids.subarray(cut.starts[i]!, cut.starts[i + 1]!),
  );
  assert.deepEqual(await encoded.read(), await steadyModel().encode(sequences));
  assert.equal(encoded.count, sequences.length);
  assert.deepEqual(
    [...encoded.passageRows!].slice(1).map((end, i) => end - encoded.passageRows![i]!),
    [...cut.passages!],
  );
  const { texts: count, computed, truncated, tokens } = encoded.summary;
  assert.deepEqual([count, computed, truncated, tokens], [300, 300, cut.truncated, cut.ids.length]);

  const again = steadyModel();
  const found = await encode(again, request);
  assert.equal(again.encoded, 0);
  assert.deepEqual(await found.read(), await encoded.read());
  assert.deepEqual(found.passageRows, encoded.passageRows);
  for (const change of [{ overlap: 9, most: 5 }, { overlap: 10 }, undefined]) {
    const other = steadyModel();
    await encode(other, { ...request, ...(change ? { passages: change } : { passages: undefined as never }) });
    assert.ok(other.encoded >= 300, 'other passages are other vectors');
  }

  const abort = new AbortController();
  const stopped = steadyModel();
  const { encode: run } = stopped;
  const folder = scratch(t);
  const stopping = {
    ...stopped,
    encode: async (...given: Parameters<typeof run>) => {
      if (stopped.encoded > 400) abort.abort();
      return run(...given);
    },
  };
  await assert.rejects(encode(stopping, { ...request, vectors: folder, signal: abort.signal }), { name: 'AbortError' });
  const rest = steadyModel();
  const resumed = await encode(rest, { ...request, vectors: folder });
  assert.ok(rest.encoded < sequences.length && rest.encoded > 0);
  assert.deepEqual(await resumed.read(), await encoded.read());
  assert.deepEqual(resumed.passageRows, encoded.passageRows);
});

const plain: MatrixProduct = {
  async multiply(a, m, b, n, k) {
    const result = new Float32Array(m * n);
    for (let i = 0; i < m; i++)
      for (let j = 0; j < n; j++) for (let d = 0; d < k; d++) result[i * n + j]! += a[i * k + d]! * b[j * k + d]!;
    return result;
  },
  async close() {},
};

test('max and mean: scores and rankings of a plain computation, whatever the blocks', async () => {
  const input = texts(90, 150, 3);
  const model = steadyModel();
  const encoded = await encode(model, { texts: input, maxLength: 20, passages: { overlap: 5 } });
  const all = await encoded.read();
  const rows = encoded.passageRows!;
  assert.ok(rows.at(-1)! > 400);
  const queries = await (await encode(model, { texts: texts(9, 15, 4) })).read();
  const dot = (vector: ArrayLike<number>, query: number) =>
    Array.from(vector).reduce((sum, value, i) => sum + value * queries[query * 8 + i]!, 0);
  const own = (document: number) =>
    Array.from({ length: rows[document + 1]! - rows[document]! }, (_, i) =>
      all.subarray((rows[document]! + i) * 8, (rows[document]! + i + 1) * 8),
    );
  const mean = (vectors: Float32Array[]) => {
    const sums = Array.from({ length: 8 }, (_, i) => vectors.reduce((sum, vector) => sum + vector[i]!, 0));
    return sums.map((value) => value / Math.hypot(...sums));
  };
  const naive = {
    max: (document: number, query: number) => Math.max(...own(document).map((vector) => dot(vector, query))),
    mean: (document: number, query: number) => dot(mean(own(document)), query),
  };
  const documentDay = Int32Array.from(input, (_, row) => row % 7);
  const queryDay = Int32Array.from({ length: 9 }, (_, query) => query + 1);
  for (const [aggregate, documents] of [
    ['max', passageBlocks(encoded)],
    ['mean', passageMeans(encoded, { normalise: true })],
  ] as const) {
    for (const documentBlock of [1, 50, 4096]) {
      for (const k of [5, 1000]) {
        const filter = { excluded: (query: number) => [query, 40, 89], documentDay, queryDay };
        const found = await searchExact(documents, queries, {
          product: plain,
          k,
          filter,
          documentBlock,
          queryBlock: 4,
        });
        for (const [query, ranking] of found.entries()) {
          const allowed = input
            .map((_, document) => document)
            .filter((row) => ![query, 40, 89].includes(row) && documentDay[row]! < queryDay[query]!);
          const scores = allowed.map((document) => naive[aggregate](document, query)).sort((a, b) => b - a);
          assert.equal(ranking.rows.length, Math.min(k, allowed.length));
          assert.equal(new Set(ranking.rows).size, ranking.rows.length);
          for (const [rank, row] of ranking.rows.entries()) {
            assert.ok(allowed.includes(row));
            assert.ok(Math.abs(ranking.scores[rank]! - naive[aggregate](row, query)) < 1e-6);
            assert.ok(Math.abs(ranking.scores[rank]! - scores[rank]!) < 1e-6);
          }
        }
      }
    }
  }
});

test('a mean of vectors that are not of length 1 is the mean', async () => {
  const model = steadyModel();
  const long = fakeModel({ encode: async (sequences) => (await model.encode(sequences)).map((value) => 3 * value) });
  const encoded = await encode(long, { texts: texts(5, 90, 8), maxLength: 12, passages: { overlap: 0 } });
  const all = await encoded.read();
  for await (const { vectors } of passageMeans(encoded, { normalise: false }).blocks()) {
    for (let document = 0; document < 5; document++) {
      const [from, to] = [encoded.passageRows![document]!, encoded.passageRows![document + 1]!];
      let sum = 0;
      for (let row = from; row < to; row++) sum += all[row * 8]!;
      assert.ok(Math.abs(vectors[document * 8]! - sum / (to - from)) < 1e-6);
    }
  }
});

test('options out of range are named', () => {
  const good = { size: 256, overlap: 64, aggregate: 'max' as const };
  assert.equal(checkPassages(good), good);
  for (const [change, field] of [
    [{ size: 0 }, 'size'],
    [{ overlap: 256 }, 'overlap'],
    [{ aggregate: 'median' as never }, 'aggregate'],
    [{ most: 1.5 }, 'most'],
    [{ queries: 'last' as never }, 'queries'],
  ] as const)
    assert.throws(
      () => checkPassages({ ...good, ...change }),
      (error: PatentlabError) => error.code === 'encode.passages' && error.details.field === `passages ${field}`,
    );
});
