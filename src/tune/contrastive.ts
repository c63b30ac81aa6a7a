/**
 * Contrastive fine-tuning as a task of the training loop: step t takes batch t of the pairs, encodes all their texts as one
 * batch of sequences without padding, and accumulates the gradient of the ranking loss.
 *
 * GradCache (Gao et al. 2021), where `chunk` sequences at a time is less than a batch holds: the gradient is that of the
 * whole batch, the memory that of a chunk.
 *
 *   1. vectors v of all chunks, forward only     2. loss L(v) and its cotangents ∂L/∂v, over vectors alone
 *   3. for each chunk the gradient of Σ v · ∂L/∂v, taken as constants
 *
 * Chunks hold sequences of similar length, which also spares the padding inside attention.
 *
 * Dropout draws from (seed, step, example, side): both passes of a chunk drop the same entries, as one batch of all would.
 */
import type { Platform } from '../base/platform.ts';
import type { Corpus } from '../corpus/store.ts';
import { gradients } from '../engine/gradients.ts';
import { type Engine, gather, input, multiply, sum, type Tensor, type Training } from '../engine/index.ts';
import { drops, trainingContext } from '../model/forward.ts';
import type { Draws, TrainableModel } from '../model/trainable.ts';
import { startTokenizerThread, type TokenBatch } from '../tokenizer/index.ts';
import type { LoopTask } from '../train/loop.ts';
import { matryoshka, multipleNegativesRanking } from '../train/losses.ts';
import { BatchSampler } from '../train/sampler.ts';
import { type MinedNegatives, negativeRows } from './negatives.ts';
import { type PairTable, pairTexts } from './pairs.ts';
import { falseNegatives, type Relatedness } from './related.ts';

export interface ContrastiveOptions {
  corpus: Corpus;
  pairs: PairTable;
  batchSize: number;
  seed: number;
  /** Group of each row of the corpus: no batch holds two pairs of one group. */
  group: Int32Array;
  /** Which candidates of a batch are no negatives of an anchor. Default: only the groups are kept apart. */
  related?: Relatedness;
  /** Hard negatives of the pairs, by their numbers: each is a negative of every anchor of its batch. */
  negatives?: MinedNegatives;
  /** 1 / temperature. Default 20. */
  scale?: number;
  /** Default false. */
  symmetric?: boolean;
  /** Lengths of fronts of the vector that are trained too. */
  dimensions?: readonly number[];
  /** In place of all the checkpoint's rates of dropout, which are the default. */
  dropout?: number;
  /** Sequences that go through the model at a time. Default: all of a batch. */
  chunk?: number;
  /** Activations are computed again layer by layer on the way back: the same gradient, less memory, more time. Default false. */
  recompute?: boolean;
  maskCitations?: boolean;
}

export interface ContrastiveTask extends LoopTask {
  /** Batches of the first epoch. */
  readonly batchesPerEpoch: number;
  close(): Promise<void>;
}

export async function contrastiveTask(
  platform: Platform,
  engine: Engine,
  training: Training,
  model: TrainableModel,
  options: ContrastiveOptions,
): Promise<ContrastiveTask> {
  const { corpus, pairs, batchSize, seed, group, related, chunk = Number.POSITIVE_INFINITY } = options;
  const { maskCitations = false, negatives } = options;
  const sampler = new BatchSampler({
    examples: pairs.length,
    batchSize,
    seed,
    keys: (example) => [group[pairs.anchor[example]!]!, group[pairs.positive[example]!]!],
  });
  const { folder, own, prompts, maxLength } = model.parts;
  const thread = await startTokenizerThread(platform, folder, { lowercase: own.lowercase });

  /** Texts of a batch as sequences: those of the anchors, then those of the positives, then hard negatives. */
  const prepare = async (examples: Int32Array) => {
    const texts = await pairTexts(corpus, pairs, examples, { maskCitations, ...(negatives ? { negatives } : {}) });
    const tokens = async (side: string[], prompt: string) => (await thread.hold(side)).tokenize({ prompt, maxLength });
    const sides = await Promise.all([
      tokens(
        texts.map(({ anchor }) => anchor),
        prompts.query,
      ),
      tokens([...texts.map(({ positive }) => positive), ...texts.flatMap((pair) => pair.negatives)], prompts.document),
    ]);
    // A text's number for dropout: its pair's and its side's, whatever the batch.
    const numbers = (side: number) =>
      Array.from(examples, (example) => example * (2 + (negatives?.perPair ?? 0)) + side);
    const [ofAnchors, ofPositives, ofNegatives] = [numbers(0), numbers(1), numbers(2)];
    const mined = texts.flatMap((pair, i) => pair.negatives.map((_, at) => ofNegatives[i]! + at));
    return { examples, sides, samples: [...ofAnchors, ...ofPositives, ...mined] };
  };
  // Batch t + 1 is made while the engine computes batch t.
  let next: { step: number; batch: ReturnType<typeof prepare> } | undefined;
  const take = (step: number) => {
    const batch = next?.step === step ? next.batch : prepare(sampler.batch(step - 1).examples);
    next = { step: step + 1, batch: prepare(sampler.batch(step).examples) };
    next.batch.catch(() => {}); // reported when its turn comes
    return batch;
  };

  const gradient = await compileGradient(
    engine,
    training,
    model,
    { ...options, hardNegatives: negatives !== undefined },
    (2 + (negatives?.perPair ?? 0)) * batchSize > chunk,
  );
  return {
    batchesPerEpoch: sampler.epoch(0).batches.length,
    async accumulate(step) {
      const { examples, sides, samples } = await take(step);
      const mined = negatives === undefined ? [] : negativeRows(negatives, examples);
      const sequences = sides.flatMap(sequencesOf);
      const promptTokens = sides.flatMap(({ starts, promptTokens: count }) =>
        new Array<number>(starts.length - 1).fill(count),
      );
      const batch = Array.from(examples, (example) => pairs.at(example));
      const mask = falseNegatives(batch, related, mined);
      const draws = { seed, step, samples };
      const loss = await gradient({ sequences, promptTokens, mask, negatives: mined.length, draws }, chunk);
      return { loss, examples: examples.length, tokens: sides.reduce((sum, { ids }) => sum + ids.length, 0) };
    },
    close: () => thread.close(),
  };
}

/** n anchors, their n positives, then m hard negatives. */
interface PairBatch {
  sequences: readonly Int32Array[];
  /** Leading tokens of each sequence that are its prompt. */
  promptTokens: readonly number[];
  /** [n, n + m]: 1 where a candidate is no negative of the anchor. */
  mask: Uint8Array;
  /** m. Default 0. */
  negatives?: number;
  /** Needed where the model drops anything. */
  draws?: Draws;
}

type Gradient = (batch: PairBatch, chunk: number) => Promise<number>;

/** `hardNegatives`: whether batches have any. Default false. */
type LossOptions = Pick<ContrastiveOptions, 'scale' | 'symmetric' | 'dimensions' | 'dropout' | 'recompute'> & {
  hardNegatives?: boolean;
};

/** The function that accumulates the gradient of a batch and gives its loss. */
export async function compileGradient(
  engine: Engine,
  training: Training,
  model: TrainableModel,
  { scale = 20, symmetric = false, dimensions, dropout, recompute = false, hardNegatives = false }: LossOptions,
  cached: boolean,
): Promise<Gradient> {
  const lossOf = (vectors: Tensor) => {
    const anchors = gather(vectors, input('anchors', 'int32', ['pairs']));
    const positives = gather(vectors, input('positives', 'int32', ['pairs']));
    const hard = hardNegatives ? [gather(vectors, input('negatives', 'int32', ['negatives']))] : [];
    const mask = input('mask', 'bool', ['pairs', hardNegatives ? 'pairs+negatives' : 'pairs']);
    const ranking = ([a, p, n]: readonly Tensor[]) =>
      multipleNegativesRanking(a!, p!, {
        scale,
        symmetric,
        falseNegatives: mask,
        ...(n === undefined ? {} : { hardNegatives: n }),
      });
    const columns = [anchors, positives, ...hard];
    return dimensions === undefined ? ranking(columns) : matryoshka(columns, { dimensions }, ranking);
  };
  const pairFeeds = ({ sequences, mask, negatives: m = 0 }: PairBatch) => {
    const n = (sequences.length - m) / 2;
    const from = (first: number, count: number) => Int32Array.from({ length: count }, (_, row) => first + row);
    return {
      anchors: from(0, n),
      positives: from(n, n),
      ...(hardNegatives ? { negatives: from(2 * n, m) } : {}),
      mask: { data: mask, shape: [n, n + m] },
    };
  };
  const { vectors, boundaries } = model.encoder(trainingContext(dropout));
  const isDropping = drops(vectors);
  /** Of some rows of a batch, in this order. */
  const feedsOf = ({ sequences, promptTokens, draws }: PairBatch, rows: readonly number[]) => {
    const of = <T>(list: readonly T[]) => rows.map((row) => list[row]!);
    const drawn = isDropping && draws !== undefined ? { ...draws, samples: of(draws.samples) } : undefined;
    return model.feeds(of(sequences), of(promptTokens), drawn);
  };
  const parameters = model.frozen;
  const again = recompute ? { boundaries } : {};
  if (!cached) {
    const program = await training.compile({ loss: lossOf(vectors) }, { loss: 'loss', parameters, ...again });
    return async (batch) => {
      const feeds = { ...feedsOf(batch, [...batch.sequences.keys()]), ...pairFeeds(batch) };
      return (await program.accumulate(feeds)).loss!.floats[0]!;
    };
  }

  const width = model.parts.dimensions;
  const given = input('vectors', 'float32', ['rows', width]);
  const loss = lossOf(given);
  const overVectors = await engine.compile({ loss, cotangents: gradients(loss, [given])[0]! });
  const forward = await training.compile({ vectors }, { parameters });
  const pulled = sum(sum(multiply(vectors, input('cotangents', 'float32', ['batch', width])), 1), 0);
  const backward = await training.compile({ pulled }, { loss: 'pulled', parameters, ...again });
  return async (batch, chunk) => {
    const { sequences } = batch;
    const order = [...sequences.keys()].sort((a, b) => sequences[b]!.length - sequences[a]!.length || a - b);
    const chunks = Array.from({ length: Math.ceil(order.length / chunk) }, (_, i) =>
      order.slice(i * chunk, (i + 1) * chunk),
    );
    const feeds = chunks.map((rows) => feedsOf(batch, rows));
    const all = new Float32Array(sequences.length * width);
    for (const [i, rows] of chunks.entries()) {
      const { floats } = (await forward.run(feeds[i]!)).vectors!;
      rows.forEach((row, at) => {
        all.set(floats.subarray(at * width, (at + 1) * width), row * width);
      });
    }
    const found = await overVectors.run({
      ...pairFeeds(batch),
      vectors: { data: all, shape: [sequences.length, width] },
    });
    for (const [i, rows] of chunks.entries()) {
      const cotangents = new Float32Array(rows.length * width);
      rows.forEach((row, at) => {
        cotangents.set(found.cotangents!.floats.subarray(row * width, (row + 1) * width), at * width);
      });
      await backward.accumulate({ ...feeds[i]!, cotangents: { data: cotangents, shape: [rows.length, width] } });
    }
    return found.loss!.floats[0]!;
  };
}

function sequencesOf({ ids, starts }: TokenBatch): Int32Array[] {
  return Array.from({ length: starts.length - 1 }, (_, i) => ids.subarray(starts[i]!, starts[i + 1]!));
}
