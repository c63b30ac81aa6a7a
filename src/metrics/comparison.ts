/** A comparison is of `a` minus `b`; here it is found and read from either side. */
import type { Comparison, Verdict } from './types.ts';

const opposite: Record<Verdict, Verdict> = {
  better: 'worse',
  worse: 'better',
  equivalent: 'equivalent',
  undecided: 'undecided',
};

/** The same comparison seen from the other side. */
export function turnRound<T extends Comparison>(pair: T): T {
  const { a, b, difference, lower, upper, verdict } = pair;
  return { ...pair, a: b, b: a, difference: -difference, lower: -upper, upper: -lower, verdict: opposite[verdict] };
}

/** The pair of `a` and `b`, seen from `a`; undefined where they were not compared. */
export function findPair<T extends Comparison>(pairs: readonly T[], a: string, b: string): T | undefined {
  const straight = pairs.find((pair) => pair.a === a && pair.b === b);
  if (straight !== undefined) return straight;
  const other = pairs.find((pair) => pair.a === b && pair.b === a);
  return other && turnRound(other);
}
