/** Encoding half a million short texts: memory stays under 2 GB and flat from 100,000 on. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { scratch } from '../support/scratch.ts';
import { tinyCheckpoint } from '../support/tiny-checkpoint.ts';

test('500,000 texts: under 2 GB, flat within 10% from 100,000 on', async (t) => {
  const folder = scratch(t);
  const checkpoint = join(folder, 'tiny');
  tinyCheckpoint(checkpoint, { layers: 2, hidden: 64, heads: 4, maxLength: 64 });
  const script = join(import.meta.dirname, '..', 'support', 'encode-child.ts');
  const count = Number(process.env.PATENTLAB_TEST_TEXTS ?? 500_000);
  const child = spawn(process.execPath, [script, checkpoint, join(folder, 'vectors'), String(count)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const seen: { texts: number; rss: number }[] = [];
  for await (const line of createInterface({ input: child.stdout }))
    if (line.startsWith('{')) seen.push(JSON.parse(line) as { texts: number; rss: number });
  assert.equal(seen.at(-1)!.texts, count);
  const settled = seen.filter(({ texts }) => texts >= Math.min(100_000, count / 5)).map(({ rss }) => rss / 2 ** 20);
  t.diagnostic(`MiB resident: ${settled.map((rss) => Math.round(rss)).join(' ')}`);
  assert.ok(Math.max(...settled) < 2000, `${Math.max(...settled)} MiB`);
  const early = Math.max(...settled.slice(0, Math.ceil(settled.length / 5)));
  const late = Math.max(...settled.slice(-Math.ceil(settled.length / 5)));
  assert.ok(late < early * 1.1, `from ${early} to ${late} MiB`);
});
