/** TREC files: chunks cut anywhere, and errors that name the line. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { readFamilies, readJudgements, readRun, runLines } from '../../src/metrics/trec.ts';

const file = 'some.file';

test('reads judgements with any white space, blank lines, comments, CRLF and a BOM', async () => {
  const text = '\ufeff# made by hand\r\n1 0 a 1\r\n\r\n  1\t0  b\t-1 \n2 0 a 0\n1 0 c +2';
  assert.deepEqual(
    await readJudgements([text], { file }),
    new Map([
      ['1', new Map([['a', 1], ['b', -1], ['c', 2]])],
      ['2', new Map([['a', 0]])],
    ]), // biome-ignore format: a table
  );
});

test('reads a run whose topics alternate and whose lines end in more words', async () => {
  const { run, tag } = await readRun(['1 Q0 a 1 2.5 tag\n2 Q0 a 1 1e1 tag more\n1 Q0 b 2 -3 last word'], { file });
  assert.equal(tag, 'last');
  assert.deepEqual(run.get('1'), { documents: ['a', 'b'], scores: Float64Array.of(2.5, -3) });
  assert.deepEqual(run.get('2'), { documents: ['a'], scores: Float64Array.of(10) });
});

test('where the text is cut does not matter', async () => {
  const text = '10 Q0 US1 1 2.5 tag\n10 Q0 日本2 2 2.25 tag\n\n11 Q0 US1 1 1 tag\n';
  const whole = await readRun([text], { file });
  await fc.assert(
    fc.asyncProperty(fc.array(fc.nat(text.length)), async (cuts) => {
      const at = [0, ...cuts.sort((a, b) => a - b), text.length];
      const chunks = at.slice(1).map((to, i) => text.slice(at[i], to));
      assert.deepEqual(await readRun(chunks, { file }), whole);
    }),
  );
});

test('a run written is the run read', async () => {
  const entry = fc.uniqueArray(
    fc.tuple(fc.stringMatching(/^[A-Z]{2}\d{1,9}$/), fc.double({ noNaN: true, noDefaultInfinity: true })),
    {
      selector: ([id]) => id,
      minLength: 1,
    },
  );
  await fc.assert(
    fc.asyncProperty(fc.dictionary(fc.stringMatching(/^[a-z]\w{0,8}$/), entry, { minKeys: 1 }), async (topics) => {
      const run = new Map(
        Object.entries(topics).map(([topic, entries]) => [
          topic,
          { documents: entries.map(([id]) => id), scores: Float64Array.from(entries, ([, score]) => score + 0) },
        ]),
      );
      assert.deepEqual((await readRun(runLines(run, 'tag'), { file })).run, run);
    }),
  );
});

test('reads scores as Number does', async () => {
  const digits = fc.stringMatching(/^-?\d{0,17}\.?\d{0,17}(e-?\d{1,2})?$/);
  const read = async (text: string) => (await readRun([`1 Q0 a 1 ${text} t`], { file })).run.get('1')!.scores[0]!;
  await fc.assert(
    fc.asyncProperty(
      fc.oneof(digits, fc.double({ noDefaultInfinity: true, noNaN: true }).map(String)),
      async (text) => {
        fc.pre(text !== '' && Number.isFinite(Number(text)));
        assert.equal(await read(text), Number(text));
      },
    ),
    { numRuns: 500 },
  );
  for (const text of ['.', '-', '-.', '1.2.3', '--1', '1,5']) await assert.rejects(read(text), { code: 'trec.score' });
});

const judgementErrors = [
  ['1 0 a 1\n1 0 b', 'trec.columns', 2],
  ['1 0 a 1 x', 'trec.columns', 1],
  ['1 0 a 1\n\n# c\n1 0 b one', 'trec.relevance', 4],
  ['1 0 a 1.5', 'trec.relevance', 1],
  ['1 0 a -', 'trec.relevance', 1],
  ['1 0 a 1\n2 0 a 1\n1 0 a 0', 'trec.duplicate', 3],
  ['\n\n', 'trec.empty', undefined],
] as const;

const runErrors = [
  ['1 Q0 a 1 2.5', 'trec.columns', 1],
  ['1 Q0 a 1 2 t\n1 Q0 b 2 high t', 'trec.score', 2],
  ['1 Q0 a 1 NaN t', 'trec.score', 1],
  ['1 Q0 a 1 1e999 t', 'trec.score', 1],
  ['1 Q0 a 1 2 t\n2 Q0 a 1 2 t\n1 Q0 b 2 1 t\n1 Q0 a 3 0 t', 'trec.duplicate', 4],
  ['', 'trec.empty', undefined],
] as const;

for (const [read, errors] of [
  [readJudgements, judgementErrors],
  [readRun, runErrors],
] as const) {
  for (const [text, code, line] of errors) {
    test(`${read.name} of ${JSON.stringify(text)} fails with ${code}`, async () => {
      await assert.rejects(
        read([text], { file }),
        (error: { code: string; details: { file: string; line?: number } }) => {
          assert.deepEqual([error.code, error.details.file, error.details.line], [code, file, line]);
          return true;
        },
      );
    });
  }
}

test('families: one a topic', async () => {
  assert.deepEqual(await readFamilies(['1 f\n2 f\n'], { file }), new Map([['1', 'f'], ['2', 'f']])); // biome-ignore format: a table
  await assert.rejects(readFamilies(['1 f\n1 g\n'], { file }), { code: 'trec.duplicate' });
  await assert.rejects(readFamilies(['1 f g\n'], { file }), { code: 'trec.columns' });
});

test('no text makes the readers fail with anything but an error of the input', async () => {
  const word = fc.oneof(fc.string({ maxLength: 6 }), fc.constantFrom('1', 'Q0', '0', '#', '\n', '\t', '1e5', '\u0000'));
  await fc.assert(
    fc.asyncProperty(
      fc.array(word).map((words) => words.join(' ')),
      async (text) => {
        for (const read of [readJudgements, readRun]) {
          await read([text], { file }).catch((error: { name: string }) => assert.equal(error.name, 'PatentlabError'));
        }
      },
    ),
  );
});
