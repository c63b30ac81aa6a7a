/** What recomputation saves: the peak of a process that trains 12 layers, with it and without. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import type { RecomputeResult, RecomputeTask } from '../support/recompute-child.ts';
import { scratch } from '../support/scratch.ts';
import { tinyCheckpoint } from '../support/tiny-checkpoint.ts';

const child = join(import.meta.dirname, '..', 'support', 'recompute-child.ts');

function measure(task: RecomputeTask): RecomputeResult {
  const { status, stdout, stderr } = spawnSync(process.execPath, [child, JSON.stringify(task)], { encoding: 'utf8' });
  assert.equal(status, 0, stderr);
  return JSON.parse(stdout) as RecomputeResult;
}

test('12 layers, 16 texts of 256 tokens: a peak lower by 40% and more, the same bits', (t) => {
  const folder = scratch(t);
  tinyCheckpoint(folder, { layers: 12, hidden: 256, heads: 4, maxLength: 256 });
  const full = new Array<number>(16).fill(256);
  const ragged = full.map((length, at) => length - 13 * (at % 5));
  const task = { folder, batches: [full, ragged, full, ragged], threads: 2 };
  const whole = measure({ ...task, recompute: false });
  const chain = measure({ ...task, recompute: true });
  const saved = (of: (result: RecomputeResult) => number) => 1 - of(chain) / of(whole);
  const peak = saved(({ peak }) => peak);
  const activations = saved(({ peak, loaded }) => peak - loaded);
  t.diagnostic(`peak ${whole.peak.toFixed(0)} → ${chain.peak.toFixed(0)} MB (${(100 * peak).toFixed(0)}% lower)`);
  t.diagnostic(`above the loaded model ${(100 * activations).toFixed(0)}% lower`);
  t.diagnostic(`time ${(chain.seconds / whole.seconds).toFixed(2)}x`);
  assert.equal(chain.gradient, whole.gradient);
  assert.deepEqual(chain.losses, whole.losses);
  assert.ok(peak >= 0.4, `peak lower by ${peak}`);
  assert.ok(activations >= 0.6, `above the loaded model lower by ${activations}`);
});
