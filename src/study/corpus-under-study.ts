/** One corpus with its relevance, opened once for all cells: queries, judgements, filters, titles. With a split: its test part alone. */
import { inputError } from '../base/errors.ts';
import { hashOf } from '../base/hash.ts';
import { loadRelations, type Relations } from '../corpus/relations.ts';
import { buildRelevance, type Relevance, type RelevanceOptions, sampleRelevance } from '../corpus/relevance.ts';
import { relevanceWithin } from '../corpus/split-relevance.ts';
import { type CorpusSplit, type SplitOptions, splitCorpus } from '../corpus/splits.ts';
import { type Corpus, openCorpus } from '../corpus/store.ts';
import { type CandidateFilter, tieRanks } from '../retrieve/candidates.ts';
import type { SharedQueries } from './summaries.ts';

export interface CorpusUnderStudy {
  corpus: Corpus;
  relations: Relations;
  /** Given where queries and candidates are those of its test part. */
  split?: CorpusSplit;
  relevance: Relevance;
  /** Identity of queries and judgements. */
  relevanceHash: string;
  tieRank: Uint32Array;
  filter: CandidateFilter;
  shared: SharedQueries;
}

export async function openForStudy(
  home: string,
  name: string,
  options: RelevanceOptions,
  split?: SplitOptions,
): Promise<CorpusUnderStudy> {
  const corpus = await openCorpus(home, name);
  try {
    const relations = await loadRelations(corpus);
    const parts = split && (await splitCorpus(corpus, split, { relations }));
    return await studyOf({ corpus, relations, ...(parts === undefined ? {} : { split: parts }) }, options);
  } catch (error) {
    await corpus.close();
    throw error;
  }
}

/** An open corpus with its relevance. Throws where there is no query. */
export async function studyOf(
  { corpus, relations, split }: Pick<CorpusUnderStudy, 'corpus' | 'relations' | 'split'>,
  options: RelevanceOptions,
): Promise<CorpusUnderStudy> {
  // A sample is drawn from the queries of the test part, not from all.
  const relevance =
    split === undefined
      ? await buildRelevance(corpus, relations, options)
      : sampleRelevance(
          relevanceWithin(await buildRelevance(corpus, relations, { ...options, sampleQueries: undefined }), split),
          options,
        );
  if (relevance.queries.length === 0)
    throw inputError(`the test part of "${corpus.name}" has no query`, {
      code: 'split.no-queries',
      field: 'split',
      expected: 'a patent of the test part with a relevant one beside it',
      found: relevance.dropped.map(({ reason, count }) => `${count}: ${reason}`).join('; '),
      hint: 'Take a larger test part, or a larger corpus.',
    });
  const ids = Array.from({ length: corpus.size }, (_, row) => corpus.id(row));
  const { documentDay, queryDay } = relevance;
  const filter: CandidateFilter = {
    excluded: (query) => relevance.excluded(query),
    ...(documentDay && queryDay ? { documentDay, queryDay } : {}),
  };
  const titles: string[] = [];
  for (const { row, text } of relevance.queries)
    titles.push(row === undefined ? (text ?? '').slice(0, 160) : await corpus.title(row));
  const shared: SharedQueries = {
    corpus: corpus.name,
    ids: relevance.queries.map(({ id }) => id),
    titles,
    judged: relevance.judged,
    clusters: relevance.clusters,
    years: relevance.years,
    countries: relevance.countries,
    document: async (row) => ({ id: ids[row]!, title: await corpus.title(row) }),
  };
  const relevanceHash = await hashOf({
    statement: relevance.statement,
    queries: relevance.queries,
    judged: relevance.judged.map(({ rows, gains }) => [Array.from(rows), Array.from(gains)]),
    excluded: relevance.queries.map((_, query) => Array.from(relevance.excluded(query))),
    clusters: Array.from(relevance.clusters),
    // Days of queries that are texts come from the queries file, which nothing else here stands for.
    ...(documentDay && queryDay ? { documentDay: Array.from(documentDay), queryDay: Array.from(queryDay) } : {}),
  });
  return {
    corpus,
    relations,
    ...(split === undefined ? {} : { split }),
    relevance,
    relevanceHash,
    tieRank: tieRanks(ids),
    filter,
    shared,
  };
}
