/**
 * A head on frozen vectors, trained by the engine: linear, or a perceptron with one hidden layer.
 *
 *   x' = (x - mean) / s, s² the mean variance of a column;   z = W x' + b,   or   z = W₂ dropout(activation(W₁ x' + b₁)) + b₂
 *   multi-label: mean over rows and labels of log(1 + e^z) - y z;   multi-class: mean over rows of -log softmax(z)_y
 *
 * AdamW on shuffled batches; after every epoch the loss of a held-out part (stratified, families whole) is computed. A fall by
 * `leastGain` of it is notable: without one for `halveAfter` epochs the rate is halved, and halved again; without one for
 * `patience` epochs training stops, and the weights of the last notable fall stay. Mean and s are those of the rows trained on
 * and are folded into the first layer of the result. Everything follows from the data, the options and the seed.
 *
 * The last layer begins at 0 with the labels' shares in its bias (focal loss's prior, Lin et al. 2017): random weights would
 * give logits a deviation above 1, noise in every direction that a few hundred rows cannot unlearn. All columns have one scale,
 * because a scale of its own for each would make as much of directions that hardly vary, which AdamW then fits to noise.
 * These, and the defaults, were chosen by the loss and F1 on a fifth of the training rows of 591 claims of 1976 and 2,300 drone titles
 * with `lsa` vectors: from random weights and own scales the loss of a document was 19.9 on claims, as it is now 3.1, logistic regression 3.6.
 */
import { inputError } from '../base/errors.ts';
import type { Platform } from '../base/platform.ts';
import type { Progress } from '../base/progress.ts';
import {
  constant,
  crossEntropy,
  dropout,
  dropoutKeys,
  type Engine,
  type Feeds,
  greater,
  input,
  linear,
  log,
  mean,
  multiply,
  negate,
  network,
  parameter,
  sigmoid,
  subtract,
  type Tensor,
  where,
} from '../engine/index.ts';
import { type LabelSets, selectLabelSets } from '../metrics/label-sets.ts';
import { train } from '../train/loop.ts';
import { BatchSampler } from '../train/sampler.ts';
import {
  checkFeatures,
  checkSingle,
  checkTraining,
  checkWidth,
  type DenseRows,
  rowsWhere,
  selectRows,
} from './features.ts';
import { type Activation, activations, applyLayers, type Layer } from './layers.ts';
import { type ClassificationTask, indicatorScores, toProbabilities } from './predictions.ts';
import { stratifiedFolds } from './stratify.ts';

export interface MlpShape {
  kind: 'mlp';
  /** Width of the hidden layer; default 256. */
  hidden?: number;
  /** Default `gelu`. */
  activation?: Activation;
  /** Share of hidden values left out while training; default 0. */
  dropout?: number;
}

export interface HeadOptions {
  engine: Engine;
  platform: Platform;
  /** Number of labels. */
  labels: number;
  /** Default `multi-label`. */
  task?: ClassificationTask;
  head: { kind: 'linear' } | MlpShape;
  /** Most epochs; default 100. */
  epochs?: number;
  /** Most rows of a step; default 64. */
  batchSize?: number;
  /** Where an epoch would have fewer steps, batches are smaller, down to 16 rows; default 32. */
  leastSteps?: number;
  /** Default 1e-3. */
  learningRate?: number;
  /** Default 0.01. */
  weightDecay?: number;
  /** Share of the documents held out; default 0.1. */
  heldOut?: number;
  /** Family of each document: the held-out part takes whole ones. */
  groups?: ArrayLike<number>;
  /** Relative fall of the held-out loss that counts as one; default 1e-3. */
  leastGain?: number;
  /** Epochs without a notable fall until the learning rate is halved; default 2. */
  halveAfter?: number;
  /** Epochs without a notable fall until training stops; default 5. */
  patience?: number;
  seed: number;
  progress?: Progress;
  signal?: AbortSignal;
}

export interface HeadModel {
  readonly task: ClassificationTask;
  readonly labels: number;
  /** Length of a row. */
  readonly width: number;
  readonly activation: Activation;
  /** One (linear) or two. */
  readonly layers: readonly Layer[];
}

export interface HeadFit {
  readonly model: HeadModel;
  /** Mean training loss and held-out loss of each epoch. */
  readonly epochs: readonly { readonly loss: number; readonly heldOutLoss: number }[];
  /** The epoch (from 1) whose weights stay. */
  readonly best: number;
  /** `early`: the held-out loss stopped falling; `end`: all epochs were spent before that, and more might help. */
  readonly stopped: 'end' | 'early';
}

/** Throws where a vector holds no number, rows and labels do not fit, or there are too few documents to hold some out. */
export async function trainHead(features: DenseRows, truth: LabelSets, options: HeadOptions): Promise<HeadFit> {
  const { engine, platform, labels, task = 'multi-label', head, seed } = options;
  const {
    epochs = 100,
    batchSize: most = 64,
    leastSteps = 32,
    learningRate = 1e-3,
    weightDecay = 0.01,
    patience = 5,
  } = options;
  const { heldOut = 0.1, leastGain = 1e-3, halveAfter = 2, groups } = options;
  const { hidden = 256, activation = 'gelu', dropout: rate = 0 } = head.kind === 'mlp' ? head : {};
  const rows = checkTraining(features, truth, labels);
  if (task === 'multi-class') checkSingle(truth);
  checkOptions(
    { epochs, batchSize: most, leastSteps, hidden, patience, halveAfter },
    { learningRate, heldOut, leastGain },
  );
  if (rows < 2 || heldOut >= 1)
    throw inputError('there are too few documents to hold some out', {
      code: 'classify.heldOut',
      field: 'heldOut',
      expected: '2 documents or more, and a share below 1',
      found: `${rows} documents, a share of ${heldOut}`,
    });
  const folds = stratifiedFolds(truth, {
    labels,
    folds: [1 - heldOut, heldOut],
    seed,
    ...(groups === undefined ? {} : { groups }),
  });
  const [learnt, kept] = [rowsWhere(folds, (fold) => fold === 0), rowsWhere(folds, (fold) => fold === 1)];
  if (learnt.length === 0 || kept.length === 0)
    throw inputError('there are too few documents to hold some out', {
      code: 'classify.heldOut',
      field: 'heldOut',
      expected: 'documents of several families',
      found: `${learnt.length} to learn from, ${kept.length} held out`,
    });
  const batchSize = Math.min(most, Math.max(16, Math.floor(learnt.length / leastSteps)));
  const scale = scaling(features, learnt);
  const feedsOf = (chosen: Int32Array, step?: number): Feeds => {
    const own = selectLabelSets(truth, chosen);
    return {
      x: scaled(selectRows(features, chosen).vectors, scale),
      y: task === 'multi-label' ? indicatorScores(own, labels) : own.codes,
      ...(rate > 0 && step !== undefined
        ? { keys: dropoutKeys({ seed, step, samples: chosen, lengths: new Int32Array(chosen.length).fill(1) }) }
        : {}),
    };
  };

  const net = network(seed);
  const x = input('x', 'float32', ['rows', features.dimensions]);
  const y = task === 'multi-label' ? input('y', 'float32', ['rows', labels]) : input('y', 'int32', ['rows']);
  const inner = head.kind === 'mlp' ? activations[activation](net.linear(x, 'hidden', hidden)) : x;
  const dropped = rate > 0 ? dropout(inner, rate, { keys: input('keys', 'int32', ['rows']), site: 1 }) : inner;
  const scores = net.linear(dropped, 'scores', labels); // [rows, labels]
  // The same parameters without dropout, for the held-out part.
  const judged = linear(
    inner,
    parameter('scores.weight', [labels, head.kind === 'mlp' ? hidden : features.dimensions]),
    parameter('scores.bias', [labels]),
  );
  const training = await engine.openTraining(net.parameters);
  try {
    const learn = await training.compile({ loss: lossOf(task, scores, y) }, { loss: 'loss' });
    const judge = await training.compile({ loss: lossOf(task, judged, y) });
    const sampler = new BatchSampler({ examples: learnt.length, batchSize, seed, last: 'keep' });
    const perEpoch = Math.ceil(learnt.length / batchSize);
    const judgedFeeds = feedsOf(kept);
    // The first predictions are the labels' shares; random weights would be noise that a few hundred rows cannot unlearn.
    await training.write(
      'weights',
      'scores.weight',
      new Float32Array(labels * (head.kind === 'mlp' ? hidden : features.dimensions)),
    );
    await training.write('weights', 'scores.bias', priorScores(selectLabelSets(truth, learnt), labels, task));
    const plateau = new Plateau(leastGain, halveAfter);
    const result = await train(
      platform.files,
      training,
      {
        async accumulate(step) {
          const { examples } = sampler.batch(step - 1);
          const found = await learn.accumulate(
            feedsOf(
              examples.map((i) => learnt[i]!),
              step,
            ),
          );
          return { loss: found.loss.floats[0]!, examples: examples.length, tokens: examples.length };
        },
        async evaluate() {
          const found = await judge.run(judgedFeeds);
          return plateau.judge(found.loss.floats[0]!);
        },
      },
      {
        steps: epochs * perEpoch,
        learningRate,
        weightDecay,
        schedule: () => plateau.factor,
        evaluateEvery: perEpoch,
        best: { score: 'notable', patience },
        label: 'head',
        ...(options.progress ? { progress: options.progress } : {}),
        ...(options.signal ? { signal: options.signal } : {}),
      },
    );
    options.signal?.throwIfAborted();
    const layers: Layer[] = [];
    for (const name of head.kind === 'mlp' ? ['hidden', 'scores'] : ['scores'])
      layers.push({
        weight: await training.read('weights', `${name}.weight`),
        bias: await training.read('weights', `${name}.bias`),
      });
    layers[0] = folded(layers[0]!, scale);
    const byEpoch = Array.from({ length: Math.ceil(result.records.length / perEpoch) }, (_, epoch) => {
      const own = result.records.slice(epoch * perEpoch, (epoch + 1) * perEpoch);
      const examples = own.reduce((sum, record) => sum + record.examples, 0);
      return {
        loss: own.reduce((sum, record) => sum + record.loss * record.examples, 0) / examples,
        heldOutLoss: -(own.at(-1)!.scores?.negativeLoss ?? Number.NaN),
      };
    });
    const best = result.step / perEpoch;
    return {
      model: { task, labels, width: features.dimensions, activation, layers },
      epochs: byEpoch,
      best,
      stopped: byEpoch.length - best >= patience ? 'early' : 'end',
    };
  } finally {
    await training.close();
  }
}

/** Probabilities [rows, labels] of a trained head. Throws where rows have another length than the head's. */
export async function predictHead(
  { task, labels, width, activation, layers }: HeadModel,
  features: DenseRows,
  { engine }: { engine: Engine },
): Promise<Float32Array> {
  checkWidth(features, width, 'test');
  checkFeatures(features, 'test');
  const scores = await applyLayers(engine, features, layers, activation);
  toProbabilities(scores, labels, task);
  return scores;
}

function lossOf(task: ClassificationTask, z: Tensor, y: Tensor): Tensor {
  if (task === 'multi-class') return mean(crossEntropy(z, y), 0);
  // log(1 + e^z) = max(z, 0) - log σ(|z|), which neither overflows nor loses small values.
  const positive = greater(z, constant(0));
  const size = where(positive, z, negate(z));
  const each = subtract(subtract(where(positive, z, 0), log(sigmoid(size))), multiply(y, z));
  return mean(mean(each, 1), 0);
}

/** Tells notable falls of the held-out loss from others, and halves the rate where there is none. */
class Plateau {
  /** Of the learning rate. */
  factor = 1;
  private readonly leastGain: number;
  private readonly halveAfter: number;
  private least = Number.POSITIVE_INFINITY;
  private since = 0;

  constructor(leastGain: number, halveAfter: number) {
    this.leastGain = leastGain;
    this.halveAfter = halveAfter;
  }

  /** `notable`: the loss, negated, where it fell by `leastGain` of the last one that was notable; else none. */
  judge(loss: number): { negativeLoss: number; notable: number } {
    const fell = loss < this.least * (1 - this.leastGain);
    if (fell) {
      this.least = loss;
      this.since = 0;
    } else if (++this.since % this.halveAfter === 0) this.factor /= 2;
    return { negativeLoss: -loss, notable: fell ? -loss : Number.NEGATIVE_INFINITY };
  }
}

/** [labels] log-odds (multi-label) or logarithm (multi-class) of each label's share of the rows, which half a row more keeps finite. */
function priorScores({ offsets, codes }: LabelSets, labels: number, task: ClassificationTask): Float32Array {
  const counts = new Float64Array(labels);
  for (const code of codes) counts[code]!++;
  const rows = offsets.length - 1;
  return Float32Array.from(counts, (count) =>
    task === 'multi-class' ? Math.log(count + 0.5) : Math.log((count + 0.5) / (rows - count + 0.5)),
  );
}

interface Scale {
  mean: Float64Array;
  /** Root of the mean variance of columns, or 1 where none varies. */
  deviation: number;
}

function scaling({ vectors, dimensions }: DenseRows, rows: Int32Array): Scale {
  const means = new Float64Array(dimensions);
  for (const row of rows)
    for (let i = 0; i < dimensions; i++) means[i]! += vectors[row * dimensions + i]! / rows.length;
  let [variance, size] = [0, 0];
  for (const row of rows)
    for (let i = 0; i < dimensions; i++) {
      variance += (vectors[row * dimensions + i]! - means[i]!) ** 2 / rows.length / dimensions;
      size = Math.max(size, Math.abs(means[i]!));
    }
  // Rows that vary by rounding alone count as constant.
  const deviation = Math.sqrt(variance);
  return { mean: means, deviation: deviation > 1e-6 * size ? deviation : 1 };
}

function scaled(vectors: Float32Array, { mean: means, deviation }: Scale): Float32Array {
  const width = means.length;
  return vectors.map((value, i) => (value - means[i % width]!) / deviation);
}

/** The layer for rows that are not scaled: W / deviation, b - W mean / deviation. */
function folded({ weight, bias }: Layer, { mean: means, deviation }: Scale): Layer {
  const width = means.length;
  const own = weight.map((value) => value / deviation);
  const shifted = bias.map((value, row) => {
    let sum = value;
    for (let i = 0; i < width; i++) sum -= (weight[row * width + i]! / deviation) * means[i]!;
    return sum;
  });
  return { weight: own, bias: shifted };
}

function checkOptions(whole: Readonly<Record<string, number>>, positive: Readonly<Record<string, number>>): void {
  const check = (values: Readonly<Record<string, number>>, fits: (value: number) => boolean, expected: string) => {
    for (const [field, value] of Object.entries(values))
      if (!fits(value))
        throw inputError("a setting of the head's training is out of range", {
          code: 'classify.option',
          field,
          expected,
          found: String(value),
        });
  };
  check(whole, (value) => Number.isInteger(value) && value >= 1, 'a whole number from 1');
  check(positive, (value) => value > 0 && Number.isFinite(value), 'a number above 0');
}
