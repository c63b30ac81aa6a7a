/** Sum, mean and standard deviation added up in numpy's order (pairwise, by eight), so that equal values stay equal. */

export function numpySum(values: ArrayLike<number>, from = 0, to: number = values.length): number {
  const count = to - from;
  if (count < 8) {
    let sum = 0;
    for (let i = from; i < to; i++) sum += values[i]!;
    return sum;
  }
  if (count > 128) {
    const half = (count >> 1) - ((count >> 1) % 8);
    return numpySum(values, from, from + half) + numpySum(values, from + half, to);
  }
  const lanes = Float64Array.from({ length: 8 }, (_, lane) => values[from + lane]!);
  let at = from + 8;
  for (; at + 8 <= to; at += 8) for (let lane = 0; lane < 8; lane++) lanes[lane]! += values[at + lane]!;
  const [a, b, c, d, e, f, g, h] = lanes as unknown as [number, number, number, number, number, number, number, number];
  let sum = a + b + (c + d) + (e + f + (g + h));
  for (; at < to; at++) sum += values[at]!;
  return sum;
}

export function numpyMean(values: ArrayLike<number>, from = 0): number {
  return numpySum(values, from) / (values.length - from);
}

/** `numpy.std`: of the population. */
export function numpyStd(values: ArrayLike<number>): number {
  const mean = numpyMean(values);
  return Math.sqrt(numpyMean(Float64Array.from(values, (value) => (value - mean) ** 2)));
}
