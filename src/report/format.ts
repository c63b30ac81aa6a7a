/** How numbers and names are written for a reader. Locale-independent, so that a report is the same everywhere. */
import type { Estimate, Verdict } from '../metrics/types.ts';

const minus = '\u2212';

/** A metric's value: three decimals, enough beside a margin of 0.01. */
export function score(value: number): string {
  return Number.isFinite(value) ? value.toFixed(3).replace('-', minus) : '–';
}

/** A difference: signed, with a true minus. */
export function signed(value: number): string {
  if (!Number.isFinite(value)) return '–';
  const text = Math.abs(value).toFixed(3);
  return text === '0.000' ? '0.000' : `${value > 0 ? '+' : minus}${text}`;
}

/** One query (or one family) gives a value but no interval. */
export function interval(estimate: { lower: number; upper: number }): string {
  if (!Number.isFinite(estimate.lower) || !Number.isFinite(estimate.upper)) return '(no interval)';
  return `[${score(estimate.lower)}, ${score(estimate.upper)}]`;
}

export function signedInterval(estimate: { lower: number; upper: number }): string {
  return `[${signed(estimate.lower)}, ${signed(estimate.upper)}]`;
}

export function withInterval(estimate: Estimate): string {
  return `${score(estimate.value)} ${interval(estimate)}`;
}

export function pValue(p: number): string {
  if (!Number.isFinite(p)) return '–';
  return p < 0.001 ? '< 0.001' : p.toFixed(3);
}

/** `p = 0.012`, `p < 0.001`, held together by no-break spaces. */
export function pPhrase(p: number, name = 'p'): string {
  return `${name.replaceAll(' ', '\u00A0')}\u00A0${p < 0.001 ? '<' : '='}\u00A0${p < 0.001 ? '0.001' : pValue(p)}`;
}

/** A count with thousands separated: 46,069. */
export function count(value: number): string {
  return Math.round(value)
    .toString()
    .replace(/\B(?=(\d{3})+(?!\d))/g, ',');
}

export function plural(value: number, one: string, many = `${one}s`): string {
  return `${count(value)} ${value === 1 ? one : many}`;
}

export function percent(share: number, digits = 1): string {
  return Number.isFinite(share) ? `${(share * 100).toFixed(digits)} %` : '–';
}

/** A rate a second: three significant digits, thousands separated. */
export function rate(value: number | undefined): string {
  if (value === undefined || !Number.isFinite(value)) return '–';
  if (value >= 100) return count(value);
  return value >= 10 ? value.toFixed(1) : value.toFixed(2);
}

export function bytes(value: number | undefined): string {
  if (value === undefined || !Number.isFinite(value)) return '–';
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  let unit = 0;
  let rest = value;
  while (rest >= 999.5 && unit < units.length - 1) {
    rest /= 1000;
    unit++;
  }
  return `${unit === 0 || rest >= 99.5 ? rest.toFixed(0) : rest.toFixed(1)} ${units[unit]}`;
}

export function seconds(value: number | undefined): string {
  if (value === undefined || !Number.isFinite(value)) return '–';
  if (value < 0.095) return `${Math.round(value * 1000)} ms`;
  if (value < 9.95) return `${value.toFixed(1)} s`;
  if (value < 119.5) return `${Math.round(value)} s`;
  const minutes = Math.round(value / 60);
  return minutes < 120 ? `${minutes} min` : `${(value / 3600).toFixed(1)} h`;
}

const metricNames: Record<string, string> = {
  ndcg: 'nDCG',
  map: 'MAP',
  ap: 'MAP',
  mrr: 'MRR',
  rr: 'MRR',
  recall: 'Recall',
  p: 'P',
  precision: 'P',
  rprec: 'R-precision',
  'r-precision': 'R-precision',
  success: 'Success',
  unjudged: 'Unjudged',
  'micro-f1': 'micro-F1',
  'macro-f1': 'macro-F1',
  'weighted-f1': 'weighted F1',
  'sample-f1': 'sample F1',
  'micro-precision': 'micro precision',
  'micro-recall': 'micro recall',
  'subset-accuracy': 'Subset accuracy',
  hamming: 'Hamming loss',
  lrap: 'LRAP',
  ece: 'ECE',
  'v-measure': 'V-measure',
  ami: 'AMI',
  ari: 'ARI',
  nmi: 'NMI',
  brier: 'Brier score',
};

/** `ndcg@10` as the field writes it: nDCG@10; `micro-f1-shared` is the micro-F1 by one threshold tuned for it. */
export function metricName(key: string): string {
  for (const [ending, words] of [
    ['-tuned', 'thresholds by label'],
    ['-shared', 'one tuned threshold'],
  ] as const)
    if (key.endsWith(ending)) return `${metricName(key.slice(0, -ending.length))}, ${words}`;
  const [name = key, cut] = key.split('@');
  const known = metricNames[name.toLowerCase()] ?? name;
  return cut === undefined ? known : `${known}@${cut}`;
}

export const verdictGlyph: Record<Verdict, string> = { better: '▲', worse: '▼', equivalent: '=', undecided: '?' };

/** With a capital first letter. */
export function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** The words joined as English does: `a`, `a and b`, `a, b and c`. */
export function listOf(words: readonly string[]): string {
  if (words.length <= 1) return words.join('');
  return `${words.slice(0, -1).join(', ')} and ${words.at(-1)}`;
}

/** Shortens in the middle, where names of models differ least. */
export function shorten(text: string, width: number): string {
  const points = [...text];
  if (points.length <= width) return text;
  const head = Math.ceil((width - 1) * 0.6);
  return `${points.slice(0, head).join('')}…${points.slice(points.length - (width - 1 - head)).join('')}`;
}
