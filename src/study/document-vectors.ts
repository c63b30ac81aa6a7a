/** The vectors of all documents of a corpus under one dense system: what classification and clustering work on. */
import type { Corpus } from '../corpus/store.ts';
import { cutDimensions } from '../encode/index.ts';
import { stopwatch } from './clock.ts';
import type { EncoderPool } from './dense.ts';
import type { EvaluateSettings } from './evaluate-options.ts';
import { lsaVectors } from './lsa-vectors.ts';
import { type DenseSystem, type ViewSpec, viewLabel } from './systems.ts';
import { documentTexts } from './texts.ts';

export interface DocumentVectors {
  /** [documents, dimensions], row r is row r of the corpus. */
  vectors: Float32Array;
  dimensions: number;
  encodeSeconds: number;
  /** Where all of them were computed now: documents a second. */
  documentsPerSecond?: number;
  /** Share of texts cut at the length limit. */
  truncated?: number;
}

/** `fitOn`: rows that `lsa` may learn from (the train part); encoders learn from none. */
export async function documentVectors(
  corpus: Corpus,
  view: ViewSpec,
  system: DenseSystem,
  pool: EncoderPool,
  settings: EvaluateSettings,
  fitOn?: (row: number) => boolean,
): Promise<DocumentVectors> {
  const encoding = stopwatch();
  const label = `${corpus.name} ${viewLabel(view)}`;
  if (system.kind === 'lsa') {
    const { lsaDimensions, seed, analyser, progress, signal } = settings;
    const options = { dimensions: lsaDimensions, seed, analyser, ...(fitOn === undefined ? {} : { fitOn }) };
    const { vectors: full, dimensions: width } = await lsaVectors(corpus, view, options, { progress, signal, label });
    const dimensions = Math.min(system.dimensions ?? width, width);
    const vectors = dimensions === width ? full : cutDimensions(full, width, dimensions);
    const encodeSeconds = encoding();
    return { vectors, dimensions, encodeSeconds, documentsPerSecond: corpus.size / encodeSeconds };
  }
  const documents = await pool.encode(system, {
    texts: documentTexts(corpus, view),
    count: corpus.size,
    source: { corpus: corpus.hash, view: view.view, masked: view.masked, texts: 'documents' },
    label: `${system.label}, ${label}`,
  });
  // A document read in passages has one vector here: their mean.
  const blocks = system.passages === undefined ? documents : await pool.means(system, documents);
  const vectors = new Float32Array(blocks.count * blocks.dimensions);
  for await (const { from, vectors: block } of blocks.blocks()) vectors.set(block, from * blocks.dimensions);
  const encodeSeconds = encoding();
  const { computed, texts, truncated } = documents.summary;
  return {
    vectors,
    dimensions: blocks.dimensions,
    encodeSeconds,
    ...(computed === texts ? { documentsPerSecond: texts / encodeSeconds } : {}),
    truncated: truncated / Math.max(1, texts),
  };
}
