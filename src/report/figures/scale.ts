/** Scales and ticks: a value to a place on paper, and the round numbers that an axis shows (steps 1, 2, 5 x 10^n). */

export interface Scale {
  (value: number): number;
  ticks: number[];
  domain: [number, number];
}

/** Linear scale over `[low, high]`, widened to round ends where `nice`. */
export function linear(
  [low, high]: [number, number],
  [from, to]: [number, number],
  { count = 5, nice = true }: { count?: number; nice?: boolean } = {},
): Scale {
  if (!(high > low)) {
    const pad = Math.abs(low) * 0.1 || 0.5;
    low -= pad;
    high += pad;
  }
  const step = tickStep(high - low, count);
  const first = nice ? Math.floor(low / step + 1e-9) : Math.ceil(low / step - 1e-9);
  const last = nice ? Math.ceil(high / step - 1e-9) : Math.floor(high / step + 1e-9);
  const ticks = Array.from({ length: last - first + 1 }, (_, index) => roundTo((first + index) * step, step));
  const domain: [number, number] = nice ? [ticks[0]!, ticks.at(-1)!] : [low, high];
  const place = (value: number) => from + ((value - domain[0]) / (domain[1] - domain[0])) * (to - from);
  return Object.assign(place, { ticks, domain });
}

/** Logarithmic scale; ticks at 1, 2 and 5 of each decade, or only at decades where there are many. */
export function logarithmic([low, high]: [number, number], [from, to]: [number, number]): Scale {
  low = Math.max(low, 1e-9);
  high = Math.max(high, low * 1.5);
  const [start, end] = [Math.log10(low), Math.log10(high)];
  const steps = end - start > 2.5 ? [1] : [1, 2, 5];
  const ticks: number[] = [];
  for (let decade = Math.floor(start); decade <= Math.ceil(end); decade++) {
    for (const step of steps) {
      const tick = step * 10 ** decade;
      if (tick >= low * 0.999 && tick <= high * 1.001) ticks.push(Number(tick.toPrecision(6)));
    }
  }
  const place = (value: number) => from + ((Math.log10(Math.max(value, 1e-9)) - start) / (end - start)) * (to - from);
  return Object.assign(place, { ticks, domain: [low, high] as [number, number] });
}

function tickStep(span: number, count: number): number {
  const raw = span / Math.max(1, count);
  const power = 10 ** Math.floor(Math.log10(raw));
  const mantissa = raw / power;
  return power * (mantissa <= 1.001 ? 1 : mantissa <= 2.001 ? 2 : mantissa <= 5.001 ? 5 : 10);
}

function roundTo(value: number, step: number): number {
  return Number(value.toFixed(Math.max(0, 2 - Math.floor(Math.log10(step)))));
}

/** A tick's label: as many decimals as the step between ticks needs. */
export function tickLabel(value: number, ticks: readonly number[]): string {
  const step =
    ticks.length > 1 ? Math.min(...ticks.slice(1).map((tick, index) => tick - ticks[index]!)) : Math.abs(value) || 1;
  const decimals = Math.max(0, -Math.floor(Math.log10(step) + 1e-9));
  const text = Math.abs(value).toFixed(Math.min(decimals, 12));
  const grouped = decimals === 0 ? text.replace(/\B(?=(\d{3})+(?!\d))/g, ',') : text;
  return value < 0 && Number(text) !== 0 ? `\u2212${grouped}` : grouped;
}
