/** Wrong use gives one message on stderr, nothing on stdout, exit code 2; work that fails gives 1. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { cli } from '../support/cli.ts';
import { cliSeries } from '../support/cli-series.ts';
import { scratch } from '../support/scratch.ts';

const wrong: [args: string, message: RegExp][] = [
  ['evalute mine', /unknown command 'evalute'.*\n.*evaluate/s],
  ['evaluate', /missing required argument 'corpora'/],
  ['evaluate mine', /corpus.*mine/],
  ['evaluate a --model bm25 --veiw T', /unknown option '--veiw'.*\n.*--view/s],
  ['evaluate a --view X', /--view|view/],
  ['evaluate a --task clustering', /--labels.*have no labels/],
  ['evaluate a --task cluster', /retrieval or classification or clustering/],
  ['evaluate a --model no/such/folder --offline', /no\/such\/folder/],
  ['evaluate a --bm25 bm26', /lucene/],
  ['evaluate a --bm25 lucene,1,0.5,7', /no more/],
  ['evaluate a --model lsa --bm25 lucene,1,0.5', /--bm25 has no effect here.*bm25 among the models/s],
  ['evaluate a --model ./none --stem', /--stem has no effect here/],
  ['evaluate a --model bm25 --lsa-dimensions 64', /--lsa-dimensions has no effect here/],
  ['evaluate a --model bm25 --dimensions 64', /--dimensions has no effect here/],
  ['evaluate a --length 64', /--length has no effect here.*bm25,lsa/s],
  ['evaluate a --model lsa,bm25 --dtype int8', /--dtype has no effect here/],
  ['evaluate a --model ,', /--model.*one value or more/],
  ['evaluate a --view ,', /--view.*one value or more/],
  ['score --qrels a.jsonl --run a.jsonl --metric ,', /--metric.*one value or more/],
  ['compare a.jsonl a.jsonl --qrels a.jsonl --resamples 1', /at least 100/],
  ['evaluate a --relevance friends', /cites, cited-by, both, coupling, qrels/],
  ['import --as x', /missing required argument 'path'/],
  ['import a.jsonl', /required option '--as/],
  ['import nothing.jsonl --as x', /nothing\.jsonl/],
  ['import a.jsonl --as ../x', /name/],
  ['import a.jsonl --as x --on-conflict win', /fill, replace, reject/],
  ['import a.jsonl --as x --map title', /field=path/],
  ['corpus show nobody', /nobody/],
  ['corpus remove nobody', /nobody/],
  ['models get lab/none --offline', /lab\/none/],
  ['embed a --model ./none --out x.npy', /none/],
  ['embed a --model ./none --out x.npy --length 0', /at least 1/],
  ['embed a --model ./none --out x.npy --field text', /--field has no effect here/],
  ['embed a.jsonl --model ./none --out x.npy --view T', /--view has no effect here/],
  ['embed a.jsonl --model ./none --out x.npy --mask-citations', /--mask-citations has no effect here/],
  ['embed - --model ./none --out x.npy --field text', /--field has no effect here.*JSON lines/s],
  ['score --qrels a.jsonl', /required option '--run/],
  ['repeat ffff', /ffff/],
  ['doctor --threads 0', /whole number of at least 1/],
  ['clean --everything', /unknown option '--everything'/],
];

test('wrong use', async (t) => {
  const folder = scratch(t);
  writeFileSync(
    join(folder, 'a.jsonl'),
    '{"id":"US1A","title":"lens","cites":["US2A"]}\n{"id":"US2A","title":"probe"}\n',
  );
  assert.equal((await cli(['import', 'a.jsonl', '--as', 'a', '--home', 'lab'], { cwd: folder })).code, 0);
  const argumentsOf = (line: string) => [...line.split(' '), '--home', 'lab', '--json', '--quiet'];
  const half = wrong.length >> 1;
  const [outcomes, own] = await Promise.all([
    Promise.all(
      [wrong.slice(0, half), wrong.slice(half)].map((part) =>
        cliSeries(
          part.map(([line]) => argumentsOf(line)),
          { cwd: folder },
        ),
      ),
    ),
    cli(argumentsOf(wrong[0]![0]), { cwd: folder }),
  ]);
  assert.deepEqual(own, outcomes[0]![0], 'a process of its own ends the same');
  for (const [i, { code, stdout, stderr }] of outcomes.flat().entries()) {
    const [line, message] = wrong[i]!;
    assert.equal(code, 2, `${line}: ${stderr}`);
    assert.equal(stdout, '', line);
    assert.match(stderr, message, line);
    assert.doesNotMatch(stderr, / {4}at |this looks like a fault/, line);
  }
});

test('work that fails: exit code 1, a stack trace only with --debug', async (t) => {
  const folder = scratch(t);
  writeFileSync(join(folder, 'a.jsonl'), '{"id":"US1A","title":"lens"}\n');
  writeFileSync(join(folder, 'file'), '');
  const args = ['import', 'a.jsonl', '--as', 'a', '--home', join('file', 'lab'), '--json', '--quiet'];
  const [plain, debug] = await Promise.all([cli(args, { cwd: folder }), cli([...args, '--debug'], { cwd: folder })]);
  for (const { code, stdout } of [plain, debug]) assert.deepEqual([code, stdout], [1, '']);
  assert.match(plain.stderr, /^patentlab: file.lab.*a file stands where a folder is needed/s);
  assert.doesNotMatch(plain.stderr, / {4}at /);
  assert.match(debug.stderr, / {4}at /);
});
