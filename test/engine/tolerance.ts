/** How far float32 may stand from the float64 oracle: one place for all tests of the engine. */
export interface Tolerance {
  /** |found − expected| ≤ absolute + relative · |expected| */
  absolute: number;
  relative: number;
}

export const tolerances = {
  /** One rounding or a few. */
  exactish: { absolute: 1e-6, relative: 1e-6 },
  /** Transcendental functions, whose float32 kernels are approximations. */
  function: { absolute: 2e-6, relative: 5e-6 },
  /** Sums of products: the error grows with the length of the sum. */
  sum: { absolute: 2e-5, relative: 2e-5 },
} satisfies Record<string, Tolerance>;

/** The largest excess over the tolerance, with where it stands; undefined where all is well. */
export function firstDifference(
  found: ArrayLike<number>,
  expected: ArrayLike<number>,
  { absolute, relative }: Tolerance,
): string | undefined {
  if (found.length !== expected.length) return `${found.length} values instead of ${expected.length}`;
  for (let i = 0; i < found.length; i++) {
    const difference = Math.abs(found[i]! - expected[i]!);
    if (!(difference <= absolute + relative * Math.abs(expected[i]!)))
      return `at ${i}: ${found[i]} instead of ${expected[i]} (off by ${difference})`;
  }
  return undefined;
}
