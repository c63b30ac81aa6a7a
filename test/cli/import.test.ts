import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { cli } from '../support/cli.ts';
import { scratch } from '../support/scratch.ts';

const lines = [
  '{"id":"US4000001A","title":"One","abstract":"A valve.","cites":["US4000002A","EP1A1"],"labels":["x"]}',
  '{"id":"US4000002A","title":"Two","abstract":"A wheel.","labels":["y"]}',
  '{"title":"no id"}',
  '{"id":"US4000001A","claims":"1. A valve."}',
];

test('import, corpus list, show, remove', async (t) => {
  const home = scratch(t);
  mkdirSync(join(home, 'in'));
  writeFileSync(join(home, 'in', 'a.jsonl'), `${lines.join('\n')}\n`);
  const imported = await cli(['import', join(home, 'in'), '--as', 'mine', '--home', home, '--json']);
  assert.equal(imported.code, 0, imported.stderr);
  const result = JSON.parse(imported.stdout);
  assert.deepEqual(
    [
      result.corpus,
      result.read,
      result.stored,
      result.duplicates,
      result.rejected,
      result.citationsInside,
      result.labels,
    ],
    ['mine', 4, 2, 1, 1, 1, 2],
  );
  assert.equal(result.fields.title.present, 2);
  const reject = JSON.parse(readFileSync(result.rejects, 'utf8'));
  assert.equal(reject.line, 3);
  assert.match(reject.file, /a\.jsonl$/);

  const listed = await cli(['corpus', 'list', '--home', home]);
  assert.match(listed.stdout, /mine +2 +1/);
  const shown = await cli(['corpus', 'show', 'mine', '--home', home]);
  assert.match(shown.stdout, /yes +retrieval by cites +1 patents cite 1 times inside/);
  assert.match(shown.stdout, /no +classification by CPC +no CPC codes/);
  const json = JSON.parse((await cli(['corpus', 'show', 'mine', '--home', home, '--json'])).stdout);
  assert.equal(json.size, 2);
  assert.equal(json.citations.unresolved, 1);

  const removed = await cli(['corpus', 'remove', 'mine', '--home', home]);
  assert.equal(removed.code, 0);
  assert.ok(!existsSync(join(home, 'corpora', 'mine')));
});

test('a person reads what was guessed, what was refused and what to do next', async (t) => {
  const home = scratch(t);
  const source = join(home, 'a.jsonl');
  writeFileSync(source, `${lines.join('\n')}\n`);
  const { code, stdout } = await cli(['import', source, '--as', 'mine', '--home', home, '--quiet']);
  assert.equal(code, 0);
  assert.match(stdout, /corpus "mine", revision 1: 2 patents/);
  assert.match(stdout, /read 4 rows: 2 new, 1 of patents that were there already, 1 rejected/);
  assert.match(stdout, /abstract +<- +abstract +guessed/);
  assert.match(stdout, /patentlab evaluate mine --model bm25,lsa --view T,TA/);
});

test('the card counts patents with all sections of a view, entries a patent, and all values beyond the first', async (t) => {
  const home = scratch(t);
  const source = join(home, 'a.jsonl');
  const rows = Array.from({ length: 30 }, (_, i) => ({
    id: `US40000${10 + i}A`,
    ...(i < 20 ? { title: 'A valve' } : {}),
    ...(i >= 15 ? { abstract: 'It opens.' } : {}),
    labels: [`label ${i}`, 'common'],
  }));
  writeFileSync(source, rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
  const { stdout } = await cli(['import', source, '--as', 'mine', '--home', home, '--quiet']);
  assert.match(stdout, /yes +view TA +5 of 30 patents/);
  assert.match(stdout, /labels +30 +100 % +60 in all, 2\.0 each/);
  assert.match(stdout, /labels +31: common 30, (label \d+ 1, ){7}and 23 more/);
});

test('the suggested views are those that the corpus has, and what guessing decided is told', async (t) => {
  const home = scratch(t);
  const suggested = async (fields: Record<string, string>, ofOne: Record<string, string> = {}) => {
    const source = join(home, 'a.jsonl');
    const rows = [1, 2, 3].map((i) => ({
      ...{ id: `US400000${i}A`, date: '2001-01-01', cites: ['US4000002A'], ...fields },
      ...(i === 1 ? ofOne : {}),
    }));
    writeFileSync(source, rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
    const name = Object.keys({ ...fields, ...ofOne }).join('-');
    const { stdout } = await cli(['import', source, '--as', name, '--home', home, '--quiet']);
    assert.match(stdout, /note: the kind of date in "date" is not named: kept under extra only/);
    return /--view (\S+)/.exec(stdout)?.[1];
  };
  const title = 'A valve';
  const abstract = 'A valve that opens.';
  const claims = '1. A valve. 2. A valve of claim 1.';
  const description = 'It opens by a spring.';
  assert.equal(await suggested({ title }), 'T');
  assert.equal(await suggested({ abstract }), 'A');
  assert.equal(await suggested({ title, claims }), 'T,C');
  assert.equal(await suggested({ title, firstClaim: '1. A valve.' }), 'T,C1');
  assert.equal(await suggested({ abstract, claims }), 'A,AC');
  assert.equal(await suggested({ title, abstract }), 'T,TA');
  assert.equal(await suggested({ title, abstract, claims, description }), 'T,TA,TAC,full');
  assert.equal(await suggested({ title }, { description }), 'T', 'one description of three');
});

test('wrong use gets one message and exit code 2', async (t) => {
  const home = scratch(t);
  const source = join(home, 'a.jsonl');
  writeFileSync(source, `${lines.join('\n')}\n`);
  const wrong: [string[], RegExp][] = [
    [['import', join(home, 'none.csv'), '--as', 'mine'], /none\.csv: there is nothing to import/],
    [['import', source, '--as', '../x'], /cannot be the name of a corpus/],
    [
      ['import', source, '--as', 'mine', '--map', 'title'],
      /field --map: a column mapping is not readable[\s\S]*expected: field=path/,
    ],
    [['import', source, '--as', 'mine', '--map', 'title=nowhere'], /nowhere/],
    [['import', source, '--as', 'other', '--record', 'list'], /--record has no effect[\s\S]*found: +jsonl/],
    [['import', source, '--as', 'mine', '--on-conflict', 'guess'], /expected: fill, replace, reject/],
    [['corpus', 'show', 'mine'], /there is no corpus "mine"/],
    [['corpus', 'remove', 'mine'], /there is no corpus "mine"/],
  ];
  const outcomes = await Promise.all(wrong.map(([args]) => cli([...args, '--home', home])));
  outcomes.forEach(({ code, stdout, stderr }, i) => {
    assert.equal(code, 2, `${wrong[i]![0].join(' ')}: ${stderr}`);
    assert.match(stderr, wrong[i]![1]);
    assert.equal(stdout, '');
    assert.doesNotMatch(stderr, /\n {4}at /);
  });
});
