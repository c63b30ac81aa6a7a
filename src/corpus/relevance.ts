/**
 * Relevance: which documents count as relevant to which query, and which may be found at all. Built from citations inside
 * the corpus or from a judgement file; the choice is stated in one sentence that every report begins with.
 *
 *   cites      the query patent's own list of cited documents; gain 1
 *   cited-by   the patents that cite the query patent, by their lists or by its own; gain 1
 *   both       either
 *   coupling   patents that cite a document the query cites too, in the corpus or not; gain = how many (`coupling.ts`)
 *   qrels      a judgement file, with queries that are texts or patents; gain as judged
 *
 * A patent query never finds itself or its own family, and neither counts as relevant. Uncited is not irrelevant: nobody has
 * judged the rest.
 */
import { basename } from 'node:path';
import { inputError } from '../base/errors.ts';
import { stream } from '../base/random.ts';
import { loadCoupling } from './coupling.ts';
import { readQrels, readQueries } from './qrels.ts';
import { dayOf, type Relations, unknownDay } from './relations.ts';
import { citationDrafts } from './relevance-citations.ts';
import { type Draft, type DraftFilter, Drops, never, settle } from './relevance-draft.ts';
import type { Corpus } from './store.ts';

const relevances = ['cites', 'cited-by', 'both', 'coupling', 'qrels'] as const;
export type RelevanceKind = (typeof relevances)[number];

export interface RelevanceOptions {
  relevance: RelevanceKind;
  /** Search-report categories (X, Y, A, ...); a citation with one of them counts. Default: all citations. */
  categories?: readonly string[] | undefined;
  /** Who cited: examiner, applicant, ... Default: all. */
  origins?: readonly string[] | undefined;
  /** Only documents published before the query's earliest date may be found. Default false. */
  onlyEarlier?: boolean | undefined;
  /** TREC judgement file, for `qrels`. */
  qrels?: string | undefined;
  queriesFile?: string | undefined;
  /** At most this many queries, drawn with `seed`. Default: all. */
  sampleQueries?: number | undefined;
  seed: number;
}

export interface Relevance {
  /** First line of every report. */
  statement: string;
  /** A patent of the corpus (`row`) or a text. */
  queries: { id: string; row?: number; text?: string }[];
  /** Per query: judged documents, rows ascending, with their gains (0 and below: judged, not relevant). */
  judged: { rows: Int32Array; gains: Float32Array }[];
  /** Rows a query may not find: itself and its family, ascending. */
  excluded(query: number): Int32Array;
  /** With `onlyEarlier`: a document may be found iff its day is below the query's. */
  documentDay?: Int32Array;
  queryDay?: Int32Array;
  /** Family of each query: what the bootstrap resamples. */
  clusters: Int32Array;
  /** Queries there would be if none were dropped. */
  candidates: number;
  dropped: { reason: string; count: number }[];
  /** Share of what the queries' sources hold relevant that is in the corpus: nobody can find the rest. */
  recallCeiling: number;
  /** Year and office of each query. */
  years: (string | undefined)[];
  countries: (string | undefined)[];
}

const none = new Int32Array(0);

/** Which queries are kept where not all are. */
export type SampleOptions = Pick<RelevanceOptions, 'sampleQueries' | 'seed'>;

export async function buildRelevance(
  corpus: Corpus,
  relations: Relations,
  options: RelevanceOptions,
): Promise<Relevance> {
  const members = familyMembers(relations);
  const days = options.onlyEarlier ? documentDays(relations) : undefined;
  const drop = new Drops();
  const filter: DraftFilter = { relations, days: days?.day, drop };
  const { drafts, candidates, what } =
    options.relevance === 'qrels'
      ? await judgedDrafts(corpus, options, filter)
      : options.relevance === 'coupling'
        ? await coupledDrafts(corpus, options, filter)
        : citationDrafts(corpus, options, filter);
  if (drafts.length === 0) throw noQueries(corpus, options, candidates, drop);
  const chosen = sample(drafts, options, drop);
  const { family, families } = relations;
  let listed = 0;
  let inside = 0;
  for (const draft of chosen) {
    listed += draft.listed;
    inside += draft.inside;
  }
  const result: Relevance = {
    statement: statementOf(corpus, relations, options, what, days),
    queries: chosen.map(({ id, row, text }) => ({
      id,
      ...(row === undefined ? {} : { row }),
      ...(text === undefined ? {} : { text }),
    })),
    judged: chosen.map(({ rows, gains }) => ({ rows, gains })),
    excluded(query) {
      const row = chosen[query]?.row;
      return row === undefined ? none : members(row);
    },
    clusters: Int32Array.from(chosen, (draft, i) => (draft.row === undefined ? families + i : family[draft.row]!)),
    candidates,
    dropped: drop.list(),
    recallCeiling: listed === 0 ? 1 : inside / listed,
    years: chosen.map(({ row }) =>
      row === undefined || relations.year[row] === 0 ? undefined : String(relations.year[row]).padStart(4, '0'),
    ),
    countries: chosen.map(({ row }) =>
      row === undefined ? undefined : relations.countries[relations.country[row]!] || undefined,
    ),
  };
  if (days === undefined) return result;
  return { ...result, documentDay: days.day, queryDay: Int32Array.from(chosen, ({ day }) => day) };
}

async function coupledDrafts(corpus: Corpus, options: RelevanceOptions, filter: DraftFilter) {
  if ((options.categories?.length ?? 0) + (options.origins?.length ?? 0) > 0)
    throw inputError('coupling knows no citation filters', {
      code: 'relevance.filter',
      field: '--relevance',
      expected: 'cites, cited-by or both with --category and --origin',
      found: 'coupling',
    });
  const coupling = await loadCoupling(corpus);
  const drafts: Draft[] = [];
  let candidates = 0;
  for (let row = 0; row < corpus.size; row++) {
    const { cites } = filter.relations;
    if (cites.offsets[row] === cites.offsets[row + 1]) continue;
    candidates++;
    const { rows, shared } = coupling.of(row);
    if (rows.length === 0) {
      filter.drop.add('no other patent cites any of its cited documents');
      continue;
    }
    const draft = settle(filter, { id: corpus.id(row), row, listed: rows.length, inside: rows.length }, rows, shared);
    if (draft !== undefined) drafts.push(draft);
  }
  const hubs = coupling.hubs > 0 ? ` (${coupling.hubs} documents cited by more than 1,000 patents left out)` : '';
  return {
    drafts,
    candidates,
    what: `the patents that cite a document the query patent cites too${hubs}, graded by how many`,
  };
}

async function judgedDrafts(corpus: Corpus, options: RelevanceOptions, filter: DraftFilter) {
  if (options.qrels === undefined)
    throw inputError('no judgement file is named', {
      code: 'relevance.qrels',
      field: '--qrels',
      expected: 'a TREC qrels file',
      found: 'nothing',
    });
  const judgements = await readQrels(options.qrels);
  const queries =
    options.queriesFile === undefined
      ? [...judgements.keys()].map((id) => ({ id }))
      : await readQueries(options.queriesFile);
  const known = new Set(queries.map(({ id }) => id));
  for (const topic of judgements.keys()) if (!known.has(topic)) filter.drop.add('judged, but not in the queries file');
  let candidates = queries.length;
  for (const topic of judgements.keys()) if (!known.has(topic)) candidates++;
  const drafts: Draft[] = [];
  let documents = 0;
  let missing = 0;
  for (const query of queries as { id: string; text?: string; date?: string }[]) {
    const judged = judgements.get(query.id);
    if (judged === undefined) {
      filter.drop.add('no judgements');
      continue;
    }
    const row = query.text === undefined ? corpus.row(query.id) : undefined;
    if (query.text === undefined && row === undefined) {
      filter.drop.add('neither a text nor a patent of the corpus');
      continue;
    }
    const pairs: [number, number][] = [];
    let listed = 0;
    let inside = 0;
    for (const [document, gain] of judged) {
      const target = corpus.row(document);
      documents++;
      if (target === undefined) missing++;
      else pairs.push([target, gain]);
      if (gain <= 0) continue;
      listed++;
      if (target !== undefined) inside++;
    }
    pairs.sort((a, b) => a[0] - b[0]);
    const unique = pairs.filter(([target], i) => i === 0 || pairs[i - 1]![0] !== target);
    const draft = settle(
      filter,
      {
        id: query.id,
        ...(row === undefined ? { text: query.text! } : { row }),
        ...(query.date === undefined ? {} : { day: dayOf(query.date, 'first') }),
        listed,
        inside,
      },
      Int32Array.from(unique, ([target]) => target),
      Float32Array.from(unique, ([, gain]) => gain),
    );
    if (draft !== undefined) drafts.push(draft);
  }
  const absent = missing > 0 ? ` (${missing} of ${documents} judged documents are not in the corpus)` : '';
  return { drafts, candidates, what: `the documents judged relevant in ${basename(options.qrels)}${absent}` };
}

/** Rows by family, ascending. */
function familyMembers({ family, families, rows }: Relations): (row: number) => Int32Array {
  const offsets = new Uint32Array(families + 1);
  for (let row = 0; row < rows; row++) offsets[family[row]! + 1]!++;
  for (let i = 0; i < families; i++) offsets[i + 1]! += offsets[i]!;
  const members = new Int32Array(rows);
  const next = offsets.slice();
  for (let row = 0; row < rows; row++) members[next[family[row]!]!++] = row;
  return (row) => members.subarray(offsets[family[row]!]!, offsets[family[row]! + 1]!);
}

interface Days {
  day: Int32Array;
  /** Documents whose earliest date stands in for a publication date that is not known. */
  standIns: number;
  dateless: number;
}

function documentDays({ publication, earliest, rows }: Relations): Days {
  const day = new Int32Array(rows);
  let standIns = 0;
  let dateless = 0;
  for (let row = 0; row < rows; row++) {
    if (publication[row] !== unknownDay) day[row] = publication[row]!;
    else if (earliest[row] !== unknownDay) {
      day[row] = earliest[row]!;
      standIns++;
    } else {
      day[row] = never;
      dateless++;
    }
  }
  return { day, standIns, dateless };
}

/** The relevance with these of its queries, in this order. */
export function keepQueries(relevance: Relevance, kept: readonly number[]): Relevance {
  const { queryDay } = relevance;
  return {
    ...relevance,
    queries: kept.map((query) => relevance.queries[query]!),
    judged: kept.map((query) => relevance.judged[query]!),
    excluded: (query) => relevance.excluded(kept[query]!),
    clusters: Int32Array.from(kept, (query) => relevance.clusters[query]!),
    years: kept.map((query) => relevance.years[query]),
    countries: kept.map((query) => relevance.countries[query]),
    ...(queryDay === undefined ? {} : { queryDay: Int32Array.from(kept, (query) => queryDay[query]!) }),
  };
}

const notDrawn = 'not drawn into the sample';

function drawn(queries: number, { sampleQueries, seed }: SampleOptions): number[] | undefined {
  if (sampleQueries === undefined || sampleQueries >= queries) return undefined;
  const order = stream(seed, 'sample-queries').shuffle(Int32Array.from({ length: queries }, (_, i) => i));
  return Array.from(order.slice(0, sampleQueries).sort());
}

/** A seeded sample of the queries of a relevance that was built without one. */
export function sampleRelevance(relevance: Relevance, options: SampleOptions): Relevance {
  const chosen = drawn(relevance.queries.length, options);
  if (chosen === undefined) return relevance;
  const count = relevance.queries.length - chosen.length;
  return { ...keepQueries(relevance, chosen), dropped: [...relevance.dropped, { reason: notDrawn, count }] };
}

function sample(drafts: Draft[], options: RelevanceOptions, drop: Drops): Draft[] {
  const chosen = drawn(drafts.length, options);
  if (chosen === undefined) return drafts;
  drop.add(notDrawn, drafts.length - chosen.length);
  return chosen.map((i) => drafts[i]!);
}

function statementOf(
  corpus: Corpus,
  relations: Relations,
  { relevance, categories = [], origins = [], onlyEarlier }: RelevanceOptions,
  what: string,
  days: Days | undefined,
): string {
  const parts = [`Relevance "${relevance}": relevant are ${what}`];
  if (categories.length > 0) parts.push(`citations of category ${categories.join(', ')} only`);
  if (origins.length > 0) parts.push(`citations by ${origins.join(', ')} only`);
  parts.push(
    relations.familyInferred
      ? "the query's own family is excluded (families partly inferred from numbers, titles, dates and abstracts)"
      : "the query's own family is excluded",
  );
  if (onlyEarlier && days !== undefined) {
    let text = "only documents published before the query's earliest date may be found";
    if (days.standIns > 0) text += ` (${days.standIns} without a publication date are dated by their earliest date)`;
    if (days.dateless > 0) text += ` (${days.dateless} without any date are never found)`;
    parts.push(text);
  } else parts.push(`all other patents of "${corpus.name}" may be found, later ones too`);
  return `${parts.join('; ')}. Uncited is not irrelevant.`;
}

function noQueries(corpus: Corpus, { relevance }: RelevanceOptions, candidates: number, drop: Drops): Error {
  const reasons = drop.list().map(({ reason, count }) => `${count}: ${reason}`);
  return inputError(`no query is left in "${corpus.name}" with relevance ${relevance}`, {
    code: 'relevance.none',
    field: '--relevance',
    expected: 'at least one patent with a relevant document in the corpus',
    found:
      candidates === 0
        ? 'no patent lists any such citation'
        : `${candidates} candidates dropped (${reasons.join('; ')})`,
    hint: `See \`patentlab corpus show ${corpus.name}\` for what the corpus supports.`,
  });
}
