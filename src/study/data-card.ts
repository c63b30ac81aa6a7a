/** The data card: what the evaluation stands on, so that a reader can judge it. */

import type { Relevance } from '../corpus/relevance.ts';
import { quantile } from '../metrics/interval.ts';
import type { CorpusUnderStudy } from './corpus-under-study.ts';
import type { DataCard, SearchedDataCard } from './results.ts';
import type { TaskCorpus } from './tasks.ts';

/** Without relevance the card of a corpus that nothing is searched in. */
export async function dataCard(study: CorpusUnderStudy): Promise<SearchedDataCard>;
export async function dataCard(corpus: TaskCorpus): Promise<DataCard>;
export async function dataCard({
  corpus,
  relations,
  relevance,
}: TaskCorpus & { relevance?: Relevance }): Promise<DataCard> {
  const { summary, sources } = corpus;
  const lengths = Object.entries(summary.fields).flatMap(([field, facts]) =>
    'median' in facts ? [{ field, present: facts.present, median: facts.median, p90: facts.p90 }] : [],
  );
  return {
    corpus: corpus.name,
    invented: corpus.invented,
    sources: sources.map(({ file, sha256, bytes, rows, rejected }) => ({ file, sha256, bytes, rows, rejected })),
    documents: corpus.size,
    years: summary.years,
    countries: summary.countries,
    languages: summary.languages,
    lengths,
    citations: {
      total: relations.counts.total,
      resolved: relations.counts.inside,
      unresolved: relations.counts.unresolved,
      ambiguous: relations.counts.ambiguous,
      ...(relevance === undefined ? {} : { recallCeiling: relevance.recallCeiling }),
    },
    ...(relevance === undefined ? {} : judgedBy(relevance)),
    families: { known: relations.familiesKnown, inferred: relations.familyInferred },
  };
}

function judgedBy(relevance: Relevance): Pick<DataCard, 'queries' | 'judgements'> {
  const relevant = Float64Array.from(relevance.judged, ({ gains }) => gains.filter((gain) => gain > 0).length).sort();
  return {
    queries: { candidates: relevance.candidates, used: relevance.queries.length, dropped: relevance.dropped },
    judgements: {
      relevant: relevant.reduce((sum, count) => sum + count, 0),
      medianPerQuery: relevant.length === 0 ? 0 : quantile(relevant, 0.5),
      maxPerQuery: relevant.at(-1) ?? 0,
    },
  };
}
