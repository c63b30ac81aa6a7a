/**
 * Hard negatives: patents that a ranker takes for near to an anchor and that nothing says are. For each anchor the ranking is
 * first freed of everything related (`related.ts`: same family or text, citation either way, shared label where labels teach,
 * the positives of all its pairs), then of what may not be trained on, be it for its text alone; of the rest the first `skip` are passed over, being
 * the likeliest unknown positives, and the negatives of its pairs are drawn from the next `take`.
 */
import { stream } from '../base/random.ts';
import { type CorpusSplit, trainPart } from '../corpus/splits.ts';
import type { Corpus } from '../corpus/store.ts';
import type { TextPrints } from '../corpus/text-prints.ts';
import { type View, viewText } from '../corpus/views.ts';
import { Bm25Builder, type Bm25Options } from '../retrieve/bm25.ts';
import { searchExact, vectorArray } from '../retrieve/exact.ts';
import type { MatrixProduct } from '../retrieve/matrix-product.ts';
import { type AnalyserOptions, WordAnalyser } from '../tokenizer/words.ts';
import { heldOutTexts } from './held-out-texts.ts';
import type { PairTable } from './pairs.ts';
import type { Relatedness } from './related.ts';

/** Whatever can say which patents are near to one: lexical, vectors of a model, anything. */
export interface NegativeRanker {
  /** Goes into the plan: name and settings. */
  readonly settings: Record<string, unknown>;
  /** For each of `rows`, in their order, the nearest rows of the corpus, best first, at most `depth`; the row itself may be there. */
  rank(rows: Int32Array, depth: number): AsyncIterable<Int32Array>;
}

export interface MiningOptions {
  ranker: NegativeRanker;
  related: Relatedness;
  split: CorpusSplit;
  prints: TextPrints;
  seed: number;
  /** Negatives of each pair. Default 1. */
  perPair?: number;
  /** Unrelated documents passed over at the top. Default 10. */
  skip?: number;
  /** Length of the band after them. Default 50. */
  take?: number;
  /** Documents asked of the ranker. Default 4 (skip + take), 200 at least. */
  depth?: number;
  signal?: AbortSignal;
}

export interface MinedNegatives {
  perPair: number;
  /** [pairs, perPair]: row of each negative, read under the pair's positive view; -1 where the band had too few. */
  rows: Int32Array;
  /** Places left at -1. */
  lacking: number;
  settings: Record<string, unknown>;
}

/** The rows of the negatives of some pairs, [pairs, perPair]. */
export function negativeRows({ perPair, rows }: MinedNegatives, indices: ArrayLike<number>): Int32Array {
  const own = new Int32Array(indices.length * perPair);
  for (let i = 0; i < indices.length; i++)
    own.set(rows.subarray(indices[i]! * perPair, (indices[i]! + 1) * perPair), i * perPair);
  return own;
}

export async function mineNegatives(pairs: PairTable, options: MiningOptions): Promise<MinedNegatives> {
  const { ranker, related, split, prints, seed, perPair = 1, skip = 10, take = 50, signal } = options;
  const { depth = Math.max(200, 4 * (skip + take)) } = options;
  // Pairs of each anchor, anchors ascending.
  const order = Uint32Array.from(pairs.anchor, (_, i) => i).sort(
    (a, b) => pairs.anchor[a]! - pairs.anchor[b]! || a - b,
  );
  const anchors = Int32Array.from(new Set(Array.from(order, (i) => pairs.anchor[i]!)));
  const rows = new Int32Array(pairs.length * perPair).fill(-1);
  const positiveViews = [...new Set(pairs.kinds.map(({ positiveView }) => positiveView))];
  const heldOut = heldOutTexts(
    { split, prints },
    pairs.kinds.flatMap(({ anchorView, positiveView }) => [anchorView, positiveView]),
  );
  const barred = new Map<number, boolean>();
  const mayTrain = (row: number) => {
    const known = barred.get(row);
    if (known !== undefined) return !known;
    const isBarred =
      split.part[row] !== trainPart || positiveViews.some((view) => heldOut.first(prints.viewKey(row, view)) >= 0);
    barred.set(row, isBarred);
    return !isBarred;
  };
  let lacking = 0;
  let at = 0;
  let which = 0;
  for await (const ranking of ranker.rank(anchors, depth)) {
    signal?.throwIfAborted();
    const anchor = anchors[which++]!;
    const own: number[] = [];
    while (at < order.length && pairs.anchor[order[at]!] === anchor) own.push(order[at++]!);
    const positives = own.map((i) => pairs.positive[i]!);
    const free = Array.from(ranking).filter(
      (row) =>
        mayTrain(row) &&
        !related.related(anchor, row) &&
        !positives.some((positive) => related.sameGroup(positive, row)),
    );
    const band = free.slice(skip, skip + take);
    for (const i of own) {
      const { positiveView } = pairs.at(i).kind;
      const text = prints.viewKey(pairs.positive[i]!, positiveView);
      const fit = band.filter((row) => prints.hasView(row, positiveView) && prints.viewKey(row, positiveView) !== text);
      const draw = stream(
        seed,
        'negatives',
        prints.idHash[anchor]!,
        prints.idHash[pairs.positive[i]!]!,
        pairs.kind[i]!,
      );
      draw.shuffle(fit);
      for (let n = 0; n < perPair; n++)
        if (n < fit.length) rows[i * perPair + n] = fit[n]!;
        else lacking++;
    }
  }
  return { perPair, rows, lacking, settings: { ranker: ranker.settings, seed, perPair, skip, take, depth } };
}

/** BM25 over the train part under one view; the anchor's text under the same view is the query. */
export async function bm25Ranker(
  corpus: Corpus,
  split: CorpusSplit,
  {
    view = 'TA',
    maskCitations = false,
    bm25 = {},
    analyser: analyserOptions = {},
  }: { view?: View; maskCitations?: boolean; bm25?: Bm25Options; analyser?: AnalyserOptions } = {},
): Promise<NegativeRanker> {
  const analyser = new WordAnalyser(analyserOptions);
  const builder = new Bm25Builder(bm25);
  const rowOf: number[] = [];
  let row = 0;
  for await (const patent of corpus.records()) {
    if (split.part[row] === trainPart) {
      builder.add(analyser.analyse(viewText(patent, view, { maskCitations })));
      rowOf.push(row);
    }
    row++;
  }
  const index = builder.finish();
  return {
    settings: { name: 'bm25', view, maskCitations, bm25: index.settings, analyser: analyser.settings },
    async *rank(rows, depth) {
      for (const query of rows) {
        const text = viewText(await corpus.get(query), view, { maskCitations });
        const found = index.search(analyser.analyse(text, { grow: false }), { k: depth });
        yield found.rows.map((place) => rowOf[place]!);
      }
    },
  };
}

/**
 * Nearest by vectors of a model: `vectors` [rows.length, dimensions] of the patents `rows` (the train part, say). Anchors
 * without a vector get an empty ranking. `settings` names the model and all that decided the vectors.
 */
export function vectorRanker(options: {
  rows: Int32Array;
  vectors: Float32Array;
  dimensions: number;
  product: MatrixProduct;
  settings: Record<string, unknown>;
}): NegativeRanker {
  const { rows: rowOf, vectors, dimensions, product, settings } = options;
  const placeOf = new Map(Array.from(rowOf, (row, place) => [row, place]));
  return {
    settings: { name: 'vectors', ...settings },
    async *rank(rows, depth) {
      for (let from = 0; from < rows.length; from += 4096) {
        const batch = rows.subarray(from, from + 4096);
        const known = Array.from(batch).filter((row) => placeOf.has(row));
        const queries = new Float32Array(known.length * dimensions);
        for (const [at, row] of known.entries()) {
          const place = placeOf.get(row)!;
          queries.set(vectors.subarray(place * dimensions, (place + 1) * dimensions), at * dimensions);
        }
        const rankings = await searchExact(vectorArray(vectors, dimensions), queries, {
          product,
          k: depth,
          similarity: 'cosine',
        });
        let next = 0;
        for (const row of batch)
          yield placeOf.has(row) ? rankings[next++]!.rows.map((place) => rowOf[place]!) : new Int32Array(0);
      }
    },
  };
}
