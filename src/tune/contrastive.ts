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
 */
import type { Platform } from '../base/platform.ts';
import type { Corpus } from '../corpus/store.ts';
import { gradients } from '../engine/gradients.ts';
import { type Engine, gather, input, multiply, sum, type Tensor, type Training } from '../engine/index.ts';
import type { TrainableModel } from '../model/trainable.ts';
import { startTokenizerThread, type TokenBatch } from '../tokenizer/index.ts';
import type { LoopTask } from '../train/loop.ts';
import { matryoshka, multipleNegativesRanking } from '../train/losses.ts';
import { BatchSampler } from '../train/sampler.ts';
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
  /** 1 / temperature. Default 20. */
  scale?: number;
  /** Default false. */
  symmetric?: boolean;
  /** Lengths of fronts of the vector that are trained too. */
  dimensions?: readonly number[];
  /** Sequences that go through the model at a time. Default: all of a batch. */
  chunk?: number;
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
  const { corpus, pairs, batchSize, seed, group, related, chunk = Number.POSITIVE_INFINITY, maskCitations } = options;
  const sampler = new BatchSampler({
    examples: pairs.length,
    batchSize,
    seed,
    keys: (example) => [group[pairs.anchor[example]!]!, group[pairs.positive[example]!]!],
  });
  const { folder, own, prompts, maxLength } = model.parts;
  const thread = await startTokenizerThread(platform, folder, { lowercase: own.lowercase });

  /** Texts of a batch as sequences: those of the anchors, then those of the positives. */
  const prepare = async (examples: Int32Array) => {
    const texts = await pairTexts(corpus, pairs, examples, maskCitations === undefined ? {} : { maskCitations });
    const tokens = async (side: 'anchor' | 'positive', prompt: string) =>
      (await thread.hold(texts.map((pair) => pair[side]))).tokenize({ prompt, maxLength });
    const [anchors, positives] = await Promise.all([
      tokens('anchor', prompts.query),
      tokens('positive', prompts.document),
    ]);
    return { examples, anchors, positives };
  };
  // Batch t + 1 is made while the engine computes batch t.
  let next: { step: number; batch: ReturnType<typeof prepare> } | undefined;
  const take = (step: number) => {
    const batch = next?.step === step ? next.batch : prepare(sampler.batch(step - 1).examples);
    next = { step: step + 1, batch: prepare(sampler.batch(step).examples) };
    next.batch.catch(() => {}); // reported when its turn comes
    return batch;
  };

  const gradient = await compileGradient(engine, training, model, options, 2 * batchSize > chunk);
  return {
    batchesPerEpoch: sampler.epoch(0).batches.length,
    async accumulate(step) {
      const { examples, anchors, positives } = await take(step);
      const sequences = [...sequencesOf(anchors), ...sequencesOf(positives)];
      const promptTokens = [anchors, positives].flatMap((side) =>
        new Array<number>(examples.length).fill(side.promptTokens),
      );
      const mask = related
        ? falseNegatives(
            Array.from(examples, (example) => pairs.at(example)),
            related,
          )
        : new Uint8Array(examples.length ** 2);
      const loss = await gradient({ sequences, promptTokens, mask }, chunk);
      return { loss, examples: examples.length, tokens: anchors.ids.length + positives.ids.length };
    },
    close: () => thread.close(),
  };
}

/** n anchors, then their n positives. */
interface PairBatch {
  sequences: readonly Int32Array[];
  /** Leading tokens of each sequence that are its prompt. */
  promptTokens: readonly number[];
  /** [n, n]: 1 where a positive is no negative of the anchor. */
  mask: Uint8Array;
}

type Gradient = (batch: PairBatch, chunk: number) => Promise<number>;

/** The function that accumulates the gradient of a batch and gives its loss. */
export async function compileGradient(
  engine: Engine,
  training: Training,
  model: TrainableModel,
  { scale = 20, symmetric = false, dimensions }: Pick<ContrastiveOptions, 'scale' | 'symmetric' | 'dimensions'>,
  cached: boolean,
): Promise<Gradient> {
  const lossOf = (vectors: Tensor) => {
    const anchors = gather(vectors, input('anchors', 'int32', ['pairs']));
    const positives = gather(vectors, input('positives', 'int32', ['pairs']));
    const mask = input('mask', 'bool', ['pairs', 'pairs']);
    const ranking = ([a, p]: readonly Tensor[]) =>
      multipleNegativesRanking(a!, p!, { scale, symmetric, falseNegatives: mask });
    return dimensions === undefined
      ? ranking([anchors, positives])
      : matryoshka([anchors, positives], { dimensions }, ranking);
  };
  const pairFeeds = ({ mask }: PairBatch) => {
    const n = Math.sqrt(mask.length);
    const rows = Int32Array.from({ length: n }, (_, row) => row);
    return { anchors: rows, positives: rows.map((row) => n + row), mask: { data: mask, shape: [n, n] } };
  };
  const vectors = model.vectors();
  const parameters = model.frozen;
  if (!cached) {
    const program = await training.compile({ loss: lossOf(vectors) }, { loss: 'loss', parameters });
    return async (batch) => {
      const feeds = { ...model.feeds(batch.sequences, batch.promptTokens), ...pairFeeds(batch) };
      return (await program.accumulate(feeds)).loss!.floats[0]!;
    };
  }

  const width = model.parts.dimensions;
  const given = input('vectors', 'float32', ['rows', width]);
  const loss = lossOf(given);
  const overVectors = await engine.compile({ loss, cotangents: gradients(loss, [given])[0]! });
  const forward = await training.compile({ vectors }, { parameters });
  const pulled = sum(sum(multiply(vectors, input('cotangents', 'float32', ['batch', width])), 1), 0);
  const backward = await training.compile({ pulled }, { loss: 'pulled', parameters });
  return async (batch, chunk) => {
    const { sequences, promptTokens } = batch;
    const order = [...sequences.keys()].sort((a, b) => sequences[b]!.length - sequences[a]!.length || a - b);
    const chunks = Array.from({ length: Math.ceil(order.length / chunk) }, (_, i) =>
      order.slice(i * chunk, (i + 1) * chunk),
    );
    const feeds = chunks.map((rows) =>
      model.feeds(
        rows.map((row) => sequences[row]!),
        rows.map((row) => promptTokens[row]!),
      ),
    );
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
