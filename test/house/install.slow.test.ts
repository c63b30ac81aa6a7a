/** The package as npm installs it from its tarball, with its dependencies from the registry: demo, library, no CUDA. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { globSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { test } from 'node:test';
import { pack } from '../support/packed.ts';
import { scratch } from '../support/scratch.ts';

/** One command line in a shell: npm and npx are scripts on Windows. */
function shell(line: string, cwd: string, env: Record<string, string> = {}) {
  const PATH = `${dirname(process.execPath)}${delimiter}${process.env.PATH}`;
  return spawnSync(line, { cwd, shell: true, encoding: 'utf8', env: { ...process.env, PATH, NO_COLOR: '1', ...env } });
}

const reachable = shell('npm view commander version --fetch-retries=0', '.').status === 0;

for (const [way, line, env] of [
  ['the install line of the README', 'npm install', { ONNXRUNTIME_NODE_INSTALL: 'skip' }],
  ['without install scripts', 'npm install --ignore-scripts', {}],
] as const) {
  test(`${way}: the demo runs, the library imports`, { skip: !reachable && 'the registry is out of reach' }, (t) => {
    const folder = scratch(t);
    const { tarball } = pack(folder);
    const installed = shell(`${line} --no-audit --no-fund "${tarball}"`, folder, env);
    assert.equal(installed.status, 0, installed.stderr);
    assert.deepEqual(globSync('node_modules/onnxruntime-node/**/*providers_*', { cwd: folder }), []);
    const demo = shell('npx --no-install patentlab demo --quiet', folder);
    assert.equal(demo.status, 0, demo.stderr);
    assert.match(demo.stdout, / {2}npx patentlab import my-export\.csv --as mine/);
    writeFileSync(
      join(folder, 'use.mjs'),
      `import { evaluate, importCorpus, nodePlatform } from 'patentlab';
const home = 'lab';
const paths = ['node_modules/patentlab/samples/assistive-devices.jsonl'];
const { stored } = await importCorpus({ home, name: 'devices', paths });
const { results } = await evaluate({ platform: nodePlatform, home, corpora: ['devices'], models: ['bm25'] });
console.log(stored > 100, results.cells[0].metrics['ndcg@10'].value > 0);
`,
    );
    const used = shell('node use.mjs', folder);
    assert.equal(used.stdout, 'true true\n', used.stderr);
  });
}
