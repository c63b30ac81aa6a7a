/**
 * Dense search over one view of a corpus: `lsa`, fitted on the corpus itself, and text encoders. Vectors of encoders are
 * kept in `<home>/vectors`; a query that is a document of the corpus takes that document's vector where the model treats
 * both alike (no prompts), else it is encoded in its own role.
 */
import { join } from 'node:path';
import { sha256 } from '../base/hash.ts';
import type { Relevance } from '../corpus/relevance.ts';
import type { Corpus } from '../corpus/store.ts';
import {
  cutDimensions,
  type EncodeRequest,
  type Encoder,
  openEncoder,
  passageBlocks,
  passageMeans,
  type TextVectors,
} from '../encode/index.ts';
import { loadModel, type Role, type TextModel } from '../model/index.ts';
import { openModelParts } from '../model/load.ts';
import { searchExact, type VectorBlocks, vectorArray } from '../retrieve/exact.ts';
import { type MatrixProduct, openMatrixProduct } from '../retrieve/matrix-product.ts';
import { stopwatch } from './clock.ts';
import type { EvaluateSettings } from './evaluate-options.ts';
import { type LsaVectorOptions, type LsaVectors, lsaVectors } from './lsa-vectors.ts';
import { locateModel } from './model-source.ts';
import { RerankerPool } from './rerankers.ts';
import type { Manifest } from './results.ts';
import type { SearchContext, Searched } from './searched.ts';
import type { DenseSystem, ViewSpec } from './systems.ts';
import { documentTexts, queryTexts } from './texts.ts';
import { type ModelLimits, single } from './variants.ts';

type EncoderSystem = DenseSystem & { kind: 'encoder' };

type ModelFacts = Pick<
  TextModel,
  'hash' | 'pooling' | 'dimensions' | 'maxLength' | 'device' | 'arithmetic' | 'prompts'
>;

const keyOf = ({ source, dtype }: EncoderSystem) => `${source} ${dtype}`;

interface OpenModel {
  model: TextModel;
  encoder: Encoder;
}

/** Models loaded once for all cells, and the matrix products of the search. */
export class EncoderPool {
  readonly rerankers: RerankerPool;
  private readonly settings: EvaluateSettings;
  private readonly open = new Map<string, Promise<OpenModel>>();
  private product: Promise<MatrixProduct> | undefined;
  private lsa: { key: string; vectors: LsaVectors } | undefined;
  /** What computes in float32, as the first model that was opened says; the same for all. */
  private float32: Pick<TextModel, 'device' | 'arithmetic'> | undefined;

  constructor(settings: EvaluateSettings) {
    this.settings = settings;
    this.rerankers = new RerankerPool(settings);
  }

  get(system: EncoderSystem): Promise<OpenModel> {
    const key = keyOf(system);
    let model = this.open.get(key);
    if (model === undefined) {
      model = this.load(system);
      this.open.set(key, model);
    }
    return model;
  }

  matrixProduct(): Promise<MatrixProduct> {
    this.product ??= openMatrixProduct(this.settings.platform, { threads: this.settings.threads });
    return this.product;
  }

  /** The part of a cell's key that the model decides. */
  async manifestOf(
    system: EncoderSystem,
  ): Promise<
    Pick<
      Manifest,
      'modelHash' | 'pooling' | 'dimensions' | 'length' | 'passages' | 'dtype' | 'prompt' | 'device' | 'arithmetic'
    >
  > {
    const model = await this.facts(system);
    return {
      modelHash: model.hash,
      pooling: model.pooling.modes.join('+'),
      dimensions: this.widthOf(system) ?? model.dimensions,
      length: Math.min(this.lengthOf(system) ?? model.maxLength, model.maxLength),
      ...(system.passages === undefined ? {} : { passages: system.passages }),
      dtype: system.dtype,
      device: model.device,
      arithmetic: model.arithmetic,
      prompt: { query: model.prompts.query, document: model.prompts.document },
    };
  }

  /** How wide its vectors are and how much it reads: what variants are made within. */
  async limitsOf(system: DenseSystem): Promise<ModelLimits> {
    if (system.kind === 'lsa') return { dimensions: this.settings.lsaDimensions, maxLength: Number.POSITIVE_INFINITY };
    const { dimensions, maxLength } = await this.facts(system);
    return { dimensions, maxLength };
  }

  /** What a manifest says of a model; one not yet open is only read about where another has told what computes. */
  private async facts(system: EncoderSystem): Promise<ModelFacts> {
    if (system.dtype === 'fp32' && this.float32 !== undefined && !this.open.has(keyOf(system))) {
      const { platform, home, offline, progress, signal } = this.settings;
      const found = await locateModel(platform, system.source, { home, offline, progress, signal });
      return { ...(await openModelParts(platform, found.folder, { id: found.id })), ...this.float32 };
    }
    const { model } = await this.get(system);
    if (system.dtype === 'fp32') this.float32 = { device: model.device, arithmetic: model.arithmetic };
    return model;
  }

  /** Closes one model; it is opened again where it is needed again. */
  async release(system: EncoderSystem): Promise<void> {
    const opened = await this.open.get(keyOf(system));
    this.open.delete(keyOf(system));
    await opened?.encoder.close();
    await opened?.model.close();
  }

  async estimate(
    system: EncoderSystem,
    sample: readonly string[],
    documents: number,
  ): Promise<{ seconds: number; bytes: number }> {
    const { encoder } = await this.get(system);
    return encoder.estimate(sample, documents, this.request(system, 'document'));
  }

  /** Vectors of texts; of passages, in full width, where the system reads in passages. */
  async encode(system: EncoderSystem, request: EncodeRequest): Promise<TextVectors> {
    const { encoder } = await this.get(system);
    return encoder.encode({ ...this.request(system, request.role ?? 'document'), ...request });
  }

  /** What is searched of them: all vectors, or one a document where passages are averaged. */
  async blocks(system: EncoderSystem, encoded: TextVectors): Promise<VectorBlocks> {
    const { passages } = system;
    if (passages === undefined) return encoded;
    return passages.aggregate === 'mean' ? this.means(system, encoded) : passageBlocks(encoded, this.widthOf(system));
  }

  /** One vector a text: the mean of its passages. */
  async means(system: EncoderSystem, encoded: TextVectors): Promise<VectorBlocks> {
    const { model } = await this.get(system);
    const dimensions = this.widthOf(system) ?? model.dimensions;
    return passageMeans(encoded, { normalise: model.normalized, dimensions });
  }

  /** Leading dimensions that a system keeps; undefined where it keeps all. */
  widthOf({ dimensions, widths }: EncoderSystem): number | undefined {
    return dimensions ?? (widths === undefined ? single(this.settings.dimensions) : undefined);
  }

  private lengthOf({ passages, length }: EncoderSystem): number | undefined {
    return passages?.size ?? length ?? single(this.settings.length);
  }

  /** The fit of `lsa` that several widths share: the last one is kept. `fitted`: it was made now. */
  async fittedOnce(
    corpus: string,
    view: string,
    fit: () => Promise<LsaVectors>,
  ): Promise<{ lsa: LsaVectors; fitted: boolean }> {
    const key = `${corpus} ${view}`;
    const fitted = this.lsa?.key !== key;
    if (this.lsa === undefined || fitted) {
      this.lsa = undefined; // two at a time would be one too many
      this.lsa = { key, vectors: await fit() };
    }
    return { lsa: this.lsa.vectors, fitted };
  }

  async close(): Promise<void> {
    for (const opened of this.open.values()) {
      const parts = await opened.catch(() => undefined); // a model that failed to open has nothing to close
      await parts?.encoder.close();
      await parts?.model.close();
    }
    await (await this.product)?.close();
    await this.rerankers.close();
  }

  private request(system: EncoderSystem, role: Role): Omit<EncodeRequest, 'texts'> {
    const { signal } = this.settings;
    const [length, dimensions] = [this.lengthOf(system), this.widthOf(system)];
    const { passages } = system;
    const cut = passages !== undefined && (role === 'document' || passages.queries === 'mean');
    const { overlap = 0, most } = passages ?? {};
    return {
      role,
      ...(length === undefined ? {} : { maxLength: length }),
      ...(dimensions === undefined || cut ? {} : { dimensions }),
      ...(cut ? { passages: { overlap, ...(most === undefined ? {} : { most }) } } : {}),
      ...(signal === undefined ? {} : { signal }),
    };
  }

  private async load({ source, dtype }: EncoderSystem): Promise<OpenModel> {
    const { platform, home, offline, progress, signal, threads, vectors, device } = this.settings;
    const found = await locateModel(platform, source, { home, offline, progress, signal });
    const model = await loadModel(platform, found.folder, { dtype, threads, device, id: found.id });
    const encoder = await openEncoder(platform, model, {
      vectors: vectors ?? join(home, 'vectors'),
      progress,
    });
    return { model, encoder };
  }
}

export async function searchEncoder(
  corpus: Corpus,
  relevance: Relevance,
  view: ViewSpec,
  system: EncoderSystem,
  pool: EncoderPool,
  context: SearchContext,
): Promise<Searched> {
  const { model } = await pool.get(system);
  const encoding = stopwatch();
  const needed = neededRows(corpus.size, relevance);
  const source = {
    corpus: corpus.hash,
    view: view.view,
    masked: view.masked,
    ...(needed === undefined ? {} : { rows: await sha256(needed) }),
  };
  const documents = await pool.encode(system, {
    texts: documentTexts(corpus, view, needed && ((row) => needed[row] === 1)),
    count: corpus.size,
    source: { ...source, texts: 'documents' },
    label: `${system.label}, ${context.label}`,
  });
  const blocks = await pool.blocks(system, documents);
  const shared =
    model.prompt('query') === model.prompt('document') && relevance.queries.every(({ row }) => row !== undefined);
  const queries = shared
    ? await sharedQueries(system, documents, relevance, pool)
    : await ownQueries(
        system,
        {
          texts: queryTexts(corpus, relevance, view),
          count: relevance.queries.length,
          role: 'query',
          label: `${system.label}, ${context.label} queries`,
        },
        pool,
      );
  const encodeSeconds = encoding();
  const { computed, texts: all, truncated } = documents.summary;
  const texts = needed === undefined ? all : needed.reduce((sum, one) => sum + one, 0);
  const searched = await searchVectors(blocks, queries, relevance.queries.length, pool, context);
  return {
    rankings: searched.rankings,
    cost: {
      ...searched.cost,
      encodeSeconds,
      ...(computed === all ? { documentsPerSecond: texts / encodeSeconds } : {}),
      truncated: truncated / Math.max(1, texts),
      indexBytes: blocks.count * blocks.dimensions * 4,
    },
  };
}

export async function searchLsa(
  corpus: Corpus,
  relevance: Relevance,
  view: ViewSpec,
  system: DenseSystem & { kind: 'lsa' },
  options: LsaVectorOptions,
  pool: EncoderPool,
  context: SearchContext,
): Promise<Searched> {
  const encoding = stopwatch();
  const fit = () => lsaVectors(corpus, view, options, context);
  const { lsa, fitted } =
    system.widths === undefined
      ? { lsa: await fit(), fitted: true }
      : await pool.fittedOnce(corpus.hash, context.label, fit);
  const { model, analyser } = lsa;
  const width = Math.min(system.dimensions ?? lsa.dimensions, lsa.dimensions);
  const narrow = (wide: Float32Array) => (width === lsa.dimensions ? wide : cutDimensions(wide, lsa.dimensions, width));
  const vectors = narrow(lsa.vectors);
  const queries = new Float32Array(relevance.queries.length * width);
  for (const [query, { row, text }] of relevance.queries.entries()) {
    if (row === undefined)
      queries.set(narrow(model.encode(analyser.analyse(text ?? '', { grow: false }))), query * width);
    else queries.set(vectors.subarray(row * width, (row + 1) * width), query * width);
  }
  const encodeSeconds = encoding();
  const searched = await searchVectors(vectorArray(vectors, width), queries, relevance.queries.length, pool, context);
  return {
    rankings: searched.rankings,
    cost: {
      ...searched.cost,
      encodeSeconds,
      ...(fitted ? { documentsPerSecond: corpus.size / encodeSeconds } : {}),
      indexBytes: vectors.byteLength + model.bytes,
    },
  };
}

async function searchVectors(
  documents: VectorBlocks,
  queries: Float32Array,
  count: number,
  pool: EncoderPool,
  { depth, tieRank, filter, signal }: SearchContext,
): Promise<Searched> {
  const searching = stopwatch();
  const rankings = await searchExact(documents, queries, {
    product: await pool.matrixProduct(),
    k: depth,
    tieRank,
    filter,
    ...(signal ? { signal } : {}),
  });
  const searchSeconds = searching();
  return { rankings, cost: { searchSeconds, queriesPerSecond: count / searchSeconds } };
}

/** 1 for documents that some query may find, and for queries; undefined where that is every document. */
function neededRows(size: number, { documentDay, queryDay, queries }: Relevance): Uint8Array | undefined {
  if (documentDay === undefined || queryDay === undefined) return undefined;
  const last = queryDay.reduce((most, day) => Math.max(most, day), Number.NEGATIVE_INFINITY);
  const needed = Uint8Array.from({ length: size }, (_, row) => (documentDay[row]! < last ? 1 : 0));
  for (const { row } of queries) if (row !== undefined) needed[row] = 1;
  return needed.includes(0) ? needed : undefined;
}

/** Vectors of queries that are documents, read as they are: the document's own, or that of its first passage. */
async function sharedQueries(
  system: EncoderSystem,
  documents: TextVectors,
  relevance: Relevance,
  pool: EncoderPool,
): Promise<Float32Array> {
  const rows = relevance.queries.map(({ row }) => row!);
  if (system.passages === undefined) return rowsOf(documents, rows);
  if (system.passages.queries === 'mean') return rowsOf(await pool.means(system, documents), rows);
  const firsts = documents.passageRows;
  const vectors = await rowsOf(
    documents,
    rows.map((row) => firsts?.[row] ?? row),
  );
  const width = pool.widthOf(system);
  return width === undefined ? vectors : cutDimensions(vectors, documents.dimensions, width);
}

/** Vectors of queries encoded in their own role. */
async function ownQueries(system: EncoderSystem, request: EncodeRequest, pool: EncoderPool): Promise<Float32Array> {
  const encoded = await pool.encode(system, request);
  if (system.passages?.queries !== 'mean') return encoded.read();
  const means = await pool.means(system, encoded);
  return rowsOf(
    means,
    Array.from({ length: means.count }, (_, row) => row),
  );
}

/** Vectors of these rows, in their order. */
async function rowsOf(blocks: VectorBlocks, rows: readonly number[]): Promise<Float32Array> {
  const width = blocks.dimensions;
  const result = new Float32Array(rows.length * width);
  const placesOfRow = new Map<number, number[]>();
  for (const [place, row] of rows.entries()) placesOfRow.set(row, [...(placesOfRow.get(row) ?? []), place]);
  for await (const { from, vectors } of blocks.blocks()) {
    for (let i = 0; i * width < vectors.length; i++) {
      for (const place of placesOfRow.get(from + i) ?? []) {
        result.set(vectors.subarray(i * width, (i + 1) * width), place * width);
      }
    }
  }
  return result;
}
