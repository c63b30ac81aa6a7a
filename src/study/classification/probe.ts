/** One probe on one system: fitted on the training part, asked about every test document. */

import { type DenseRows, selectRows } from '../../classify/features.ts';
import { predictHead, trainHead } from '../../classify/head.ts';
import { knnClassify } from '../../classify/knn.ts';
import { type LogisticFit, predictLogistic, trainLogistic } from '../../classify/logistic.ts';
import { decide, decideOne } from '../../classify/predictions.ts';
import { TfidfFeatures } from '../../classify/tfidf-features.ts';
import { fixedThreshold } from '../../classify/thresholds.ts';
import type { Engine } from '../../engine/index.ts';
import type { LabelSets } from '../../metrics/label-sets.ts';
import { Bm25Builder } from '../../retrieve/bm25.ts';
import { WordAnalyser } from '../../tokenizer/words.ts';
import { stopwatch } from '../clock.ts';
import type { EncoderPool } from '../dense.ts';
import { documentVectors } from '../document-vectors.ts';
import type { EvaluateSettings } from '../evaluate-options.ts';
import type { SystemSpec, ViewSpec } from '../systems.ts';
import { documentTexts } from '../texts.ts';
import type { Ground } from './ground.ts';
import { neighbours, type Probe, probeSettings } from './options.ts';
import type { ClassificationCost, ConvergenceReport } from './results.ts';

type VectorCost = Pick<ClassificationCost, 'encodeSeconds' | 'documentsPerSecond' | 'truncated'>;

/** What a system gives the probes to read. */
export type Features =
  | { kind: 'vectors'; train: DenseRows; test: DenseRows; cost: VectorCost }
  | { kind: 'texts'; train: string[]; test: string[] };

/** Vectors of both parts (`lsa` is fitted on the training part), for bm25 the texts. */
export async function readFeatures(
  { corpus, train, test }: Ground,
  view: ViewSpec,
  system: SystemSpec & { kind: 'bm25' | 'lsa' | 'encoder' },
  encoders: EncoderPool,
  settings: EvaluateSettings,
): Promise<Features> {
  const part = new Uint8Array(corpus.size);
  for (const row of train.rows) part[row] = 1;
  for (const row of test.rows) part[row] = 2;
  if (system.kind === 'bm25') {
    const texts: Features = { kind: 'texts', train: [], test: [] };
    let row = 0;
    for await (const text of documentTexts(corpus, view, (row) => part[row]! > 0)) {
      settings.signal?.throwIfAborted();
      if (part[row] === 1) texts.train.push(text);
      else if (part[row] === 2) texts.test.push(text);
      row++;
    }
    return texts;
  }
  const { vectors, dimensions, ...cost } = await documentVectors(
    corpus,
    view,
    system,
    encoders,
    settings,
    (row) => part[row] === 1,
  );
  const all: DenseRows = { vectors, dimensions };
  return {
    kind: 'vectors',
    train: selectRows(all, train.rows),
    test: selectRows(all, test.rows),
    cost,
  };
}

export interface Probed {
  /** [test documents, labels] shares of neighbours, or probabilities. */
  scores: Float32Array;
  /** By the fixed threshold; of documents with one label each the likeliest. */
  predicted: LabelSets;
  convergence?: ConvergenceReport;
  trainSeconds: number;
  predictSeconds: number;
}

export async function runProbe(
  probe: Probe,
  ground: Ground,
  features: Features,
  engine: Engine,
  settings: EvaluateSettings,
): Promise<Probed> {
  const { train, names, card } = ground;
  const labels = names.length;
  const task = card.kind;
  const { seed, platform, progress, signal, analyser } = settings;
  const clock = stopwatch();
  let fitted = 0;
  const fixed = (scores: Float32Array) =>
    task === 'multi-class' ? decideOne(scores, labels) : decide(scores, new Float64Array(labels).fill(fixedThreshold));
  if (probe === 'knn') {
    if (features.kind === 'texts') {
      const { votes, seconds } = await lexicalVotes(ground, features, settings);
      const predicted =
        task === 'multi-class'
          ? decideOne(votes, labels)
          : decide(votes, new Float64Array(labels).fill(Math.floor(neighbours / 2) + 1));
      const scores = votes.map((count) => count / neighbours);
      return { scores, predicted, trainSeconds: seconds, predictSeconds: clock() - seconds };
    }
    const { scores, predicted } = await knnClassify(features.train, train.truth, features.test, {
      engine,
      labels,
      task,
      ...probeSettings.knn,
    });
    return { scores, predicted, trainSeconds: 0, predictSeconds: clock() };
  }
  if (probe === 'logistic') {
    const rows =
      features.kind === 'vectors'
        ? features
        : (() => {
            const tfidf = TfidfFeatures.fit(features.train, analyser);
            return { train: tfidf.rows(features.train), test: tfidf.rows(features.test) };
          })();
    const fit = await trainLogistic(rows.train, train.truth, {
      engine,
      labels,
      task,
      ...probeSettings.logistic,
      ...(signal ? { signal } : {}),
    });
    fitted = clock();
    const scores = await predictLogistic(fit.model, rows.test, { engine });
    return {
      scores,
      predicted: fixed(scores),
      convergence: logisticReport(fit),
      trainSeconds: fitted,
      predictSeconds: clock() - fitted,
    };
  }
  if (features.kind === 'texts') throw new Error(`${probe} reads vectors, and bm25 has none`);
  const { head, ...training } = probeSettings[probe];
  const fit = await trainHead(features.train, train.truth, {
    engine,
    platform,
    labels,
    task,
    ...training,
    head,
    groups: train.groups,
    seed,
    progress,
    ...(signal ? { signal } : {}),
  });
  signal?.throwIfAborted();
  fitted = clock();
  const scores = await predictHead(fit.model, features.test, { engine });
  return {
    scores,
    predicted: fixed(scores),
    convergence: {
      converged: fit.stopped === 'early',
      iterations: fit.epochs.length,
      problems: 1,
      unconverged: fit.stopped === 'early' ? 0 : 1,
      warnings:
        fit.stopped === 'early'
          ? []
          : [
              `the limit of ${fit.epochs.length} epochs ended the training before the held-out loss stopped falling: more might help`,
            ],
    },
    trainSeconds: fitted,
    predictSeconds: clock() - fitted,
  };
}

function logisticReport({ convergence, warnings }: LogisticFit): ConvergenceReport {
  const unconverged = convergence.filter(({ converged }) => !converged).length;
  return {
    converged: unconverged === 0,
    iterations: convergence.reduce((most, { iterations }) => Math.max(most, iterations), 0),
    problems: convergence.length,
    unconverged,
    warnings: warnings.map(({ message }) => message),
  };
}

/** How many of the 5 training documents that BM25 ranks first have each label; a place that no document fills gives no vote. */
async function lexicalVotes(
  { train, names }: Ground,
  texts: Features & { kind: 'texts' },
  { analyser: options, bm25, signal }: EvaluateSettings,
): Promise<{ votes: Float32Array; seconds: number }> {
  const clock = stopwatch();
  const analyser = new WordAnalyser(options);
  const builder = new Bm25Builder(bm25);
  for (const text of texts.train) builder.add(analyser.analyse(text));
  const index = builder.finish();
  const seconds = clock();
  const { offsets, codes } = train.truth;
  const votes = new Float32Array(texts.test.length * names.length);
  for (const [document, text] of texts.test.entries()) {
    signal?.throwIfAborted();
    // Let Ctrl-C and timers through: searching is synchronous.
    if (document % 64 === 63) await new Promise(setImmediate);
    const { rows } = index.search(analyser.analyse(text, { grow: false }), { k: neighbours });
    for (const row of rows)
      for (let i = offsets[row]!; i < offsets[row + 1]!; i++) votes[document * names.length + codes[i]!]!++;
  }
  return { votes, seconds };
}
