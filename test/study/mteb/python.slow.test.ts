/** Against MTEB itself, where Python has it: its own task classes on the same files and checkpoint, and its reading of our results. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { nodePlatform } from '../../../src/base/node/platform.ts';
import { runMteb } from '../../../src/study/mteb/run.ts';
import { loadMtebTasks } from '../../../src/study/mteb/tasks.ts';
import { writeBigPatent, writeBigPatentSets, writeDapfam, writePatentClassification } from '../../support/mteb-data.ts';
import { missingPython, python } from '../../support/python.ts';
import { scratch } from '../../support/scratch.ts';
import { tinyCheckpoint } from '../../support/tiny-checkpoint.ts';
import type { Fixture } from './fixtures.ts';

const script = join(import.meta.dirname, '..', '..', 'oracle', 'mteb_tasks.py');
const names = [
  'DAPFAMAllTitlAbsToTitlAbsRetrieval',
  'DAPFAMInTitlAbsClmToFullTextRetrieval',
  'DAPFAMOutTitlAbsToTitlAbsClmRetrieval',
  'BigPatentClustering',
  'BigPatentClustering.v2',
  'PatentClassification',
];

function oracle(...args: string[]): Fixture {
  const env = { ...process.env, HF_HUB_OFFLINE: '1', OMP_NUM_THREADS: '2' };
  const { status, stdout, stderr } = spawnSync(python, ['-W', 'ignore', script, ...args], { env, encoding: 'utf8' });
  assert.equal(status, 0, stderr);
  return JSON.parse(stdout.trim().split('\n').at(-1)!);
}

test("MTEB's task classes give the same scores, and MTEB reads our results", {
  skip: missingPython('mteb'),
}, async (t) => {
  const folder = scratch(t);
  const [data, model, out] = [join(folder, 'data'), join(folder, 'tiny'), join(folder, 'out')];
  tinyCheckpoint(model, { maxLength: 64 });
  // Prompts of every kind, to see that the same ones are taken.
  const prompts = {
    query: 'query: ',
    document: 'passage: ',
    Clustering: 'identify: ',
    Classification: 'never: ',
    PatentClassification: 'classify: ',
  };
  writeFileSync(
    join(model, 'config_sentence_transformers.json'),
    JSON.stringify({ prompts, default_prompt_name: null }),
  );
  await writeDapfam(join(data, 'DAPFAM_patent'));
  writeBigPatentSets(join(data, 'big-patent-clustering'));
  await writeBigPatent(join(data, 'big-patent'), 6000);
  await writePatentClassification(join(data, 'PatentClassification'));
  const known = await loadMtebTasks(nodePlatform);
  const { outcomes } = await runMteb(nodePlatform, known, {
    tasks: names.map((name) => known.find(name)),
    home: join(folder, 'home'),
    model,
    data,
    out,
    threads: 2,
    device: 'cpu',
  });
  const theirs = oracle('run', data, model, ...names);
  for (const { task, scores, mainScore } of outcomes) {
    const { main_score, ...expected } = theirs[task];
    assert.deepEqual(Object.keys(scores).sort(), Object.keys(expected).sort(), task);
    const difference = Math.abs((scores[mainScore] as number) - main_score);
    t.diagnostic(`${task}: ${mainScore} ${scores[mainScore]}, MTEB ${main_score}`);
    // Both logistic regressions end within a tolerance of the optimum: a few of 600 predictions lie between.
    const allowed = task === 'PatentClassification' ? 3.5 / 600 : 1e-4;
    assert.ok(difference <= allowed, `${task}: ${scores[mainScore]}, MTEB ${main_score}`);
  }
  const { files, cache } = oracle('read', out);
  assert.deepEqual(Object.keys(files).sort(), [...names].sort());
  for (const { task, value } of outcomes) {
    assert.equal(files[task].main, Number(value.toFixed(6)));
    assert.deepEqual(files[task].languages, ['eng']);
    assert.equal(cache['local/tiny'][task], files[task].main);
  }
});
