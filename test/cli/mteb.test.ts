/** `patentlab mteb` on small invented data in the repositories' layouts, with a tiny model. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { cli } from '../support/cli.ts';
import { writeBigPatent, writeBigPatentSets, writeDapfam, writePatentClassification } from '../support/mteb-data.ts';
import { scratch } from '../support/scratch.ts';
import { tinyCheckpoint } from '../support/tiny-checkpoint.ts';

const names = [
  'DAPFAMInTitlAbsClmToFullTextRetrieval',
  'BigPatentClustering',
  'BigPatentClustering.v2',
  'PatentClassification',
];

test('mteb run: result files in MTEB’s layout, a table, counts that differ are said', async (t) => {
  const cwd = scratch(t);
  tinyCheckpoint(join(cwd, 'tiny'));
  await writeDapfam(join(cwd, 'data', 'DAPFAM_patent'));
  writeBigPatentSets(join(cwd, 'data', 'jinaai', 'big-patent-clustering'));
  await writeBigPatent(join(cwd, 'data', 'mteb--big-patent'));
  await writePatentClassification(join(cwd, 'data', 'PatentClassification'));
  const args = ['--model', 'tiny', '--data', 'data', '--home', 'lab', '--out', 'out', '--threads', '2'];
  const [all, one] = await Promise.all([
    cli(['mteb', 'run', ...names, ...args, '--json'], { cwd }),
    cli(['mteb', 'run', names[0]!, ...args, '--out', 'told', '--instruct', 'Instruct: {instruction} '], { cwd }),
  ]);
  assert.equal(all.code, 0, all.stderr);
  const { tasks, model, revision } = JSON.parse(all.stdout);
  assert.equal(model, 'local/tiny');
  assert.deepEqual(
    tasks.map(({ task }: { task: string }) => task),
    names,
  );
  for (const { task, value, file, mainScore, counts } of tasks) {
    assert.equal(file, join('out', 'results', 'local__tiny', revision, `${task}.json`));
    const result = JSON.parse(readFileSync(join(cwd, file), 'utf8'));
    const [entry] = Object.values<Record<string, unknown>[]>(result.scores)[0]!;
    assert.equal(entry!.main_score, Number(value.toFixed(6)));
    assert.equal(entry![mainScore], entry!.main_score);
    assert.ok(value > 0.1 && value <= 1, `${task}: ${value}`);
    assert.ok(counts.every(({ found }: { found: number }) => found > 0));
    assert.match(all.stderr, new RegExp(`${task}: \\d+ \\w+ read, \\d+ expected`));
  }
  assert.equal(one.code, 0, one.stderr);
  assert.match(one.stdout, /DAPFAMIn\S+ +ndcg_at_100 +0\.\d{5} +queries \d+ \(expected 1217\)/);
  const { prompts } = JSON.parse(readFileSync(join(cwd, tasks[0].file.replace('out', 'told')), 'utf8')).patentlab;
  assert.equal(prompts.query, 'Instruct: Retrieve text based on user query. ');
  assert.equal(prompts.document, '');
});

test('mteb list; a name that is wrong, data that is not there', async (t) => {
  const cwd = scratch(t);
  const run = ['--model', 'tiny', '--home', 'lab', '--offline'];
  const [list, unknown, offline] = await Promise.all([
    cli(['mteb', 'list', '--json'], { cwd }),
    cli(['mteb', 'run', 'DAPFAMInTitlAbsToTitlAbs', ...run], { cwd }),
    cli(['mteb', 'run', 'PatentClassification.v2', ...run], { cwd }),
  ]);
  const listed: { name: string; dataset: string; licence: string }[] = JSON.parse(list.stdout).tasks;
  assert.ok(
    names.every((name) => listed.some((task) => task.name === name && task.dataset !== '' && task.licence !== '')),
  );
  assert.equal(unknown.code, 2);
  assert.match(unknown.stderr, /there is no task [\s\S]*did you mean \w*DAPFAMInTitlAbsToTitlAbs/);
  assert.equal(offline.code, 2);
  assert.match(offline.stderr, /data set mteb\/patent is not on this machine[\s\S]*--data FOLDER/);
});
