/** A vocabulary of real patents against Hugging Face's trainer (PATENTLAB_PYTHON with `tokenizers`). */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { specialTokens, trainWordPiece } from '../../src/tokenizer/index.ts';
import { missing, realData } from '../support/data.ts';
import { missingPython, python } from '../support/python.ts';
import { scratch } from '../support/scratch.ts';

test('8,192 entries from title and abstract of 1,252 ultrasound patents', {
  skip: missing('ultrasound_us.jsonl.gz') || missingPython('tokenizers'),
}, async (t) => {
  const texts = gunzipSync(readFileSync(realData('ultrasound_us.jsonl.gz')))
    .toString('utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { title?: string | null; abstract?: string | null })
    .map(({ title, abstract }) => `${title ?? ''}\n${abstract ?? ''}`);
  const start = performance.now();
  const { tokens, words } = await trainWordPiece(texts, { size: 8192 });
  t.diagnostic(`${texts.length} texts, ${words} words: ${((performance.now() - start) / 1000).toFixed(2)} s`);
  assert.equal(tokens.length, 8192);

  const folder = scratch(t);
  const first = tokens.filter(
    (token, id) => id < specialTokens.length || [...token.replace(/^##(?=.)/u, '')].length === 1,
  );
  const [input, given, output] = ['texts', 'first', 'tokens'].map((name) => join(folder, `${name}.json`)) as [
    string,
    string,
    string,
  ];
  writeFileSync(input, JSON.stringify(texts));
  writeFileSync(given, JSON.stringify(first));
  const script = join(import.meta.dirname, '..', 'oracle', 'wordpiece.py');
  const run = spawnSync(python, [script, input, '8192', '2', '1000', given, output], { encoding: 'utf8' });
  assert.equal(run.status, 0, run.stderr);
  assert.deepEqual(tokens, JSON.parse(readFileSync(output, 'utf8')));
});
