/** `kill -9` while vectors are being computed and stored, a rerun gives the bytes of an undisturbed run. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { scratch } from '../support/scratch.ts';
import { tinyCheckpoint } from '../support/tiny-checkpoint.ts';

const texts = 1200;

interface Outcome {
  killed: boolean;
  sha256?: string;
  computed?: number;
}

/** Encodes in a process of its own, which is killed when `shards` shards are stored and a little later. */
function encode(checkpoint: string, vectors: string, kill?: { shards: number; afterMs: number }): Promise<Outcome> {
  const script = join(import.meta.dirname, '..', 'support', 'encode-child.ts');
  const child = spawn(process.execPath, [script, checkpoint, vectors, String(texts)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  const watch =
    kill &&
    setInterval(() => {
      if (shardsIn(vectors) < kill.shards) return;
      clearInterval(watch);
      setTimeout(() => child.kill('SIGKILL'), kill.afterMs);
    }, 5);
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => {
      clearInterval(watch);
      if (signal === 'SIGKILL') resolve({ killed: true });
      else if (code !== 0) reject(new Error(`left with code ${code}`));
      else resolve({ killed: false, ...(JSON.parse(output.trim().split('\n').at(-1)!) as object) });
    });
  });
}

function shardsIn(vectors: string): number {
  try {
    return readdirSync(vectors, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.vec')).length;
  } catch {
    return 0;
  }
}

test('killed at any moment and run again: the same bytes', async (t) => {
  const folder = scratch(t);
  const checkpoint = join(folder, 'tiny');
  tinyCheckpoint(checkpoint, { layers: 2, hidden: 64, heads: 4, maxLength: 64 });
  const whole = await encode(checkpoint, '-');
  assert.equal(whole.computed, texts);
  const vectors = join(folder, 'vectors');
  const { killed } = await encode(checkpoint, vectors, { shards: 1, afterMs: 20 });
  const resumed = await encode(checkpoint, vectors);
  assert.equal(resumed.sha256, whole.sha256);
  assert.ok(killed);
  assert.ok(resumed.computed! < texts);
});
