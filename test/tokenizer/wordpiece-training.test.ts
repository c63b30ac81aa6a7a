/** Vocabulary training against Hugging Face's WordPieceTrainer (test/oracle/wordpiece.py). */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { Tokenizer } from 'tokenizers';
import { specialTokens, TextTokenizer, trainWordPiece, wordPieceFiles } from '../../src/tokenizer/index.ts';

const fixture = (name: string): unknown =>
  JSON.parse(readFileSync(join(import.meta.dirname, '..', 'fixtures', 'wordpiece', name), 'utf8'));
const texts = fixture('texts.json') as string[];
const cases = fixture('vocabularies.json') as {
  size: number;
  minFrequency: number;
  limitAlphabet: number;
  tokens: string[];
}[];

for (const { tokens, ...options } of cases) {
  test(`the vocabulary of Hugging Face's trainer: ${JSON.stringify(options)}`, async () => {
    assert.deepEqual((await trainWordPiece(texts, options)).tokens, tokens);
  });
}

test('the tokenizer written for a vocabulary splits as the native one does', async () => {
  const { tokens } = await trainWordPiece(texts, { size: 900 });
  const files = wordPieceFiles(tokens, 64);
  const ours = new TextTokenizer(files);
  const native = Tokenizer.fromString(files.tokenizer);
  for (const text of [...texts, 'Unseen words: zyxw 12345 … 漢字'])
    assert.deepEqual([...ours.encode(text).ids], (await native.encode(text)).getIds(), text);
  for (const [id, token] of tokens.entries()) assert.equal(ours.token(id), token);
});

test('every word of the training texts is spelt by the vocabulary, whatever the texts are', async () => {
  const words = fc.array(fc.string({ unit: fc.constantFrom('a', 'b', 'é', '漢', '-', ' ', '1'), minLength: 1 }));
  await fc.assert(
    fc.asyncProperty(words, async (texts) => {
      if (!texts.some((text) => text.trim() !== '')) return;
      const { tokens } = await trainWordPiece(texts, { size: 40, minFrequency: 1 });
      assert.equal(new Set(tokens).size, tokens.length);
      const tokenizer = new TextTokenizer(wordPieceFiles(tokens));
      for (const text of texts) assert.ok(!tokenizer.tokens(text).includes(1), text); // no [UNK]
    }),
    { numRuns: 100 },
  );
});

test('the table of words stays within its bound, and says what it forgot', async () => {
  const many = Array.from({ length: 300 }, (_, i) => `common word w${i} common`);
  const { tokens, words, pruned } = await trainWordPiece(many, { size: 80, maxWords: 50 });
  assert.equal(words, 1200);
  assert.ok(pruned > 200 && pruned < 400, String(pruned));
  assert.ok(tokens.includes('common') && tokens.includes('word'));
  assert.equal((await trainWordPiece(many, { size: 80 })).pruned, 0);
});

test('settings and texts that give no vocabulary are refused by name', async () => {
  await assert.rejects(trainWordPiece(['a'], { size: 5 }), { code: 'tokenizer.vocabulary' });
  await assert.rejects(trainWordPiece([' ', '']), { code: 'tokenizer.vocabulary-empty' });
});

test('words come apart at every kind of blank as in the whole text', async () => {
  const joined = ['one two', 'a\u00a0b\u2003c d', 'x\u0085y\u2028z', 'e \u0301f g\u0301 h'];
  const one = await trainWordPiece([joined.join(' \n\t\r\n ')], { minFrequency: 1 });
  const tokenizer = new TextTokenizer(wordPieceFiles(specialTokens));
  assert.equal(one.words, tokenizer.words(joined.join(' \n\t\r\n ')).length);
  assert.deepEqual(one.tokens, (await trainWordPiece(joined, { minFrequency: 1 })).tokens);
});
