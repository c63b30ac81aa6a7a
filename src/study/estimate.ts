/**
 * What a cell will cost, from a short measurement: a few dozen documents, evenly spread, are tokenised (bm25, lsa) or
 * encoded, and the time is scaled to the corpus; what does not grow with the documents (the factorisation of lsa, fusion) is
 * counted in operations, at rates of an ordinary processor. Rough on purpose: it tells minutes from hours.
 */
import { viewText } from '../corpus/views.ts';
import { Bm25Builder } from '../retrieve/bm25.ts';
import { type AnalyserOptions, WordAnalyser } from '../tokenizer/words.ts';
import { stopwatch } from './clock.ts';
import type { CorpusUnderStudy } from './corpus-under-study.ts';
import { nameOf, type RetrievalSystem } from './reranked.ts';
import type { Task } from './results.ts';
import type { CellContext } from './run-cell.ts';
import { type ViewSpec, viewLabel } from './systems.ts';

export interface PlannedCell {
  task: Task;
  corpus: string;
  view: string;
  system: string;
  cell: string;
  done: boolean;
  /** Seconds it would take; 0 where it is done. */
  seconds: number;
  /** Bytes it would leave on disk. */
  bytes: number;
}

export interface CellToEstimate {
  study: CorpusUnderStudy;
  view: ViewSpec;
  system: RetrievalSystem;
  context: CellContext;
  cell: string;
  done: boolean;
}

/** Corpora below this are encoded sooner than it is foretold. */
export const worthEstimating = 500;

const sampleSize = 32;
/** Of a truncated SVD on one core. */
const factorisingFlops = 1.5e9;
/** Of choosing and applying some two dozen settings, and keeping the lists. */
const fusionSecondsAnEntry = 1.5e-6;

export async function estimateCells(cells: readonly CellToEstimate[]): Promise<PlannedCell[]> {
  const samples = new Map<string, string[]>();
  const made = new Set<string>();
  const planned: PlannedCell[] = [];
  for (const { study, view, system, context, cell, done } of cells) {
    const key = `${study.corpus.name} ${viewLabel(view)}`;
    let sample = samples.get(key);
    if (sample === undefined) {
      sample = await sampleTexts(study, view);
      samples.set(key, sample);
    }
    const queries = study.relevance.queries.length;
    // Widths of one model, and what is done with its passages, share vectors.
    const vectors = vectorsOf(system);
    const shared = vectors !== undefined && made.has(`${key} ${vectors}`);
    if (vectors !== undefined) made.add(`${key} ${vectors}`);
    const { seconds, bytes } =
      done || shared ? { seconds: 0, bytes: 0 } : await estimate(system, sample, study.corpus.size, queries, context);
    planned.push({
      task: 'retrieval',
      corpus: study.corpus.name,
      view: viewLabel(view),
      system: nameOf(system),
      cell,
      done,
      seconds,
      // rows and scores of every ranking, and some 300 bytes of metrics a query
      bytes: done ? 0 : bytes + queries * (8 * Math.min(context.settings.depth, study.corpus.size) + 300),
    });
  }
  return planned;
}

/** What tells the vectors of a dense system's documents from others of the same texts. */
function vectorsOf(system: RetrievalSystem): string | undefined {
  if (system.kind === 'lsa') return 'lsa';
  if (system.kind !== 'encoder') return undefined;
  const { source, dtype, length, passages } = system;
  return JSON.stringify([source, dtype, length, passages && [passages.size, passages.overlap, passages.most]]);
}

export async function sampleTexts({ corpus }: Pick<CorpusUnderStudy, 'corpus'>, view: ViewSpec): Promise<string[]> {
  const step = Math.max(1, Math.floor(corpus.size / sampleSize));
  const rows = Array.from({ length: Math.min(sampleSize, corpus.size) }, (_, i) => i * step);
  return Promise.all(
    rows.map(async (row) => viewText(await corpus.get(row), view.view, { maskCitations: view.masked })),
  );
}

async function estimate(
  system: RetrievalSystem,
  sample: readonly string[],
  documents: number,
  queries: number,
  { settings, encoders }: CellContext,
): Promise<{ seconds: number; bytes: number }> {
  if (sample.length === 0) return { seconds: 0, bytes: 0 };
  const scale = documents / sample.length;
  switch (system.kind) {
    case 'bm25': {
      const analyser = warmAnalyser(sample, settings.analyser);
      const builder = new Bm25Builder(settings.bm25);
      const reading = stopwatch();
      const tokens = sample.map((text) => analyser.analyse(text));
      for (const ids of tokens) builder.add(ids);
      const index = builder.finish();
      const perDocument = reading() / sample.length;
      const search = () => {
        for (const ids of tokens) index.search(ids, { k: settings.depth });
      };
      search(); // as with the analyser, the first time tells nothing
      const searching = stopwatch();
      search();
      const perQuery = (searching() / sample.length) * scale; // postings grow with the corpus
      return { seconds: perDocument * (documents + queries) + perQuery * queries, bytes: 0 };
    }
    case 'lsa': {
      const analyser = warmAnalyser(sample, settings.analyser);
      const reading = stopwatch();
      const tokens = sample.map((text) => analyser.analyse(text));
      const seconds = 2 * reading() * scale; // once to fit, once to encode
      return { seconds: seconds + factorisingSeconds(tokens, scale, documents, settings.lsaDimensions), bytes: 0 };
    }
    case 'encoder':
      return encoders.estimate(system, sample, documents);
    case 'fused':
      return { seconds: queries * Math.min(settings.depth, documents) * fusionSecondsAnEntry, bytes: 0 };
    case 'reranked': {
      const pairs = queries * Math.min(system.depth, documents);
      return (await encoders.rerankers.get(system.reranker)).estimate(sample, pairs);
    }
  }
}

/** An analyser that has seen the sample: the first texts take many times as long as all later ones. */
function warmAnalyser(sample: readonly string[], options: AnalyserOptions): WordAnalyser {
  const analyser = new WordAnalyser(options);
  for (const text of sample) analyser.analyse(text);
  return analyser;
}

/** Five passes of subspace iteration (`encode/lsa.ts`): products with the sparse matrix, and bases made orthonormal. */
function factorisingSeconds(
  tokens: readonly ArrayLike<number>[],
  scale: number,
  documents: number,
  dimensions: number,
): number {
  const passes = 5;
  const distinct = tokens.map((ids) => new Set(Array.from(ids)));
  const entries = distinct.reduce((sum, { size }) => sum + size, 0) * scale;
  const vocabulary = new Set(distinct.flatMap((ids) => [...ids])).size * Math.sqrt(scale); // Heaps' law
  const side = Math.min(documents, vocabulary);
  const width = Math.min(side, dimensions * 1.125);
  return (passes * (4 * entries * width + 2 * side * width ** 2) + 10 * width ** 3) / factorisingFlops;
}
