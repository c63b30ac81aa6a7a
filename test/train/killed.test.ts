/** A training with dropout, killed at any moment, goes on to the same bits: weights, moments, losses. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { stream } from '../../src/base/random.ts';
import { scratch } from '../support/scratch.ts';

const script = join(import.meta.dirname, '..', 'support', 'train-child.ts');
const steps = 12;

interface Outcome {
  sha256: string;
  losses: number[];
  computed: number;
  /** Whose parameters these are. */
  step: number;
}

/** Runs to the end, or kills the process `killAfter` milliseconds after the given step. */
async function run(
  folder: string,
  kill?: { step: number; delay: number },
  peak?: number,
): Promise<Outcome | undefined> {
  const evaluated = peak === undefined ? [] : [String(peak)];
  const child = spawn(process.execPath, [script, 'mpnet', folder, String(steps), ...evaluated], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let outcome: Outcome | undefined;
  for await (const line of createInterface({ input: child.stdout })) {
    if (line === `step ${kill?.step}`) setTimeout(() => child.kill('SIGKILL'), kill!.delay);
    if (line.startsWith('{')) outcome = JSON.parse(line) as Outcome;
  }
  return outcome;
}

test('killed and resumed equals uninterrupted, bit for bit', async (t) => {
  const folder = scratch(t);
  const whole = await run(join(folder, 'whole'));
  assert.equal(whole?.computed, steps);
  const random = stream(Date.now() % 1000, 'kill');
  const moments = [
    { step: 1 + random.integer(3), delay: random.integer(40) },
    { step: 5 + random.integer(3), delay: random.integer(40) },
  ];
  t.diagnostic(JSON.stringify(moments));
  const killed = join(folder, 'killed');
  for (const moment of moments) assert.equal(await run(killed, moment), undefined, 'the process was killed');
  const resumed = await run(killed);
  assert.ok(resumed!.computed < steps, 'it went on, and did not begin anew');
  assert.equal(resumed!.sha256, whole!.sha256);
  assert.deepEqual(resumed!.losses, whole!.losses);
});

test('killed around the best evaluation and resumed: the best parameters of the uninterrupted run come back', async (t) => {
  const folder = scratch(t);
  const peak = 4;
  const whole = await run(join(folder, 'whole'), undefined, peak);
  assert.deepEqual([whole?.step, whole?.computed], [peak, peak + 4], 'stopped two evaluations after the best');
  const random = stream(Date.now() % 1000, 'kill');
  const moments = [
    { step: peak, delay: random.integer(30) },
    { step: peak + 1 + random.integer(3), delay: random.integer(30) },
  ];
  t.diagnostic(JSON.stringify(moments));
  const killed = join(folder, 'killed');
  for (const moment of moments) await run(killed, moment, peak);
  const resumed = await run(killed, undefined, peak);
  assert.deepEqual([resumed?.step, resumed?.sha256], [peak, whole?.sha256]);
  assert.deepEqual(resumed?.losses, whole?.losses);
});
