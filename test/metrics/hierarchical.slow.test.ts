/**
 * Simulations of what the bootstrap over seeds and families promises where both are at work: trained systems whose seeds
 * differ, against one another and against a model as it is, on queries that come in families.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { stream } from '../../src/base/random.ts';
import { comparePairs, type SystemValues } from '../../src/metrics/significance.ts';

for (const { seeds, untrained } of [
  { seeds: 3, untrained: false },
  { seeds: 5, untrained: false },
  { seeds: 5, untrained: true },
])
  test(`coverage with families: ${seeds} seeds against ${untrained ? 'a model as it is' : `${seeds} seeds`}`, (t) => {
    const random = stream(7, 'hierarchical', seeds, String(untrained));
    const [repeats, families, effect] = [1000, 60, 0.03];
    let [covered, ignoring, verdicts] = [0, 0, 0];
    for (let repeat = 0; repeat < repeats; repeat++) {
      const clusters: number[] = [];
      for (let family = 0; family < families; family++)
        for (let member = 0; member <= random.integer(3); member++) clusters.push(family);
      const difficulty = clusters.map(() => random.uniform() ** 2);
      // What a family gains or loses by a system is shared by its members, and another for each system.
      const system = (count: number, gain: number, spread: number): Float64Array[] => {
        const own = Array.from({ length: families }, () => 0.05 * random.normal());
        return Array.from({ length: count }, () => {
          const luck = spread * random.normal();
          return Float64Array.from(
            difficulty,
            (value, q) => value + gain + own[clusters[q]!]! + luck + 0.05 * random.normal(),
          );
        });
      };
      const trained = system(seeds, effect, 0.03);
      const other: SystemValues = untrained ? system(1, 0, 0)[0]! : system(seeds, 0, 0.03);
      const compare = (values: SystemValues[], of: number[] | undefined) =>
        comparePairs({
          systems: ['a', 'b'],
          values,
          clusters: of,
          metric: 'm',
          margin: 0,
          resamples: 1000,
          seed: repeat,
        })[0]!;
      const pair = compare([trained, other], clusters);
      if (pair.lower <= effect && effect <= pair.upper) covered++;
      if (pair.verdict === 'worse') verdicts++;
      const naive = compare([trained[0]!, other instanceof Float64Array ? other : other[0]!], undefined);
      if (naive.lower <= effect && effect <= naive.upper) ignoring++;
    }
    const share = (hits: number) => `${((100 * hits) / repeats).toFixed(1)} %`;
    t.diagnostic(
      `${share(covered)} covered; ${share(ignoring)} by one seed and without families; wrong sign ${share(verdicts)}`,
    );
    assert.ok(covered / repeats > 0.925 && covered / repeats < 0.99, share(covered));
    assert.ok(ignoring < covered - 0.05 * repeats, 'what it is for');
    assert.ok(verdicts / repeats < 0.025);
  });
