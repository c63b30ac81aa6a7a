/** `lsa` vectors of a corpus under a view: the model is fitted on its texts, all or some of them, and then applied to all. */
import type { Progress } from '../base/progress.ts';
import type { Corpus } from '../corpus/store.ts';
import { LsaBuilder, type LsaModel } from '../encode/lsa.ts';
import { type AnalyserOptions, WordAnalyser } from '../tokenizer/words.ts';
import type { ViewSpec } from './systems.ts';
import { documentTexts } from './texts.ts';

export interface LsaVectorOptions {
  dimensions: number;
  seed: number;
  analyser: AnalyserOptions;
  /** Rows the model is fitted on. Default all. */
  fitOn?: (row: number) => boolean;
}

export interface LsaVectors {
  /** [documents, dimensions], of length 1; 0 where a text has no known word. */
  vectors: Float32Array;
  dimensions: number;
  model: LsaModel;
  analyser: WordAnalyser;
}

export async function lsaVectors(
  corpus: Corpus,
  view: ViewSpec,
  { dimensions, seed, analyser: analyserOptions, fitOn = () => true }: LsaVectorOptions,
  { progress, signal, label }: { progress: Progress; signal: AbortSignal | undefined; label: string },
): Promise<LsaVectors> {
  const analyser = new WordAnalyser(analyserOptions);
  const builder = new LsaBuilder({ dimensions, seed });
  const reading = progress.begin(`lsa fit, ${label}`, { total: corpus.size, unit: 'patents' });
  let read = 0;
  for await (const text of documentTexts(corpus, view)) {
    signal?.throwIfAborted();
    if (fitOn(read++)) builder.add(analyser.analyse(text));
    reading.advance();
  }
  const model = builder.fit();
  reading.finish();
  const width = model.dimensions;
  const vectors = new Float32Array(corpus.size * width);
  let row = 0;
  for await (const text of documentTexts(corpus, view)) {
    signal?.throwIfAborted();
    model.encodeInto(analyser.analyse(text, { grow: false }), vectors, row++ * width);
  }
  return { vectors, dimensions: width, model, analyser };
}
