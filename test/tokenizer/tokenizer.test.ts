import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import native from 'tokenizers';
import { PatentlabError } from '../../src/base/errors.ts';
import { nodePlatform } from '../../src/base/node/platform.ts';
import { nextCut } from '../../src/tokenizer/cut.ts';
import { loadTokenizer, TextTokenizer } from '../../src/tokenizer/index.ts';
import { missing } from '../support/data.ts';
import { missingModel, realModel } from '../support/models.ts';
import { scratch } from '../support/scratch.ts';
import { oddText, titleAbstract, ultrasound, wholeText } from '../support/texts.ts';

const fixtures = join(import.meta.dirname, '..', 'fixtures', 'tokenizers');
const kinds = ['wordpiece', 'bytes', 'unigram', 'marks'];
const load = (kind: string) => loadTokenizer(nodePlatform, join(fixtures, kind));

function nativeTokenizer(folder: string): native.Tokenizer {
  const oracle = native.Tokenizer.fromFile(join(folder, 'tokenizer.json'));
  oracle.disableTruncation();
  oracle.disablePadding();
  return oracle;
}

for (const kind of kinds) {
  test(`${kind}: ids equal the native tokenizer's`, async () => {
    const ours = await load(kind);
    const oracle = nativeTokenizer(join(fixtures, kind));
    await fc.assert(
      fc.asyncProperty(oddText, async (text) => {
        assert.deepEqual([...ours.encode(text).ids], (await oracle.encode(text)).getIds());
      }),
      { numRuns: 150, seed: 1 },
    );
  });

  test(`${kind}: the tokens before a cut are the first tokens of the whole text`, async () => {
    const tokenizer = await load(kind);
    assert.ok(tokenizer.cuts);
    fc.assert(
      fc.property(oddText, fc.nat(1500), (text, from) => {
        const cut = nextCut(text, from);
        if (cut === undefined) return;
        assert.ok(cut >= from && cut < text.length);
        const piece = tokenizer.tokens(text.slice(0, cut));
        assert.deepEqual(piece, tokenizer.tokens(text).slice(0, piece.length));
      }),
      { numRuns: 300, seed: 2 },
    );
  });

  test(`${kind}: a limited encoding is the first part of the whole one, special tokens kept`, async () => {
    const tokenizer = await load(kind);
    const [before, after] = [tokenizer.prefix.length, tokenizer.suffix.length];
    fc.assert(
      fc.property(oddText, fc.integer({ min: 2, max: 80 }), (text, maxLength) => {
        const whole = tokenizer.tokens(text);
        const { ids, truncated } = tokenizer.encode(text, { maxLength });
        const kept = whole.slice(0, maxLength - before - after);
        assert.deepEqual([...ids], [...tokenizer.prefix, ...kept, ...tokenizer.suffix]);
        assert.equal(truncated, kept.length < whole.length);
      }),
      { numRuns: 300, seed: 3 },
    );
  });
}

test('special tokens of the fixtures', async () => {
  const sides = await Promise.all(kinds.map(load));
  assert.deepEqual(
    sides.map(({ prefix, suffix }) => [prefix, suffix]),
    [
      [[2], [3]],
      [[0], [2]],
      [[0], [2]],
      [[1], []],
    ],
  );
});

test('a long text is not tokenised whole', async (t) => {
  const tokenizer = await load('wordpiece');
  let longest = 0;
  const inner = tokenizer.tokens.bind(tokenizer);
  t.mock.method(tokenizer, 'tokens', (text: string) => {
    longest = Math.max(longest, text.length);
    return inner(text);
  });
  const text = 'the ultrasonic transducer drives a lens in the tissue of the patient '.repeat(3000);
  const { ids, truncated } = tokenizer.encode(text, { maxLength: 256 });
  assert.equal(ids.length, 256);
  assert.equal(truncated, true);
  assert.ok(longest < 6000, `tokenised ${longest} characters`);
});

test('a text without a place to cut is taken whole', async () => {
  const tokenizer = await load('bytes');
  const text = '0123456789'.repeat(2000);
  assert.equal(tokenizer.encode(text, { maxLength: 16 }).ids.length, 16);
});

test('texts are never cut where a stage of the tokenizer is unknown', () => {
  const description = JSON.parse(readFileSync(join(fixtures, 'bytes', 'tokenizer.json'), 'utf8'));
  const cuts = (change: object) =>
    new TextTokenizer({ tokenizer: JSON.stringify({ ...description, ...change }), config: '{}', folder: 'x' }).cuts;
  assert.equal(cuts({}), true);
  const split = (Regex: string, behavior = 'Isolated') => ({
    pre_tokenizer: { type: 'Split', pattern: { Regex }, behavior, invert: false },
  });
  assert.equal(cuts(split('\\p{L}+ \\p{L}+')), false);
  assert.equal(cuts({ pre_tokenizer: null }), false);
  assert.equal(cuts({ normalizer: { type: 'Replace', pattern: { String: 'a b' }, content: 'c' } }), false);
  const spanning = { ...description.added_tokens[0], id: 999, content: 'first claim' };
  assert.equal(cuts({ added_tokens: [...description.added_tokens, spanning] }), false);
});

test('what tokenizer_config.json says of a BERT normaliser counts, as in transformers', () => {
  const tokenizer = readFileSync(join(fixtures, 'wordpiece', 'tokenizer.json'), 'utf8');
  const make = (config: object) => new TextTokenizer({ tokenizer, config: JSON.stringify(config), folder: 'x' });
  const lower = make({}).tokens('lens');
  assert.deepEqual(make({}).tokens('LENS'), lower);
  assert.notDeepEqual(make({ do_lower_case: false }).tokens('LENS'), lower);
});

test('errors name the file and what to do', async (t) => {
  const folder = scratch(t);
  await assert.rejects(loadTokenizer(nodePlatform, folder), (error) => {
    assert.ok(error instanceof PatentlabError && error.code === 'tokenizer.missing');
    return /tokenizer\.json/.test(error.describe());
  });
  await nodePlatform.files.writeAtomic(join(folder, 'tokenizer.json'), '{"model": ');
  await assert.rejects(loadTokenizer(nodePlatform, folder), { code: 'tokenizer.json' });
  await nodePlatform.files.writeAtomic(join(folder, 'tokenizer.json'), '{"model": {"type": "Nonsense"}}');
  await assert.rejects(loadTokenizer(nodePlatform, folder), { code: 'tokenizer.unsupported' });
  const tokenizer = await load('wordpiece');
  assert.throws(() => tokenizer.encode('lens', { maxLength: 1 }), { code: 'tokenizer.length' });
});

const skip = missing('ultrasound_us.jsonl.gz') || missingModel('all-MiniLM-L6-v2');

test("MiniLM: ids of 34 real patents equal the native tokenizer's, cut or whole", { skip }, async () => {
  const folder = realModel('all-MiniLM-L6-v2');
  const ours = await loadTokenizer(nodePlatform, folder);
  const oracle = nativeTokenizer(folder);
  let row = 0;
  for await (const patent of ultrasound(1000)) {
    if (row++ % 30 !== 0) continue;
    const text = wholeText(patent);
    const expected = (await oracle.encode(text)).getIds();
    assert.deepEqual([...ours.encode(text).ids], expected, patent.id);
    const limited = ours.encode(text, { maxLength: 256 });
    assert.deepEqual([...limited.ids], expected.length <= 256 ? expected : [...expected.slice(0, 255), 102], patent.id);
    assert.equal(limited.truncated, expected.length > 256);
    const short = titleAbstract(patent);
    assert.deepEqual([...ours.encode(short).ids], (await oracle.encode(short)).getIds(), patent.id);
  }
});

test("MiniLM: ids of odd texts equal the native tokenizer's", { skip: missingModel('all-MiniLM-L6-v2') }, async () => {
  const folder = realModel('all-MiniLM-L6-v2');
  const ours = await loadTokenizer(nodePlatform, folder);
  const oracle = nativeTokenizer(folder);
  await fc.assert(
    fc.asyncProperty(oddText, async (text) => {
      assert.deepEqual([...ours.encode(text).ids], (await oracle.encode(text)).getIds());
    }),
    { numRuns: 300, seed: 4 },
  );
});

test('tiny tokenizers: real patents, cut or whole', { skip: missing('ultrasound_us.jsonl.gz') }, async () => {
  for (const kind of kinds) {
    const ours = await load(kind);
    const oracle = nativeTokenizer(join(fixtures, kind));
    for await (const patent of ultrasound(4)) {
      const text = wholeText(patent).slice(0, 20_000);
      const expected = (await oracle.encode(text)).getIds();
      assert.deepEqual([...ours.encode(text).ids], expected, `${kind} ${patent.id}`);
      const kept = expected.slice(0, Math.min(128, expected.length) - ours.suffix.length);
      const limited = ours.encode(text, { maxLength: 128 }).ids;
      assert.deepEqual(
        [...limited],
        expected.length <= 128 ? expected : [...kept, ...ours.suffix],
        `${kind} ${patent.id}`,
      );
    }
  }
});
