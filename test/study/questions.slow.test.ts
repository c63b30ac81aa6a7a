/** Simulations: of the pairs that answer one question, falsely different ones turn up in one study of twenty at most. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compareSystems } from '../../src/study/embedding/corners.ts';
import { type Question, questions } from '../../src/study/embedding/questions.ts';
import type { StudySystem } from '../../src/study/embedding/results.ts';
import { studySystems, valuesUnderNull } from './question-systems.ts';

const systems = studySystems({ models: ['small', 'large'], corpora: ['one'], recipes: ['R1', 'R3'] });
const all = Object.keys(questions) as Question[];

/** How often each question calls two systems different that are equal, where some truly gain. */
function falseOnes(repeats: number, gain: (system: StudySystem) => number): Map<Question, number> {
  const found = new Map(all.map((question) => [question, 0]));
  const gains = new Map(systems.map((system) => [system.name, gain(system)]));
  for (let repeat = 0; repeat < repeats; repeat++) {
    const values = valuesUnderNull(systems, { queries: 50, seeds: 5, seed: repeat }).map((own, at) => {
      const more = gain(systems[at]!);
      return own instanceof Float64Array
        ? own.map((value) => value + more)
        : own.map((one) => one.map((value) => value + more));
    });
    const { pairs } = compareSystems({ systems, values, metric: 'm', seed: repeat, margin: 0, resamples: 500 });
    for (const question of all)
      if (
        pairs.some((pair) => pair.question === question && pair.pHolm < 0.05 && gains.get(pair.a) === gains.get(pair.b))
      )
        found.set(question, found.get(question)! + 1);
  }
  return found;
}

for (const [name, gain] of [
  ['no system differs from another', () => 0],
  [
    'baselines are far behind, R1 gains',
    ({ role, recipe }) => (role === 'baseline' ? -0.5 : recipe === 'R1' ? 0.3 : 0),
  ],
] as [string, (system: StudySystem) => number][])
  test(`false differences within a question: ${name}`, (t) => {
    const repeats = 1000;
    const found = falseOnes(repeats, gain);
    t.diagnostic(
      [...found].map(([question, count]) => `${question} ${((100 * count) / repeats).toFixed(1)} %`).join(', '),
    );
    // Two standard errors of 5 % are 1.4 points.
    for (const [question, count] of found) assert.ok(count / repeats < 0.065, question);
    assert.ok(
      [...found.values()].some((count) => count / repeats > 0.01),
      'nothing is so strict as never to err',
    );
  });
