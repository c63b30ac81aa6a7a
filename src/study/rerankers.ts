/** Cross-encoders opened once for all cells, with the tokenizers that join their pairs and the scores they have given. */
import { join } from 'node:path';
import { workError } from '../base/errors.ts';
import { inFlight } from '../encode/ahead.ts';
import { planBatches } from '../encode/index.ts';
import { type CrossEncoder, loadCrossEncoder } from '../model/cross-encoder.ts';
import { loadTokenizer } from '../tokenizer/index.ts';
import { PairEncoder, type PairText } from '../tokenizer/pair.ts';
import { stopwatch } from './clock.ts';
import type { EvaluateSettings } from './evaluate-options.ts';
import { locateModel } from './model-source.ts';
import { openPairScores, type PairScores } from './pair-scores.ts';
import type { RerankerSpec } from './reranked.ts';
import type { Manifest } from './results.ts';

/** Raised whenever a stored score would differ from a computed one for another reason than those in the key. */
const scoresVersion = 1;

/** Tokens that run through the model together. */
const batchTokens = 1024;

export class Reranker {
  readonly model: CrossEncoder;
  readonly stored: PairScores;
  private readonly pairs: PairEncoder;

  constructor(model: CrossEncoder, pairs: PairEncoder, stored: PairScores) {
    this.model = model;
    this.pairs = pairs;
    this.stored = stored;
  }

  /** A text's tokens, to be joined with others'. */
  read(text: string): PairText {
    return this.pairs.read(text);
  }

  /** Raw scores of `query` with each document, in order, and how many pairs were cut; `advance` is told of pairs done. */
  async score(
    query: PairText,
    documents: readonly PairText[],
    { signal, advance }: { signal?: AbortSignal | undefined; advance?: (pairs: number) => void } = {},
  ): Promise<{ scores: Float32Array; truncated: number }> {
    const pairs = documents.map((document) => this.pairs.join(query, document));
    const batches = planBatches(
      pairs.map(({ ids }) => ids.length),
      batchTokens,
    );
    const scores = new Float32Array(pairs.length);
    let done = 0;
    const running = inFlight(batches, this.model.lanes + 1, (rows) =>
      signal?.aborted ? undefined : this.model.score(Array.from(rows, (row) => pairs[row]!)),
    );
    for await (const values of running) {
      const rows = batches[done++]!;
      rows.forEach((row, i) => {
        scores[row] = values[i]!;
      });
      advance?.(rows.length);
    }
    signal?.throwIfAborted();
    if (scores.every(Number.isFinite))
      return { scores, truncated: pairs.reduce((sum, { truncated }) => sum + (truncated ? 1 : 0), 0) };
    throw workError('the cross-encoder gave scores that are not numbers', {
      code: 'rerank.finite',
      found: `${this.model.id} in ${this.model.dtype}`,
      hint: this.model.dtype === 'fp32' ? 'the checkpoint is damaged: fetch it again' : 'use --dtype fp32',
    });
  }

  /** What scoring `pairs` pairs of texts like those of `sample` would take; a first batch is run untimed. */
  async estimate(sample: readonly string[], pairs: number): Promise<{ seconds: number; bytes: number }> {
    const texts = sample.slice(0, 2 * this.model.lanes + 2).map((text) => this.read(text));
    const [first, ...others] = texts;
    if (first === undefined || others.length === 0) return { seconds: 0, bytes: 0 };
    await this.score(first, others.slice(0, this.model.lanes));
    const timing = stopwatch();
    await this.score(first, others);
    return { seconds: (timing() / others.length) * pairs, bytes: pairs * scoreBytes };
  }
}

/** Bytes of a stored score: the text's hash and a number. */
const scoreBytes = 48;

export class RerankerPool {
  private readonly settings: EvaluateSettings;
  private readonly open = new Map<string, Promise<Reranker>>();

  constructor(settings: EvaluateSettings) {
    this.settings = settings;
  }

  get(spec: RerankerSpec): Promise<Reranker> {
    const key = `${spec.source} ${spec.dtype}`;
    let reranker = this.open.get(key);
    if (reranker === undefined) {
      reranker = this.load(spec);
      this.open.set(key, reranker);
    }
    return reranker;
  }

  /** The part of a cell's key that the cross-encoder decides. */
  async manifestOf(
    spec: RerankerSpec,
  ): Promise<Pick<Manifest, 'modelHash' | 'length' | 'dtype' | 'device' | 'arithmetic'>> {
    const { hash, maxLength, dtype, device, arithmetic } = (await this.get(spec)).model;
    return { modelHash: hash, length: maxLength, dtype, device, arithmetic };
  }

  async close(): Promise<void> {
    for (const opened of this.open.values()) await (await opened.catch(() => undefined))?.model.close();
  }

  private async load({ source, dtype }: RerankerSpec): Promise<Reranker> {
    const { platform, home, offline, progress, signal, threads, vectors, device, rerankLength } = this.settings;
    const { folder, id } = await locateModel(platform, source, { home, offline, progress, signal });
    const model = await loadCrossEncoder(platform, folder, {
      dtype,
      threads,
      device,
      id,
      ...(rerankLength === undefined ? {} : { maxLength: rerankLength }),
    });
    try {
      const tokenizer = await loadTokenizer(platform, folder, { lowercase: model.lowercase });
      const stored = await openPairScores(platform.files, vectors ?? join(home, 'vectors'), {
        kind: 'pair scores',
        version: scoresVersion,
        model: model.hash,
        dtype,
        maxLength: model.maxLength,
        device: model.device,
        arithmetic: model.arithmetic,
      });
      return new Reranker(model, new PairEncoder(tokenizer, model.maxLength), stored);
    } catch (error) {
      await model.close();
      throw error;
    }
  }
}
