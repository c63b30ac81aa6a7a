/** Data sets from a hub on the loopback interface. */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { type DatasetOptions, findDataset } from '../../src/hub/datasets.ts';
import { scratch } from '../support/scratch.ts';
import { localHub } from './local-hub.ts';

const id = 'lab/patents';
const files = {
  'README.md': Buffer.from('text'),
  'corpus.jsonl': Buffer.from('{"id":1}\n'),
  'data/test-0.jsonl': Buffer.from('{"id":2}\n'),
};

/** Chooses exactly these files. */
const choosing =
  (...wanted: string[]): DatasetOptions['choose'] =>
  (names) =>
    wanted.every((name) => names.includes(name)) ? wanted : undefined;

test('only the chosen files are downloaded, kept and found again; more are fetched when more are wanted', async (t) => {
  const home = scratch(t);
  const hub = await localHub(t, id, files, { kind: 'dataset' });
  const options = { home, revision: 'main', env: { HF_ENDPOINT: hub.endpoint, HF_HOME: join(home, 'none') } };
  const found = await findDataset(id, { ...options, choose: choosing('corpus.jsonl') });
  assert.deepEqual([found.source, found.files, found.commit], ['hub', ['corpus.jsonl'], hub.commit]);
  assert.ok(existsSync(join(found.folder, 'corpus.jsonl')) && !existsSync(join(found.folder, 'README.md')));
  const before = hub.log.length;
  const again = await findDataset(id, { ...options, choose: choosing('corpus.jsonl'), offline: true });
  assert.deepEqual([again.source, hub.log.length], ['home', before]);
  const both = choosing('corpus.jsonl', 'data/test-0.jsonl');
  await assert.rejects(findDataset(id, { ...options, choose: both, offline: true }), {
    code: 'dataset.offline',
    exitCode: 2,
  });
  const more = await findDataset(id, { ...options, choose: both });
  assert.deepEqual(more.files, ['corpus.jsonl', 'data/test-0.jsonl']);
  assert.equal((await findDataset(id, { ...options, choose: both, offline: true })).source, 'home');
});

test('a repository without the files, and one that is not there', async (t) => {
  const home = scratch(t);
  const hub = await localHub(t, id, files, { kind: 'dataset' });
  const env = { HF_ENDPOINT: hub.endpoint, HF_HOME: join(home, 'none') };
  const options = { home, env, revision: 'main', choose: choosing('queries.jsonl') };
  await assert.rejects(findDataset(id, options), { code: 'dataset.files', message: /has not the files/ });
  await assert.rejects(findDataset('lab/other', options), { code: 'hub.missing' });
});

test('the Hugging Face cache is read where it has the files', async (t) => {
  const home = scratch(t);
  const snapshot = join(home, 'hub', 'datasets--lab--patents', 'snapshots', 'b'.repeat(40));
  mkdirSync(snapshot, { recursive: true });
  writeFileSync(join(snapshot, 'corpus.jsonl'), '{}');
  const options = { home, env: { HF_HOME: home }, revision: 'b'.repeat(40), offline: true };
  const found = await findDataset(id, { ...options, choose: choosing('corpus.jsonl') });
  assert.deepEqual([found.source, found.folder], ['hugging-face-cache', snapshot]);
  await assert.rejects(findDataset(id, { ...options, choose: choosing('queries.jsonl') }), { code: 'dataset.offline' });
});
