/** Factors of transformers' schedules, update by update. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { type ScheduleOptions, schedule } from '../../src/train/schedule.ts';

const { cases } = JSON.parse(
  readFileSync(join(import.meta.dirname, '..', 'fixtures', 'train', 'schedules.json'), 'utf8'),
) as { cases: { options: ScheduleOptions; factors: number[] }[] };

for (const { options, factors } of cases)
  test(`as transformers: ${JSON.stringify(options)}`, () => {
    const factor = schedule(options);
    factors.forEach((expected, i) => {
      assert.ok(Math.abs(factor(i + 1) - expected) <= 1e-14, `update ${i + 1}: ${factor(i + 1)}, not ${expected}`);
    });
  });

test('a ratio is rounded up; wrong options are refused by name', () => {
  const [byRatio, bySteps] = [
    schedule({ kind: 'linear', steps: 25, warmupRatio: 0.1 }),
    schedule({ kind: 'linear', steps: 25, warmupSteps: 3 }),
  ];
  for (let step = 1; step <= 25; step++) assert.equal(byRatio(step), bySteps(step));
  assert.throws(() => schedule({ kind: 'linear', steps: 0 }), /steps/);
  assert.throws(() => schedule({ kind: 'linear', steps: 5, warmupRatio: 1.5 }), /warmupRatio/);
  assert.throws(() => schedule({ kind: 'linear', steps: 5, warmupRatio: 0.1, warmupSteps: 1 }), /warmupRatio/);
  assert.throws(() => schedule({ kind: 'linear', steps: 5, floor: 0.1 }), /floor/);
});
