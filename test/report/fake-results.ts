/**
 * Invented evaluation results of any size, shaped like real ones: qualities that differ by system and view, intervals as
 * wide as that many queries make them, verdicts that follow from the intervals, some of them undecided.
 */
import { type RandomStream, stream } from '../../src/base/random.ts';
import type { Comparison, Estimate, Verdict } from '../../src/metrics/types.ts';
import {
  type CellResult,
  type DataCard,
  type DomainResult,
  type EvaluationResults,
  systemName,
  type WinLossRow,
} from '../../src/study/results.ts';

export interface FakeOptions {
  /** name -> number of queries. */
  corpora?: Record<string, number>;
  views?: string[];
  systems?: { model: string; fuse?: string }[];
  invented?: boolean;
  seed?: number;
  /** Put in place of some titles. */
  hostileTitle?: string;
}

export const usualSystems = [
  { model: 'bm25+all-MiniLM-L6-v2', fuse: 'linear' },
  { model: 'bm25+all-MiniLM-L6-v2', fuse: 'rrf-60' },
  { model: 'bm25' },
  { model: 'all-MiniLM-L6-v2' },
  { model: 'all-MiniLM-L6-v2@int8' },
  { model: 'lsa' },
];

const viewGain: Record<string, number> = { T: -0.07, A: -0.02, C1: -0.03, TA: 0, TAC: 0.015, AC: 0.01, full: 0.03 };
const metricScale: Record<string, number> = {
  'ndcg@10': 1, 'ndcg@100': 1.12, 'recall@100': 1.75, map: 0.72, mrr: 1.35, 'unjudged@10': 1.9,
}; // biome-ignore format: one line a table
const nouns = ['transducer', 'probe', 'array', 'catheter', 'imaging system', 'beamformer', 'contrast agent', 'lens'];
const verbs = [
  'Method for calibrating',
  'Apparatus comprising',
  'Ultrasonic',
  'Phased',
  'System and method for steering',
];
const ends = [
  'with adaptive gain',
  'for intravascular use',
  'having reduced cross-talk',
  'and method of making same',
  '',
];

export function fakeResults(options: FakeOptions = {}): EvaluationResults {
  const {
    corpora = { 'ultrasound-us': 1046, 'assistive-at': 412 },
    views = ['T', 'TA', 'TAC', 'AC', 'full'],
    systems = usualSystems,
    invented = false,
    seed = 7,
    hostileTitle,
  } = options;
  const random = stream(seed, 'fake-results');
  const title = () =>
    hostileTitle !== undefined && random.uniform() < 0.2
      ? hostileTitle
      : `${random.pick(verbs)} ${random.pick(nouns)} ${random.pick(ends)}`.trim();
  const results: EvaluationResults = {
    format: 1,
    title: 'Which model finds the cited patents?',
    relevanceStatement:
      "Relevant is what the query patent cites (X, Y and A citations of all origins); the query's own family is excluded; candidates are all documents of the corpus.",
    invented,
    created: '2026-03-02T09:14:00Z',
    packageVersion: '0.1.0',
    definitions: '1',
    command: 'patentlab evaluate ultrasound-us --model bm25,lsa,all-MiniLM-L6-v2 --fuse linear --view T,TA,TAC,AC,full',
    cells: [],
    comparisons: [],
    viewComparisons: [],
    dataCards: [],
    recallCurves: [],
    differences: [],
    winsLosses: [],
    strata: [],
    absentStrata: [],
    domains: [],
    retentions: [],
    alphaSweeps: [],
    warnings: ['view full: 18.2 % of the texts were cut at 256 tokens by all-MiniLM-L6-v2'],
  };
  for (const [corpus, queries] of Object.entries(corpora)) {
    if (!invented) results.absentStrata.push({ corpus, by: 'language', reason: 'no query has a language' });
    results.dataCards.push(fakeCard(corpus, queries, invented));
    const shift = random.uniform() * 0.06;
    for (const view of views) fakeGroup({ corpus, view, queries, systems, results, random, shift, title });
    for (const system of systems) fakeViews(results, corpus, systemName(system), queries);
  }
  return results;
}

interface DomainSpec {
  corpus: string;
  view: string;
  queries: number;
  names: string[];
  qualities: number[];
}

/** Two fifths of the metric outside, of queries that are a third fewer. */
function fakeDomains(metric: string, { corpus, view, queries, names, qualities }: DomainSpec): DomainResult {
  const out = Math.round(0.7 * queries);
  const scaled = qualities.map((quality) => quality * metricScale[metric]!);
  const drop = { value: 0.6, lower: 0.55, upper: 0.64 };
  const outPairs = names.flatMap((a, i) =>
    names.slice(i + 1).map((b, j) => fakeComparison(metric, a, b, 0.4 * (scaled[i]! - scaled[i + 1 + j]!), out)),
  );
  const fused = names.filter((name) => name.startsWith('bm25+'));
  return {
    corpus,
    view,
    metric,
    margin: 0.01,
    judgements: { in: 9 * queries, out: 3 * queries, unknown: 41 },
    patents: { ipc: 5 * queries, cpc: 12, none: 3 },
    queries: { in: queries - 9, out, both: out - 8 },
    systems: Object.fromEntries(
      names.map((name, i) => [
        name,
        { in: estimate(scaled[i]!, 0.3, queries), out: estimate(0.4 * scaled[i]!, 0.2, out), drop, dropOfBoth: drop },
      ]),
    ),
    outPairs,
    fusions: fused.flatMap((name) => {
      const dense = name.replace(/^bm25\+| \(.*\)$/g, '');
      const dropDifference = { value: -0.012, lower: -0.031, upper: 0.006 };
      return names.includes(dense) ? [{ fused: name, dense, bm25: 'bm25', dropDifference }] : [];
    }),
  };
}

interface GroupSpec {
  corpus: string;
  view: string;
  queries: number;
  systems: { model: string; fuse?: string }[];
  results: EvaluationResults;
  random: RandomStream;
  shift: number;
  title: () => string;
}

function fakeGroup({ corpus, view, queries, systems, results, random, shift, title }: GroupSpec): void {
  const qualities = systems.map(
    (system, index) =>
      0.33 +
      shift +
      (viewGain[view] ?? 0) * (system.model === 'lsa' ? 0.5 : 1) -
      0.016 * index ** 1.25 +
      0.01 * random.normal(),
  );
  const names = systems.map(systemName);
  systems.forEach((system, index) => {
    results.cells.push(
      fakeCell({ corpus, view, queries, system, quality: qualities[index]!, random, invented: results.invented }),
    );
  });
  for (const metric of ['ndcg@10', 'recall@100']) {
    const pairs: Comparison[] = [];
    for (let i = 0; i < names.length; i++) {
      for (let j = i + 1; j < names.length; j++) {
        const difference = (qualities[i]! - qualities[j]!) * metricScale[metric]!;
        pairs.push(fakeComparison(metric, names[i]!, names[j]!, difference, queries));
      }
    }
    results.comparisons.push({ corpus, view, metric, margin: 0.01, systems: names, pairs });
  }
  const cuts = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000];
  names.forEach((system, index) => {
    results.recallCurves.push({
      corpus,
      view,
      system,
      points: cuts.map((k) => ({ k, recall: 0.97 * (1 - Math.exp(-qualities[index]! * 0.9 * k ** 0.42)) })),
    });
  });
  for (let i = 0; i < names.length; i++) {
    for (let j = i + 1; j < names.length; j++) {
      const pair = { corpus, view, metric: 'ndcg@10', a: names[i]!, b: names[j]! };
      results.differences.push({ ...pair, ...fakeShape(qualities[i]! - qualities[j]!, queries) });
      if (i > 0 && names[j] !== 'bm25' && names[i] !== 'bm25') continue;
      const rows = (sign: number): WinLossRow[] =>
        Array.from({ length: Math.min(20, queries) }, (_, row) => {
          const high = 1 - row * 0.02;
          const low = row * 0.01;
          const ranks = row % 5 === 4 ? { rankA: 3 } : { rankA: 1 + row, rankB: 160 + random.integer(900) };
          return {
            query: `US${4000000 + random.integer(6000000)}B2`,
            title: title(),
            a: sign > 0 ? high : low,
            b: sign > 0 ? low : high,
            ...ranks,
            document: { id: `US${4000000 + random.integer(6000000)}A`, title: title(), ...ranks },
          };
        });
      results.winsLosses.push({ ...pair, wins: rows(1), losses: rows(-1) });
    }
  }
  const strata = {
    year: ['1976–85', '1986–90', '1991–95', '1996–2000', '2001–05', '2006–10', '2011–15', '2016–18', 'unknown'],
    country: ['US', 'EP', 'WO', 'JP', 'other'],
    language: ['en'],
    length: ['12–85', '86–140', '141–233', '234–1204'],
    family: ['1', '2–3', '4–11'],
    relevant: ['1–2', '3–7', '8–19', '20–141'],
  } as const;
  for (const by of Object.keys(strata) as (keyof typeof strata)[]) {
    strata[by].forEach((stratum, position) => {
      const inside = Math.max(3, Math.round((queries / strata[by].length) * (0.3 + random.uniform() * 1.4)));
      results.strata.push({
        corpus,
        view,
        metric: 'ndcg@10',
        by,
        stratum,
        queries: inside,
        systems: Object.fromEntries(
          names.map((name, index) => [
            name,
            estimate(qualities[index]! + 0.012 * (position - 4) + 0.01 * random.normal(), 0.3, inside),
          ]),
        ),
      });
    });
  }
  for (const metric of ['ndcg@10', 'ndcg@100'])
    results.domains.push(fakeDomains(metric, { corpus, view, queries, names, qualities }));
  if (systems.length > 2) {
    const [full, ...cut] = names.slice(0, 4);
    results.retentions.push({
      corpus,
      view,
      metric: 'ndcg@10',
      model: full!,
      full: { system: full!, dimensions: 384 },
      cut: cut.map((system, i) => ({
        system,
        dimensions: 192 >> i,
        kept: { value: 0.97 - 0.05 * i ** 2, lower: 0.95 - 0.06 * i ** 2, upper: 0.985 - 0.04 * i ** 2 },
      })),
    });
  }
  results.alphaSweeps.push({
    corpus,
    view,
    dense: 'all-MiniLM-L6-v2',
    metric: 'ndcg@10',
    points: Array.from({ length: 11 }, (_, step) => ({
      alpha: step / 10,
      value: qualities[Math.min(2, qualities.length - 1)]! + 0.03 - 0.11 * (step / 10 - 0.55) ** 2,
    })),
  });
}

function fakeViews(results: EvaluationResults, corpus: string, model: string, queries: number): void {
  const metric = 'ndcg@10';
  const cells = results.cells.filter((cell) => cell.corpus === corpus && systemName(cell) === model);
  if (cells.length < 2) return;
  const pairs: Comparison[] = [];
  for (const [i, a] of cells.entries()) {
    for (const b of cells.slice(i + 1)) {
      const difference = a.metrics[metric]!.value - b.metrics[metric]!.value;
      pairs.push(fakeComparison(metric, a.view, b.view, difference, queries));
    }
  }
  const estimates = Object.fromEntries(cells.map((cell) => [cell.view, cell.metrics[metric]!]));
  results.viewComparisons.push({
    corpus,
    model,
    metric,
    margin: 0.01,
    views: cells.map(({ view }) => view),
    estimates,
    pairs,
  });
}

function estimate(value: number, deviation: number, queries: number): Estimate {
  const half = (1.96 * deviation) / Math.sqrt(queries);
  return { value, lower: value - half, upper: value + half };
}

interface CellSpec {
  corpus: string;
  view: string;
  queries: number;
  system: { model: string; fuse?: string };
  quality: number;
  random: RandomStream;
  invented: boolean;
}

function fakeCell({ corpus, view, queries, system, quality, random, invented }: CellSpec): CellResult {
  const name = systemName(system);
  const hash = Array.from({ length: 8 }, () => random.uint32().toString(16).padStart(8, '0')).join('');
  const dense = /MiniLM/.test(system.model);
  const long = view === 'full' ? 8 : view.length;
  const documents = Math.round(queries * 1.2);
  const encodeSeconds = dense ? (documents * long) / (system.model.includes('int8') ? 160 : 62) : 0.4;
  const searchSeconds = queries / (dense ? 900 : 2100 / long);
  return {
    corpus,
    task: 'retrieval',
    ...system,
    view,
    queries,
    documents,
    metrics: Object.fromEntries(
      Object.entries(metricScale).map(([metric, scale]) => [
        metric,
        estimate(Math.min(0.99, quality * scale), 0.31, queries),
      ]),
    ),
    cost: {
      seconds: encodeSeconds + searchSeconds,
      encodeSeconds,
      searchSeconds,
      documentsPerSecond: documents / encodeSeconds,
      queriesPerSecond: queries / searchSeconds,
      peakMemoryBytes: (dense ? 620e6 : 240e6) + queries * 1500,
      ...(dense ? { truncated: view === 'full' ? 0.982 : view === 'TA' ? 0.041 : 0.002 } : {}),
      indexBytes: documents * (dense ? 1536 : 900 * long),
    },
    manifest: {
      format: 1,
      cell: hash,
      task: 'retrieval',
      corpus: { name: corpus, hash: 'c0ffee'.repeat(10), revision: '3', invented },
      ...system,
      modelHash: 'abad1dea'.repeat(8),
      view,
      relevance: 'cites',
      maskCitations: false,
      onlyEarlier: false,
      ...(dense
        ? { pooling: 'mean', dimensions: 384, length: 256, dtype: system.model.includes('int8') ? 'int8' : 'fp32' }
        : {}),
      ...(dense ? { prompt: { query: 'query: ', document: 'passage: ' } } : {}),
      device: 'cpu',
      request: { corpora: [corpus], models: [system.model], views: [view], margin: 0.01, resamples: 10_000, seed: 1 },
      settings:
        system.model === 'bm25' ? { bm25: { variant: 'lucene', k1: 1.5, b: 0.75 }, analyser: { stem: 'none' } } : {},
      seeds: [1],
      packageVersion: '0.1.0',
      definitions: '1',
      environment: {
        node: '24.21.0',
        platform: 'linux x64',
        processor: 'a processor',
        threads: 2,
        started: '2026-03-02T09:00:00Z',
      },
    },
    files: { run: `runs/${corpus}.${view}.${name}.trec`, perQuery: `per-query/${hash.slice(0, 12)}.parquet` },
  };
}

function fakeComparison(metric: string, a: string, b: string, difference: number, queries: number): Comparison {
  const error = 0.16 / Math.sqrt(queries);
  const [lower, upper] = [difference - 1.96 * error, difference + 1.96 * error];
  const p = Math.min(1, Math.exp(-0.717 * Math.abs(difference / error) - 0.416 * (difference / error) ** 2));
  const pHolm = Math.min(1, p * 8);
  let verdict: Verdict = 'undecided';
  if (Math.abs(difference) + 1.645 * error < 0.01) verdict = 'equivalent';
  else if (Math.abs(difference) >= 0.01 && pHolm < 0.05) verdict = difference > 0 ? 'better' : 'worse';
  return { metric, a, b, difference, lower, upper, p, pHolm, verdict, detectable: 2.8 * error, queries };
}

function fakeShape(mean: number, queries: number) {
  const ties = Math.round(queries * 0.31);
  const wins = Math.round((queries - ties) * (0.5 + mean * 3));
  const losses = queries - ties - wins;
  const bins = Array.from({ length: 40 }, (_, index) => {
    const from = -1 + index * 0.05;
    const middle = from + 0.025;
    const weight = Math.exp(-Math.abs(middle) * 5.2) * (1 + Math.sign(middle) * mean * 5);
    return { from, to: from + 0.05, count: Math.round(queries * 0.69 * 0.12 * weight) };
  });
  const quantiles = [0.05, 0.25, 0.5, 0.75, 0.95].map((q) => ({ q, value: Math.sinh((q - 0.5) * 5) / 12 + mean }));
  return { bins, wins, ties, losses, quantiles };
}

function fakeCard(corpus: string, queries: number, invented: boolean): DataCard {
  const documents = Math.round(queries * 1.2);
  return {
    corpus,
    invented,
    sources: [
      {
        file: `${corpus}.jsonl.gz`,
        sha256: 'b5bb9d8014a0f9b1d61e21e796d78dcc'.repeat(2),
        bytes: 31_204_118,
        rows: documents + 4,
        rejected: 4,
      },
      {
        file: `${corpus}-2018.csv`,
        sha256: '7d793037a0760186574b0282f2f435e7'.repeat(2),
        bytes: 1_204_118,
        rows: 212,
        rejected: 0,
      },
    ],
    documents,
    years: Array.from({ length: 43 }, (_, index) => ({
      year: String(1976 + index),
      documents: Math.round((documents / 60) * (1 + Math.sin(index / 7) * 0.6 + index / 40)),
    })),
    countries: [
      { country: 'US', documents: Math.round(documents * 0.7) },
      { country: 'EP', documents: Math.round(documents * 0.2) },
      { country: 'WO', documents: Math.round(documents * 0.1) },
    ],
    languages: [{ language: 'en', documents }],
    lengths: [
      { field: 'title', present: documents, median: 52, p90: 96 },
      { field: 'abstract', present: documents - 31, median: 702, p90: 1190 },
      { field: 'claims', present: documents - 296, median: 6120, p90: 15_300 },
      { field: 'description', present: documents - 34, median: 31_900, p90: 81_200 },
    ],
    citations: {
      total: documents * 28,
      resolved: documents * 11,
      unresolved: documents * 17,
      ambiguous: 14,
      recallCeiling: 0.391,
    },
    queries: {
      candidates: documents,
      used: queries,
      dropped: [
        { reason: 'no cited document inside the corpus', count: Math.round((documents - queries) * 0.9) },
        { reason: 'empty text in this view', count: Math.round((documents - queries) * 0.1) },
      ],
    },
    judgements: { relevant: queries * 13, medianPerQuery: 7, maxPerQuery: 212 },
    families: { known: 0, inferred: true },
  };
}
