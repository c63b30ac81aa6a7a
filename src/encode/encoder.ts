/**
 * Text to vectors. Three things run at once: whoever owns the texts produces them, the tokenising thread turns the next
 * windows into ids, and the engine's thread computes the batches of the present one.
 *
 *   texts → windows (plan.ts) → hash → stored? → else tokens → batches → model.encode → shard → manifest
 *
 * Invariants
 *  - vectors come in input order, whatever order they were computed in;
 *  - the plan never looks at the cache, so a vector has the same bits whether it was computed now, before, or in two
 *    sittings with a `kill -9` between them;
 *  - a query never meets a document's vector: role and prompt are part of the cache's key, as is everything else that can
 *    change a vector (model files, precision, pooling, length, passages, budget, device, the arithmetic's library and levels);
 *  - an interrupted window keeps its finished batches; a damaged shard is computed again.
 */
import { inputError, workError } from '../base/errors.ts';
import { hashOf } from '../base/hash.ts';
import type { Platform } from '../base/platform.ts';
import { type Progress, type ProgressTask, silent } from '../base/progress.ts';
import type { Role, TextModel } from '../model/types.ts';
import {
  type PassageWindows,
  startTokenizerThread,
  type TokenBatch,
  type TokenizeOptions,
  type TokenizerThread,
} from '../tokenizer/index.ts';
import { ahead, inFlight } from './ahead.ts';
import { planBatches, type TextWindow, windowsOf } from './plan.ts';
import { allBatches, type Shard } from './shard.ts';
import { memoryVectorStore, openVectorStore, type StoredShard, type VectorStore } from './store.ts';
import { TextVectors } from './vectors.ts';

/** Raised whenever what is stored would differ from what is computed: plan, shard format, kernels. */
const vectorsVersion = 1;

export interface EncoderOptions {
  /** Folder of stored vectors (`<home>/vectors`); without it they are kept in memory. */
  vectors?: string;
  /** Tokens of a batch, padding counted. Default 1,024. */
  batchTokens?: number;
  progress?: Progress;
}

export interface EncodeRequest {
  texts: Iterable<string> | AsyncIterable<string>;
  /** Number of texts, where it is known before they are read: for the progress. */
  count?: number;
  /** Default `document`. */
  role?: Role;
  /** Instead of the model's prompt for the role. */
  prompt?: string;
  /** Most tokens a text may have, special tokens and prompt counted; at most and by default the model's. */
  maxLength?: number;
  /** Cut each text into passages of `maxLength` tokens, each with a vector of its own (`passages.ts`). Default: only its beginning is read. */
  passages?: Omit<PassageWindows, 'size'>;
  /** Matryoshka: keep this many leading values, normalised again. Default all. */
  dimensions?: number;
  /**
   * What the texts are: corpus hash, view, masking, ... The same source must always mean the same texts: where all its
   * vectors are stored, the texts are not even read. Without it the vectors are found text by text.
   */
  source?: Record<string, unknown>;
  /** Word for the progress. Default `encode`. */
  label?: string;
  signal?: AbortSignal;
}

/** What encoding would take. */
export interface EncodeEstimate {
  /** Seconds, if nothing were stored yet. */
  seconds: number;
  /** Bytes of the vectors. */
  bytes: number;
  tokensPerText: number;
  /** Share of the sample's texts that are longer than the model reads. */
  truncated: number;
}

/** A window on its way: stored already, or as tokens. */
type PreparedWindow = { texts: number; stored: StoredShard } | FreshWindow;

interface FreshWindow {
  texts: number;
  hash: string;
  tokens: TokenBatch;
  /** What an interrupted run has left of it. */
  part: Shard | undefined;
  empty: number;
}

/** Opens an encoder for `model`; it owns the tokenising thread, the model stays the caller's. */
export async function openEncoder(
  platform: Platform,
  model: TextModel,
  options: EncoderOptions = {},
): Promise<Encoder> {
  const thread = await startTokenizerThread(platform, model.folder, { lowercase: model.lowercase });
  return new Encoder(platform, model, thread, options);
}

export class Encoder {
  readonly model: TextModel;
  private readonly platform: Platform;
  private readonly thread: TokenizerThread;
  private readonly options: Required<Omit<EncoderOptions, 'vectors'>> & { vectors: string | undefined };

  constructor(platform: Platform, model: TextModel, thread: TokenizerThread, options: EncoderOptions) {
    this.platform = platform;
    this.model = model;
    this.thread = thread;
    const { vectors, batchTokens = 1024, progress = silent } = options;
    this.options = { vectors, batchTokens, progress };
  }

  /** Vectors of all texts, in input order. */
  async encode(request: EncodeRequest): Promise<TextVectors> {
    const { texts, count, source, label = 'encode', signal } = request;
    const { dimensions, tokenizing, settings } = this.settingsOf(request);
    const { vectors, progress } = this.options;
    const started = performance.now();
    const store =
      vectors === undefined ? memoryVectorStore() : await openVectorStore(this.platform.files, vectors, settings);
    const known = source && (await this.allStored(store, source));
    const task = progress.begin(label, { unit: 'texts', ...(count === undefined ? {} : { total: count }) });
    const shards: StoredShard[] = known ?? [];
    let computed = 0;
    if (known === undefined) {
      const prepared = ahead(this.prepare(windowsOf(texts), store, tokenizing), 2);
      for await (const window of prepared) {
        signal?.throwIfAborted();
        if ('stored' in window) {
          shards.push(window.stored);
          task.advance(window.texts, 'stored');
          continue;
        }
        shards.push(await this.computeWindow(window, store, task, signal));
        computed += window.texts;
      }
    }
    const total = { texts: 0, tokens: 0, truncated: 0, empty: 0 };
    for (const shard of shards) {
      total.texts += shard.texts;
      total.tokens += shard.tokens;
      total.truncated += shard.truncated;
      total.empty += shard.empty;
    }
    const storedDimensions = this.model.dimensions;
    const manifest = await store.saveManifest({
      format: 1,
      settings,
      source: source ?? { texts: await hashOf(shards.map(({ hash }) => hash)) },
      dimensions: storedDimensions,
      ...total,
      shards,
    });
    task.finish();
    const seconds = (performance.now() - started) / 1000;
    return new TextVectors(store, shards, { ...total, dimensions, computed, seconds }, { storedDimensions, manifest });
  }

  /** True where all vectors of the request's source are stored: `encode` will compute nothing. */
  async isStored(request: Omit<EncodeRequest, 'texts'>): Promise<boolean> {
    const { vectors } = this.options;
    if (vectors === undefined || request.source === undefined) return false;
    const store = await openVectorStore(this.platform.files, vectors, this.settingsOf(request).settings);
    return (await store.findManifest(request.source)) !== undefined;
  }

  /**
   * What encoding `count` texts like those of `sample` would take: the sample (a few dozen texts are enough) is tokenised
   * and run, a first batch untimed.
   */
  async estimate(
    sample: readonly string[],
    count: number,
    request: Omit<EncodeRequest, 'texts'> = {},
  ): Promise<EncodeEstimate> {
    const { dimensions, tokenizing } = this.settingsOf(request);
    const held = await this.thread.hold([...sample]);
    const tokens = await held.tokenize(tokenizing);
    const lengths = lengthsOf(tokens);
    const batches = planBatches(lengths, Math.min(1024, this.options.batchTokens));
    const { lanes } = this.model;
    const timed = { tokens: 0, seconds: 0 };
    const together = (rounds: readonly Int32Array[]) => Promise.all(rounds.map((rows) => this.run(tokens, rows)));
    if (batches.length > 0) await together(new Array<Int32Array>(lanes).fill(batches[0]!)); // the first run builds its buffers
    for (let at = 0; at < batches.length && timed.seconds <= 2; at += lanes) {
      const rounds = batches.slice(at, at + lanes);
      const started = performance.now();
      await together(rounds);
      timed.seconds += (performance.now() - started) / 1000;
      for (const row of rounds.flatMap((rows) => [...rows])) timed.tokens += lengths[row]!;
    }
    const tokensPerText = sample.length === 0 ? 0 : tokens.ids.length / sample.length;
    return {
      seconds: timed.tokens === 0 ? 0 : (timed.seconds / timed.tokens) * tokensPerText * count,
      bytes: count * (lengths.length / Math.max(1, sample.length)) * dimensions * 4,
      tokensPerText,
      truncated: sample.length === 0 ? 0 : tokens.truncated / sample.length,
    };
  }

  /** Ends the tokenising thread; the model stays open. */
  close(): Promise<void> {
    return this.thread.close();
  }

  private settingsOf({ role = 'document', prompt, maxLength, dimensions, passages }: Omit<EncodeRequest, 'texts'>) {
    const { model } = this;
    const length = Math.min(maxLength ?? model.maxLength, model.maxLength);
    const kept = dimensions ?? model.dimensions;
    if (!(Number.isInteger(kept) && kept >= 1 && kept <= model.dimensions)) {
      throw inputError('the model has no vectors of this length', {
        code: 'encode.dimensions',
        field: 'dimensions',
        expected: `1 to ${model.dimensions}`,
        found: String(dimensions),
      });
    }
    const text = prompt ?? model.prompt(role);
    const settings = {
      version: vectorsVersion,
      model: model.hash,
      dtype: model.dtype,
      pooling: { modes: model.pooling.modes, includePrompt: model.pooling.includePrompt },
      normalized: model.normalized,
      dimensions: model.dimensions,
      role,
      prompt: text,
      maxLength: length,
      ...(passages === undefined ? {} : { passages }),
      batchTokens: this.options.batchTokens,
      device: model.device,
      arithmetic: model.arithmetic,
    };
    const tokenizing = { prompt: text, maxLength: length, ...(passages === undefined ? {} : { passages }) };
    return { dimensions: kept, tokenizing, settings };
  }

  /** The shards of a source whose manifest and shards are all there and sound. */
  private async allStored(store: VectorStore, source: Record<string, unknown>): Promise<StoredShard[] | undefined> {
    const manifest = await store.findManifest(source);
    if (manifest === undefined) return undefined;
    for (const { hash, sha256 } of manifest.shards) if ((await store.find(hash))?.sha256 !== sha256) return undefined;
    return manifest.shards;
  }

  private async *prepare(
    windows: AsyncIterable<TextWindow>,
    store: VectorStore,
    options: TokenizeOptions,
  ): AsyncGenerator<PreparedWindow> {
    for await (const { texts } of windows) {
      const empty = texts.reduce((sum, text) => sum + (/\S/u.test(text) ? 0 : 1), 0);
      const count = texts.length;
      const held = await this.thread.hold(texts);
      const stored = await store.find(held.hash);
      if (stored !== undefined) {
        held.drop();
        yield { texts: count, stored };
      } else {
        const part = await store.findPart(held.hash);
        yield { texts: count, hash: held.hash, tokens: await held.tokenize(options), part, empty };
      }
    }
  }

  /** Runs what is missing of a window, as many batches at a time as the model computes side by side, and stores it. */
  private async computeWindow(
    { hash, tokens, part, empty, texts }: FreshWindow,
    store: VectorStore,
    task: ProgressTask,
    signal: AbortSignal | undefined,
  ): Promise<StoredShard> {
    const batches = planBatches(lengthsOf(tokens), this.options.batchTokens);
    const { dimensions } = this.model;
    const rows = tokens.starts.length - 1;
    const usable = part?.rows === rows && part.dimensions === dimensions && part.batches <= batches.length;
    const shard: Shard = {
      rows,
      ...(tokens.passages === undefined ? {} : { passages: tokens.passages }),
      dimensions,
      batches: usable ? part.batches : 0,
      truncated: tokens.truncated,
      empty,
      tokens: tokens.ids.length,
      vectors: usable ? part.vectors : new Float32Array(rows * dimensions),
    };
    // Progress counts texts, whatever the number of their passages.
    let [done, told] = [0, 0];
    const advance = (more: number, note: string) => {
      done += more;
      const whole = Math.floor((done * texts) / rows);
      task.advance(whole - told, note);
      told = whole;
    };
    for (let i = 0; i < shard.batches; i++) advance(batches[i]!.length, 'stored');
    let lastSaved = performance.now();
    const running = inFlight(batches.slice(shard.batches), this.model.lanes + 1, (rows) =>
      signal?.aborted ? undefined : this.run(tokens, rows),
    );
    for await (const values of running) {
      const batch = batches[shard.batches]!;
      for (let i = 0; i < batch.length; i++)
        shard.vectors.set(values.subarray(i * dimensions, (i + 1) * dimensions), batch[i]! * dimensions);
      shard.batches++;
      advance(batch.length, '');
      if (performance.now() - lastSaved > 20_000) {
        await store.savePart(hash, shard);
        lastSaved = performance.now();
      }
    }
    if (shard.batches < batches.length) {
      await store.savePart(hash, shard);
      signal?.throwIfAborted();
    }
    shard.batches = allBatches;
    return store.save(hash, shard);
  }

  private async run({ ids, starts, promptTokens }: TokenBatch, rows: Int32Array): Promise<Float32Array> {
    const sequences = Array.from(rows, (row) => ids.subarray(starts[row]!, starts[row + 1]!));
    const vectors = await this.model.encode(sequences, { promptTokens });
    if (!vectors.every(Number.isFinite)) {
      throw workError('the model gave vectors that are not numbers', {
        code: 'encode.finite',
        found: `${this.model.id} in ${this.model.dtype}`,
        hint: this.model.dtype === 'fp32' ? 'the checkpoint is damaged: fetch it again' : 'use --dtype fp32',
      });
    }
    return vectors;
  }
}

function lengthsOf({ starts }: TokenBatch): Int32Array {
  return Int32Array.from({ length: starts.length - 1 }, (_, i) => starts[i + 1]! - starts[i]!);
}
