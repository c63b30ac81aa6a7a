import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inventedStamp } from '../../src/report/page.ts';
import { renderTerminal } from '../../src/report/terminal.ts';
import { fakeResults } from './fake-results.ts';

test('the relevance statement comes first and every line fits 100 columns', () => {
  const results = fakeResults({
    systems: [
      { model: 'bm25' },
      { model: 'a-very-long-organisation/a-model-with-a-very-long-name-v2.5@int8' },
      { model: 'lsa' },
    ],
  });
  const lines = renderTerminal(results).split('\n');
  assert.ok(results.relevanceStatement.startsWith(lines[0]!));
  for (const line of lines) assert.ok([...line].length <= 100, `${[...line].length}: ${line}`);
  assert.match(lines.join('\n'), /nDCG@10 \[95 %\]/);
  assert.match(lines.join('\n'), /ultrasound-us {2}1,046 queries, 1,255 documents/);
});

test('no colour where none is wanted, colour where it is', () => {
  const results = fakeResults({ views: ['TA'] });
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the escape that colours begin with
  const colour = /\u001B/;
  assert.doesNotMatch(renderTerminal(results, { color: false }), colour);
  assert.doesNotMatch(renderTerminal(results), colour); // tests do not run on a terminal
  assert.match(renderTerminal(results, { color: true }), colour);
});

test('invented data is stamped above and below', () => {
  const lines = renderTerminal(fakeResults({ invented: true, views: ['TA'] }))
    .trimEnd()
    .split('\n');
  assert.equal(lines.filter((line) => line === inventedStamp).length, 2);
  assert.equal(lines.at(-1), inventedStamp);
});

test('names cannot steer the terminal', () => {
  const results = fakeResults({
    views: ['T\u001B[2J'],
    systems: [{ model: 'evil\u001B]0;x\u0007' }, { model: 'bm25' }],
  });
  // biome-ignore lint/suspicious/noControlCharactersInRegex: what must not come through
  assert.doesNotMatch(renderTerminal(results, { color: false }), /[\u0000-\u0009\u000B-\u001F\u007F]/);
});
