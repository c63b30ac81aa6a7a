/**
 * Python's `round(value, digits)`: the decimal nearest to the double's exact value, and of two equally near the even one.
 * `toFixed` is exact too but takes the larger of two; they are equally near only where value x 2^(digits + 1) is odd.
 */
export function pythonRound(value: number, digits: number): number {
  if (!Number.isFinite(value)) return value;
  const rounded = Number(value.toFixed(digits));
  const scaled = value * 2 ** (digits + 1);
  if (!Number.isInteger(scaled) || scaled % 2 === 0) return rounded;
  const below = Math.floor(value * 10 ** digits);
  return Number(`${below % 2 === 0 ? below : below + 1}e-${digits}`);
}
