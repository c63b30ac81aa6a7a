/**
 * What a cell will cost, from a short measurement: a few dozen documents, evenly spread, are tokenised (bm25, lsa) or
 * encoded, and the time is scaled to the corpus. Rough on purpose: it tells minutes from hours.
 */
import { viewText } from '../corpus/views.ts';
import { LsaBuilder } from '../encode/lsa.ts';
import { Bm25Builder } from '../retrieve/bm25.ts';
import { WordAnalyser } from '../tokenizer/words.ts';
import { stopwatch } from './clock.ts';
import type { CorpusUnderStudy } from './corpus-under-study.ts';
import { systemName } from './results.ts';
import type { CellContext } from './run-cell.ts';
import { type SystemSpec, type ViewSpec, viewLabel } from './systems.ts';

export interface PlannedCell {
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

interface CellToEstimate {
  study: CorpusUnderStudy;
  view: ViewSpec;
  system: SystemSpec;
  context: CellContext;
  cell: string;
  done: boolean;
}

const sampleSize = 32;

export async function estimateCells(cells: readonly CellToEstimate[]): Promise<PlannedCell[]> {
  const samples = new Map<string, string[]>();
  const planned: PlannedCell[] = [];
  for (const { study, view, system, context, cell, done } of cells) {
    const key = `${study.corpus.name} ${viewLabel(view)}`;
    let sample = samples.get(key);
    if (sample === undefined) {
      sample = await sampleTexts(study, view);
      samples.set(key, sample);
    }
    const queries = study.relevance.queries.length;
    const { seconds, bytes } = done
      ? { seconds: 0, bytes: 0 }
      : await estimate(system, sample, study.corpus.size, queries, context);
    planned.push({
      corpus: study.corpus.name,
      view: viewLabel(view),
      system: systemName({ model: system.label, fuse: system.kind === 'fused' ? system.method : undefined }),
      cell,
      done,
      seconds,
      // rows and scores of every ranking, and some 300 bytes of metrics a query
      bytes: done ? 0 : bytes + queries * (8 * Math.min(context.settings.depth, study.corpus.size) + 300),
    });
  }
  return planned;
}

export async function sampleTexts({ corpus }: CorpusUnderStudy, view: ViewSpec): Promise<string[]> {
  const step = Math.max(1, Math.floor(corpus.size / sampleSize));
  const rows = Array.from({ length: Math.min(sampleSize, corpus.size) }, (_, i) => i * step);
  return Promise.all(
    rows.map(async (row) => viewText(await corpus.get(row), view.view, { maskCitations: view.masked })),
  );
}

async function estimate(
  system: SystemSpec,
  sample: readonly string[],
  documents: number,
  queries: number,
  { settings, encoders }: CellContext,
): Promise<{ seconds: number; bytes: number }> {
  if (sample.length === 0) return { seconds: 0, bytes: 0 };
  const scale = documents / sample.length;
  switch (system.kind) {
    case 'bm25': {
      const analyser = new WordAnalyser(settings.analyser);
      const builder = new Bm25Builder(settings.bm25);
      const reading = stopwatch();
      const tokens = sample.map((text) => analyser.analyse(text));
      for (const ids of tokens) builder.add(ids);
      const index = builder.finish();
      const perDocument = reading() / sample.length;
      const searching = stopwatch();
      for (const ids of tokens) index.search(ids, { k: settings.depth });
      const perQuery = (searching() / sample.length) * scale; // postings grow with the corpus
      return { seconds: perDocument * (documents + queries) + perQuery * queries, bytes: 0 };
    }
    case 'lsa': {
      const analyser = new WordAnalyser(settings.analyser);
      const builder = new LsaBuilder({ dimensions: 8, minDocuments: 1, seed: settings.seed });
      const time = stopwatch();
      for (const text of sample) builder.add(analyser.analyse(text));
      const reading = time();
      builder.fit();
      const fitting = (time() - reading) * (settings.lsaDimensions / 8);
      return { seconds: (2 * reading + fitting) * scale, bytes: 0 };
    }
    case 'encoder':
      return encoders.estimate(system, sample, documents);
    case 'fused': // some two dozen settings over the lists of every query, about 1 µs an entry and setting
      return { seconds: queries * Math.min(settings.depth, documents) * 25 * 1e-6, bytes: 0 };
  }
}
