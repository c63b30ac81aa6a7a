/**
 * The names of retrieval measures: trec_eval's own (`ndcg_cut_10`, `recip_rank`, `P_5`) and the friendly ones
 * (`ndcg@10`, `mrr`, `p@5`). Both parse to the same `Measure`; any cut is allowed. `name` is trec_eval's spelling and what
 * `score` prints, `label` the friendly one and what reports and leaderboards show.
 */
import { inputError } from '../base/errors.ts';

/** How a measure is built from one ranking: its family, and the cut or fraction where the family has one. */
export interface Measure {
  family: MeasureFamily;
  /** trec_eval's spelling, e.g. `ndcg_cut_10`. */
  name: string;
  /** The friendly spelling, e.g. `ndcg@10`. */
  label: string;
  /** Rank cut of a `cut` family; share of the relevant (recall point, multiple of R) of a `share` family. */
  at: number;
}

interface FamilySpec {
  kind: 'plain' | 'cut' | 'share';
  /** How topics become one number: their mean (default), their sum, or the geometric mean (the value is a logarithm). */
  summary?: 'mean' | 'sum' | 'geometric';
  /** Exists only in the summary over topics. */
  summaryOnly?: true;
  /** Friendly name, without the cut; trec_eval's name where absent. */
  label?: string;
  aliases?: readonly string[];
  /** Cuts or shares that trec_eval reports when asked for everything. */
  defaults?: readonly number[];
}

const cuts = [5, 10, 15, 20, 30, 100, 200, 500, 1000] as const;
const tenths = [0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1] as const;

const families = {
  num_q: { kind: 'plain', summary: 'sum', summaryOnly: true },
  num_ret: { kind: 'plain', summary: 'sum' },
  num_rel: { kind: 'plain', summary: 'sum' },
  num_rel_ret: { kind: 'plain', summary: 'sum' },
  map: { kind: 'plain', aliases: ['ap'] },
  gm_map: { kind: 'plain', summary: 'geometric', summaryOnly: true, aliases: ['gmap'] },
  Rprec: { kind: 'plain', label: 'r-precision', aliases: ['r_precision', 'rprecision', 'r-prec'] },
  bpref: { kind: 'plain' },
  recip_rank: { kind: 'plain', label: 'mrr', aliases: ['rr', 'reciprocal-rank'] },
  iprec_at_recall: { kind: 'share', defaults: tenths },
  P: { kind: 'cut', label: 'p', aliases: ['precision', 'prec'], defaults: cuts },
  recall: { kind: 'cut', aliases: ['r'], defaults: cuts },
  infAP: { kind: 'plain' },
  gm_bpref: { kind: 'plain', summary: 'geometric', summaryOnly: true },
  Rprec_mult: { kind: 'share', defaults: [0.2, 0.4, 0.6, 0.8, 1, 1.2, 1.4, 1.6, 1.8, 2] },
  utility: { kind: 'plain' },
  '11pt_avg': { kind: 'plain' },
  binG: { kind: 'plain' },
  G: { kind: 'plain' },
  ndcg: { kind: 'plain' },
  ndcg_rel: { kind: 'plain' },
  Rndcg: { kind: 'plain' },
  ndcg_cut: { kind: 'cut', label: 'ndcg', defaults: cuts },
  map_cut: { kind: 'cut', label: 'map', aliases: ['ap'], defaults: cuts },
  recip_rank_cut: { kind: 'cut', label: 'mrr', aliases: ['rr'] },
  relative_P: { kind: 'cut', aliases: ['relative-p'], defaults: cuts },
  success: { kind: 'cut', aliases: ['hit', 'hits', 'hit_rate', 'hit-rate'], defaults: [1, 5, 10] },
  set_P: { kind: 'plain' },
  set_relative_P: { kind: 'plain' },
  set_recall: { kind: 'plain' },
  set_map: { kind: 'plain' },
  set_F: { kind: 'plain', aliases: ['set_f1'] },
  num_nonrel_judged_ret: { kind: 'plain', summary: 'sum' },
  rbp: { kind: 'plain' },
  rbp_resid: { kind: 'plain' },
  unj: { kind: 'cut', label: 'unjudged', defaults: [5, 10, 20] },
} as const satisfies Record<string, FamilySpec>;

export type MeasureFamily = keyof typeof families;

const specs: Record<MeasureFamily, FamilySpec> = families;
const familyNames = Object.keys(families) as MeasureFamily[];

export const familySpec = (family: MeasureFamily): FamilySpec => specs[family];

/** Builds a measure from its family and, where it has one, its cut or share. */
function measureOf(family: MeasureFamily, at = 0): Measure {
  const { kind, label = family } = specs[family];
  if (kind === 'plain') return { family, name: family, label, at: 0 };
  if (kind === 'cut') return { family, name: `${family}_${at}`, label: `${label}@${at}`, at };
  const name = `${family}_${at.toFixed(2)}`;
  return { family, name, label: name, at };
}

/** Every measure that trec_eval prints when asked for all of them, in its order, but for the two that are text. */
export const trecMeasures: readonly Measure[] = familyNames.flatMap((family) => {
  const { kind, defaults = [] } = specs[family];
  return kind === 'plain' ? [measureOf(family)] : defaults.map((at) => measureOf(family, at));
});

/** The names that `parseMetric` knows, friendly ones first; `K` stands for any cut, `X` for any share. */
export const metricNames: readonly string[] = [
  ...new Set([
    ...familyNames.map((family) => withMark(specs[family].label ?? family, specs[family].kind, '@')),
    ...familyNames.map((family) => withMark(family, specs[family].kind, '_')),
  ]),
];

function withMark(name: string, kind: FamilySpec['kind'], joint: '@' | '_'): string {
  return kind === 'plain' ? name : kind === 'cut' ? `${name}${joint}K` : `${name}_X`;
}

/** Spellings, in lower case, of the families without and with a number. */
const plainSpellings = new Map<string, MeasureFamily>();
const numberedSpellings = new Map<string, MeasureFamily>();
for (const family of familyNames) {
  const { kind, label, aliases = [] } = specs[family];
  for (const spelling of [family, ...(label === undefined ? [] : [label]), ...aliases]) {
    (kind === 'plain' ? plainSpellings : numberedSpellings).set(spelling.toLowerCase(), family);
  }
}

/**
 * The measure that a name means: trec_eval's spelling or a friendly one, in any case.
 * Throws `metric.unknown` with the nearest names, `metric.cut` where a cut is missing or not a positive whole number.
 */
export function parseMetric(name: string): Measure {
  const text = name.trim().toLowerCase();
  const plain = plainSpellings.get(text);
  if (plain !== undefined) return measureOf(plain);
  const match = /^(.*?)[@_.]?(-?\d+(?:\.\d+)?)$/.exec(text);
  const family = match === null ? undefined : numberedSpellings.get(match[1]!);
  if (match !== null && family !== undefined) {
    const at = Number(match[2]);
    if (specs[family].kind === 'share') {
      if (at >= 0 && at <= 100) return measureOf(family, at);
    } else if (Number.isInteger(at) && at >= 1) return measureOf(family, at);
    throw inputError(`the cut of metric ${JSON.stringify(name)} is not a positive whole number`, {
      code: 'metric.cut',
      field: 'metric',
      expected: 'a cut of at least 1, as in ndcg@10',
      found: match[2]!,
    });
  }
  const cutless = numberedSpellings.get(text);
  if (cutless !== undefined) {
    const example = measureOf(cutless, specs[cutless].kind === 'share' ? 0.5 : 10).label;
    throw inputError(`metric ${JSON.stringify(name)} needs a cut`, {
      code: 'metric.cut',
      field: 'metric',
      expected: `a number, as in ${example}`,
      found: name,
    });
  }
  const near = nearest(text);
  throw inputError(`there is no metric ${JSON.stringify(name)}`, {
    code: 'metric.unknown',
    field: 'metric',
    expected: `one of ${metricNames.slice(0, 24).join(', ')} ... (any name of trec_eval)`,
    found: name,
    ...(near === undefined ? {} : { hint: `did you mean ${near}?` }),
  });
}

/** The known spelling nearest to a mistyped one, with its cut put back; undefined where none is near. */
function nearest(text: string): string | undefined {
  const match = /^(.*?)[@_.]?(\d+)$/.exec(text);
  const [stem, cut] = match === null ? [text, undefined] : [match[1]!, match[2]];
  let best: { family: MeasureFamily; distance: number } | undefined;
  for (const spellings of cut === undefined
    ? [plainSpellings, numberedSpellings]
    : [numberedSpellings, plainSpellings]) {
    for (const [spelling, family] of spellings) {
      const distance = editDistance(stem, spelling);
      if (best === undefined || distance < best.distance) best = { family, distance };
    }
  }
  if (best === undefined || best.distance > Math.max(1, Math.floor(stem.length / 3) + 1)) return undefined;
  return measureOf(best.family, cut === undefined ? 10 : Number(cut)).label;
}

/** Levenshtein distance. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      next.push(Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)));
    }
    row = next;
  }
  return row[b.length]!;
}
