/**
 * Scores a model on a held-out part while it trains (validation) and once before and after (test).
 *
 *   ndcg@10            queries are patents of the part, relevant the part's own patents that they cite, findable all of the
 *                      part (or a seeded sample of it that holds every relevant one)
 *   log-probability    where the part has too few citations: mean over held-out pairs of the recipe of the log of the
 *                      softmax share that the own positive gets among a batch's positives, which is the training loss
 *                      with the other sign
 *
 * Both are larger for better, and one number a query or a pair, so that two models can be compared pair by pair. Texts are
 * tokenised once.
 */
import { PatentlabError } from '../base/errors.ts';
import type { Platform } from '../base/platform.ts';
import { stream } from '../base/random.ts';
import { buildRelevance, type Relevance } from '../corpus/relevance.ts';
import { relevanceWithin } from '../corpus/split-relevance.ts';
import { type CorpusSplit, droppedPart, type SplitPart, splitParts, trainPart } from '../corpus/splits.ts';
import type { View } from '../corpus/views.ts';
import { viewText } from '../corpus/views.ts';
import { planBatches } from '../encode/index.ts';
import type { ModelParts } from '../model/load.ts';
import { tieRanks } from '../retrieve/candidates.ts';
import { searchExact, vectorArray } from '../retrieve/exact.ts';
import type { MatrixProduct } from '../retrieve/matrix-product.ts';
import { measureRankings } from '../retrieve/measure.ts';
import { startTokenizerThread } from '../tokenizer/index.ts';
import { BatchSampler } from '../train/sampler.ts';
import { type PairTable, pairTexts } from './pairs.ts';
import { buildPairs, type RecipeOptions, type RecipeSources } from './recipes.ts';
import { falseNegatives, Relatedness } from './related.ts';

export interface HeldOutOptions extends RecipeSources {
  part: Extract<SplitPart, 'validation' | 'test'>;
  recipe: string;
  recipeOptions: RecipeOptions;
  batchSize: number;
  seed: number;
  /** View of queries and documents. */
  view: View;
  maskCitations: boolean;
  /** Most documents. */
  documents: number;
  /** 1 / temperature of the log-probability. */
  scale: number;
}

/** Texts of one role as ids. */
interface Sequences {
  readonly ids: readonly Int32Array[];
  readonly promptTokens: number;
}

/** Vectors [sequences, dimensions] of a model. */
export type EncodeSequences = (ids: readonly Int32Array[], promptTokens: number) => Promise<Float32Array>;

export interface HeldOut {
  readonly part: HeldOutOptions['part'];
  readonly metric: 'ndcg@10' | 'log-probability';
  /** What is scored, in one sentence. */
  readonly statement: string;
  /** Queries or pairs. */
  readonly count: number;
  /** Family of each. */
  readonly clusters: Int32Array;
  /** What queries are judged by, for the leakage audit. */
  readonly relevance?: Relevance;
  /** Queries or anchors, and documents or positives: read anew at each call. */
  texts(): Promise<{ queries: string[]; documents: string[] }>;
  /** One value a query or pair, from vectors of all texts. */
  values(
    queries: Float32Array,
    documents: Float32Array,
    dimensions: number,
    product: MatrixProduct,
  ): Promise<Float64Array>;
}

/** With fewer there is nothing to score. */
const fewest = 8;

/** How a part can be scored; a sentence that says why where it cannot. */
export async function heldOut(options: HeldOutOptions): Promise<HeldOut | string> {
  return (await cited(options)) ?? (await paired(options));
}

async function cited(options: HeldOutOptions): Promise<HeldOut | undefined> {
  const { corpus, relations, split, part, seed, view, maskCitations, documents: most, prints } = options;
  const all = await buildRelevance(corpus, relations, { relevance: 'cites', seed }).catch(absent('relevance'));
  if (all === undefined) return undefined;
  const relevance = relevanceWithin(all, split, part);
  const rowsOfPart = rowsIn(split, part).filter((row) => prints.hasView(row, view));
  // Queries in seeded order, with what they cite, as long as there is room; then others of the part.
  const draw = stream(seed, 'held out', part);
  const rows = new Set<number>();
  const kept: number[] = [];
  for (const query of draw.shuffle(relevance.queries.map((_, at) => at))) {
    const { rows: judged } = relevance.judged[query]!;
    const own = [relevance.queries[query]!.row!, ...judged];
    if (own.some((row) => !prints.hasView(row, view)) || rows.size + own.length > most) continue;
    for (const row of own) rows.add(row);
    kept.push(query);
  }
  if (kept.length < fewest) return undefined;
  kept.sort((a, b) => a - b);
  for (const row of draw.shuffle(rowsOfPart.slice())) if (rows.size < most) rows.add(row);
  const documents = [...rows].sort((a, b) => a - b);
  const placeOf = new Map(documents.map((row, place) => [row, place]));
  const queries = kept.map((query) => relevance.queries[query]!.row!);
  const judged = kept.map((query) => {
    const { rows: own, gains } = relevance.judged[query]!;
    return { rows: own.map((row) => placeOf.get(row)!), gains };
  });
  const excluded = kept.map((query) => Array.from(relevance.excluded(query)).flatMap((row) => placeOf.get(row) ?? []));
  const tieRank = tieRanks(documents.map((row) => corpus.id(row)));
  const text = async (row: number) => viewText(await corpus.get(row), view, { maskCitations });
  return {
    part,
    metric: 'ndcg@10',
    statement: `nDCG@10 of ${kept.length} patents of the ${part} part, from ${view}, among ${documents.length} of its ${rowsOfPart.length}; relevant is what they cite there`,
    count: kept.length,
    clusters: Int32Array.from(kept, (query) => relevance.clusters[query]!),
    relevance,
    async texts() {
      const read = async (of: readonly number[]) => {
        const texts: string[] = [];
        for (const row of of) texts.push(await text(row));
        return texts;
      };
      return { queries: await read(queries), documents: await read(documents) };
    },
    async values(queryVectors, documentVectors, dimensions, product) {
      const rankings = await searchExact(vectorArray(documentVectors, dimensions), queryVectors, {
        product,
        k: 10,
        similarity: 'cosine',
        tieRank,
        filter: { excluded: (query) => excluded[query]! },
      });
      return measureRankings(rankings, judged, documents.length, ['ndcg@10'])['ndcg@10']!;
    },
  };
}

async function paired(options: HeldOutOptions): Promise<HeldOut | string> {
  const { corpus, relations, split, part, recipe, recipeOptions, prints, seed, scale, maskCitations } = options;
  const none = `the ${part} part has fewer than ${fewest} patents that cite others of it, and fewer than ${fewest} pairs of ${recipe}`;
  // Pairs of the part as pairs of the train part are made; what trains is out of the way.
  const here = splitParts.indexOf(part);
  const turned: CorpusSplit = {
    ...split,
    part: split.part.map((own) => (own === here ? trainPart : droppedPart)),
  };
  const made = await buildPairs(recipe, { corpus, relations, split: turned, prints }, recipeOptions).catch(
    absent('recipe.none'),
  );
  if (made === undefined || made.pairs.length < fewest) return none;
  const pairs = made.pairs.first(Math.max(fewest, options.documents >> 1));
  const batchSize = Math.min(options.batchSize, 32, pairs.length);
  const { batches } = new BatchSampler({
    examples: pairs.length,
    batchSize,
    seed,
    keys: (pair) => [split.group[pairs.anchor[pair]!]!, split.group[pairs.positive[pair]!]!],
    last: { fewest: Math.min(fewest, batchSize) },
  }).epoch(0);
  if (batches.length === 0) return none;
  const related = new Relatedness(split, relations, made.labels);
  const order = Int32Array.from(batches.flatMap((batch) => [...batch]));
  return {
    part,
    metric: 'log-probability',
    statement: `mean log-probability of the right partner among up to ${batchSize}, over ${order.length} pairs of ${recipe} in the ${part} part`,
    count: order.length,
    clusters: Int32Array.from(order, (pair) => split.group[pairs.anchor[pair]!]!),
    async texts() {
      const texts = await pairTexts(corpus, pairs, order, { maskCitations });
      return { queries: texts.map(({ anchor }) => anchor), documents: texts.map(({ positive }) => positive) };
    },
    async values(anchors, positives, dimensions) {
      const values = new Float64Array(order.length);
      let from = 0;
      for (const batch of batches) {
        const side = (all: Float32Array) => all.subarray(from * dimensions, (from + batch.length) * dimensions);
        values.set(logProbabilities(side(anchors), side(positives), maskOf(batch, pairs, related), scale), from);
        from += batch.length;
      }
      return values;
    },
  };
}

const maskOf = (batch: Int32Array, pairs: PairTable, related: Relatedness) =>
  falseNegatives(
    Array.from(batch, (pair) => pairs.at(pair)),
    related,
  );

/** log softmax of each anchor's own positive: minus the summands of multiple negatives ranking (`losses.ts`). */
export function logProbabilities(
  anchors: Float32Array,
  positives: Float32Array,
  mask: Uint8Array,
  scale: number,
): Float64Array {
  const n = Math.sqrt(mask.length);
  const width = anchors.length / n;
  const dot = (a: Float32Array, i: number, b: Float32Array, j: number) => {
    let total = 0;
    for (let k = 0; k < width; k++) total += a[i * width + k]! * b[j * width + k]!;
    return total;
  };
  const norms = [anchors, positives].map((side) =>
    Float64Array.from({ length: n }, (_, i) => Math.sqrt(dot(side, i, side, i))),
  );
  return Float64Array.from({ length: n }, (_, i) => {
    const logits = Float64Array.from({ length: n }, (_, j) =>
      mask[i * n + j] === 1
        ? Number.NEGATIVE_INFINITY
        : (scale * dot(anchors, i, positives, j)) / (norms[0]![i]! * norms[1]![j]!),
    );
    const most = logits.reduce((a, b) => Math.max(a, b));
    return logits[i]! - most - Math.log(logits.reduce((sum, logit) => sum + Math.exp(logit - most), 0));
  });
}

export interface Scorer {
  readonly heldOut: HeldOut;
  /** One value a query or pair by the model behind `encode`. */
  score(encode: EncodeSequences): Promise<Float64Array>;
}

/** Tokenises the texts of `task` for a model; `batchTokens`: most tokens, padding counted, that are encoded at a time. */
export async function openScorer(
  platform: Platform,
  { folder, own, prompts, maxLength, dimensions }: ModelParts,
  task: HeldOut,
  { product, batchTokens = 2048 }: { product: MatrixProduct; batchTokens?: number },
): Promise<Scorer> {
  const thread = await startTokenizerThread(platform, folder, { lowercase: own.lowercase });
  const sequences = async (texts: string[], prompt: string): Promise<Sequences> => {
    const { ids, starts, promptTokens } = await (await thread.hold(texts)).tokenize({ prompt, maxLength });
    return { ids: texts.map((_, i) => ids.slice(starts[i]!, starts[i + 1]!)), promptTokens };
  };
  try {
    const texts = await task.texts();
    const queries = await sequences(texts.queries, prompts.query);
    const documents = await sequences(texts.documents, prompts.document);
    const encodeAll = async ({ ids, promptTokens }: Sequences, encode: EncodeSequences) => {
      const vectors = new Float32Array(ids.length * dimensions);
      const lengths = ids.map(({ length }) => length);
      for (const rows of planBatches(lengths, batchTokens)) {
        const found = await encode(
          Array.from(rows, (row) => ids[row]!),
          promptTokens,
        );
        rows.forEach((row, at) => {
          vectors.set(found.subarray(at * dimensions, (at + 1) * dimensions), row * dimensions);
        });
      }
      return vectors;
    };
    return {
      heldOut: task,
      score: async (encode) =>
        task.values(await encodeAll(queries, encode), await encodeAll(documents, encode), dimensions, product),
    };
  } finally {
    await thread.close();
  }
}

function rowsIn({ part }: CorpusSplit, name: SplitPart): number[] {
  const wanted = splitParts.indexOf(name);
  return Array.from(part.keys()).filter((row) => part[row] === wanted);
}

/** Undefined for the error that says that there is nothing of the kind. */
function absent(code: string): (error: unknown) => undefined {
  return (error) => {
    if (error instanceof PatentlabError && error.code.startsWith(code)) return undefined;
    throw error;
  };
}
