/** What a dry run foretells against what comes: seconds, so on a quiet machine. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { nodePlatform } from '../../src/base/node/platform.ts';
import { evaluate, planEvaluation } from '../../src/study/evaluate.ts';
import { systemName } from '../../src/study/results.ts';
import { inventCorpus } from '../support/invent.ts';

const home = mkdtempSync(join(tmpdir(), 'patentlab-study-'));
after(() => rmSync(home, { recursive: true, force: true }));

test('what a dry run foretells is of the size of what comes', async () => {
  await inventCorpus(home, 'many', { patents: 1200 });
  const settings = {
    platform: nodePlatform, home, corpora: ['many'], models: ['bm25', 'lsa'], views: ['T'], fuse: ['linear' as const], resamples: 100,
  }; // biome-ignore format: one list
  const plan = await planEvaluation(settings);
  const { results } = await evaluate(settings);
  for (const { system, seconds } of plan.cells) {
    const { cost } = results.cells.find((cell) => systemName(cell) === system)!;
    const parts = system.includes('+') ? results.cells.filter(({ fuse }) => fuse === undefined) : [];
    const own = cost.seconds - parts.reduce((sum, part) => sum + part.cost.seconds, 0);
    assert.ok(seconds < 10 * own + 2 && seconds > own / 30, `${system}: ${seconds} s foretold, ${own} s spent`);
  }
});
