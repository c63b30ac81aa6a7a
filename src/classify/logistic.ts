/**
 * Logistic regression on frozen vectors or TF-IDF rows: one-vs-rest for documents with several labels, softmax for documents
 * with one. Objective, stopping rule (largest |gradient| ≤ tolerance) and defaults are scikit-learn's LogisticRegression;
 * all labels are solved together by L-BFGS (lbfgs.ts, logistic-objective.ts).
 *
 * Precision: products in float32, their sums over blocks of rows and all of L-BFGS's own arithmetic in float64. Tolerances
 * down to 1e-7 can be reached; a label for which rounding ends the search before is reported as not converged.
 *
 * A label that all or none of the training documents have has nothing to be learnt from: its weights are 0, its intercept
 * is +∞ or -∞, its probability the prior, 1 or 0. A class that no training document has never gets a probability above 0;
 * with two classes in the training softmax is the binary problem of the second one (as in scikit-learn).
 */
import { inputError } from '../base/errors.ts';
import type { Engine } from '../engine/index.ts';
import type { LabelSets } from '../metrics/label-sets.ts';
import {
  checkFeatures,
  checkSingle,
  checkTraining,
  checkWidth,
  type FeatureRows,
  isDense,
  widthOf,
} from './features.ts';
import { applyLayers } from './layers.ts';
import { type Minimum, minimise } from './lbfgs.ts';
import { DenseTerm, turnRows } from './logistic-dense.ts';
import { type Coordinates, type DataTerm, logisticProblems, type Targets, turnBack } from './logistic-objective.ts';
import { SparseTerm, sparseCoordinates, sparseScores } from './logistic-sparse.ts';
import { type ClassificationTask, toProbabilities } from './predictions.ts';

export interface LogisticOptions {
  engine: Engine;
  /** Number of labels. */
  labels: number;
  /** Default `multi-label`. */
  task?: ClassificationTask;
  /** Inverse strength of the L2 penalty; default 1. */
  C?: number;
  /** `balanced`: rows weigh n / (classes · rows of their class), a label's classes being with and without. Default `none`. */
  classWeight?: 'none' | 'balanced';
  /** Of the largest component of the gradient; default 1e-4. */
  tolerance?: number;
  /** Default 100. */
  maxIterations?: number;
  signal?: AbortSignal;
  /** Told of each round: problems still open of all. */
  onRound?: (open: number, problems: number) => void;
}

export interface LogisticModel {
  readonly task: ClassificationTask;
  readonly labels: number;
  /** Length of a row. */
  readonly width: number;
  /** [labels, width] */
  readonly weights: Float32Array;
  /** [labels]; infinite for constant labels. */
  readonly intercepts: Float64Array;
}

/** How the search for one label (multi-class: for all together) ended. */
export interface Convergence {
  /** -1: all classes together. */
  readonly label: number;
  readonly iterations: number;
  /** Largest component of the gradient, in absolute value. */
  readonly gradientNorm: number;
  readonly converged: boolean;
}

export interface LogisticWarning {
  readonly code: 'logistic.convergence' | 'logistic.constant';
  readonly message: string;
  readonly labels: readonly number[];
}

export interface LogisticFit {
  readonly model: LogisticModel;
  /** One for each label that was solved for; one in all for `multi-class`. */
  readonly convergence: readonly Convergence[];
  readonly warnings: readonly LogisticWarning[];
  /** Calls of the data term, each a pass over all rows. */
  readonly passes: number;
}

/** Float32 numbers that one group of labels may take: 512 MiB. */
const groupNumbers = 2 ** 27;
const mostTogether = 1024;

/** Throws where there are no labels, rows differ in number or length, a value is no number, or an option is out of range. */
export async function trainLogistic(
  features: FeatureRows,
  truth: LabelSets,
  options: LogisticOptions,
): Promise<LogisticFit> {
  const { engine, labels, task = 'multi-label', C = 1, classWeight = 'none', tolerance = 1e-4 } = options;
  const { maxIterations = 100, signal, onRound } = options;
  for (const [field, value] of Object.entries({ C, tolerance, maxIterations }))
    if (!(value > 0 && Number.isFinite(value)))
      throw inputError('a setting of logistic regression is out of range', {
        code: 'classify.option',
        field,
        expected: 'a number above 0',
        found: String(value),
      });
  const rows = checkTraining(features, truth, labels);
  if (task === 'multi-class') checkSingle(truth);
  const width = widthOf(features);
  const model: LogisticModel = {
    task,
    labels,
    width,
    weights: new Float32Array(labels * width),
    intercepts: new Float64Array(labels),
  };
  const plan = planOutputs(truth, labels, rows, task, classWeight);
  for (const label of plan.never) model.intercepts[label] = Number.NEGATIVE_INFINITY;
  for (const label of plan.always) model.intercepts[label] = task === 'multi-label' ? Number.POSITIVE_INFINITY : 0;
  const { outputs, together, totals, priors } = plan;
  const convergence: Convergence[] = [];
  let passes = 0;
  if (outputs.length > 0) {
    const group = together === 1 ? groupSize(features, rows, outputs.length) : outputs.length;
    const { term, coordinates } = await openTerm(engine, features, plan, group);
    try {
      for (let from = 0; from < outputs.length; from += group) {
        const own = outputs.subarray(from, from + group);
        const found = await minimise(
          logisticProblems({
            term,
            coordinates,
            outputs: own,
            together,
            totals: Float64Array.from(own, (label) => totals[label]!),
            priors: Float64Array.from(own, (label) => priors[label]!),
            C,
          }),
          {
            tolerance,
            maxIterations,
            signal,
            onRound: (open) => onRound?.(open, own.length / together),
          },
        );
        passes += found.rounds;
        keep(found, own, coordinates, model);
        for (let problem = 0; problem < found.iterations.length; problem++)
          convergence.push({
            label: together === 1 ? own[problem]! : -1,
            iterations: found.iterations[problem]!,
            gradientNorm: found.norms[problem]!,
            converged: found.norms[problem]! <= tolerance,
          });
      }
    } finally {
      await term.close();
    }
    if (together > 1) centre(model.intercepts, outputs);
  }
  return { model, convergence, warnings: warningsOf(plan, convergence, tolerance, maxIterations), passes };
}

/**
 * Probabilities [rows, labels]: of each label by itself, or of classes that sum to 1. Throws where rows have another length than
 * the model's.
 */
export async function predictLogistic(
  { task, labels, width, weights, intercepts }: LogisticModel,
  features: FeatureRows,
  { engine }: { engine: Engine },
): Promise<Float32Array> {
  checkWidth(features, width, 'test');
  checkFeatures(features, 'test');
  const scores = isDense(features)
    ? await applyLayers(engine, features, [{ weight: weights, bias: new Float32Array(labels) }])
    : sparseScores(features, weights, labels);
  for (let at = 0; at < scores.length; at += labels)
    for (let label = 0; label < labels; label++) scores[at + label]! += intercepts[label]!;
  toProbabilities(scores, labels, task);
  return scores;
}

/** What is to be solved, and with which weights. */
interface Plan {
  /** Labels to solve for, ascending. */
  outputs: Int32Array;
  /** Outputs of one problem. */
  together: number;
  targets: Targets;
  /** [labels] sum of row weights, weighted prior. */
  totals: Float64Array;
  priors: Float64Array;
  never: number[];
  always: number[];
}

function planOutputs(
  truth: LabelSets,
  labels: number,
  rows: number,
  task: ClassificationTask,
  classWeight: 'none' | 'balanced',
): Plan {
  const counts = new Float64Array(labels);
  for (const code of truth.codes) counts[code]!++;
  const never: number[] = [];
  const always: number[] = [];
  const present: number[] = [];
  counts.forEach((count, label) => {
    (count === 0 ? never : count === rows ? always : present).push(label);
  });
  const positive = new Float64Array(labels).fill(1);
  const negative = new Float64Array(labels).fill(1);
  const totals = new Float64Array(labels).fill(rows);
  const softmax = task === 'multi-class' && present.length > 2;
  for (const label of present) {
    if (classWeight === 'none') continue;
    positive[label] = rows / ((softmax ? present.length : 2) * counts[label]!);
    negative[label] = rows / (2 * (rows - counts[label]!));
  }
  return {
    // Of two classes the second is solved for, the first stays at weights of 0: softmax of both is the sigmoid of one.
    outputs: Int32Array.from(task === 'multi-class' && present.length === 2 ? present.slice(1) : present),
    together: softmax ? present.length : 1,
    targets: { truth, softmax, positive, negative },
    totals,
    priors: counts.map((count, label) => (count * positive[label]!) / rows),
    never,
    always,
  };
}

/** Labels solved together: their histories, and the scores of sparse rows, are bounded. */
function groupSize(features: FeatureRows, rows: number, outputs: number): number {
  const numbers = Math.max(24 * (widthOf(features) + 1), isDense(features) ? 0 : rows);
  return Math.max(1, Math.min(outputs, mostTogether, Math.floor(groupNumbers / numbers)));
}

/** The data term for at most `group` outputs at a time, with its coordinates. */
async function openTerm(
  engine: Engine,
  features: FeatureRows,
  { targets, outputs }: Plan,
  group: number,
): Promise<{ term: DataTerm; coordinates: Coordinates }> {
  if (!isDense(features))
    return { term: new SparseTerm(features, targets, group), coordinates: sparseCoordinates(features) };
  const { dimensions } = features;
  // Finding the axes costs some 12 dimensions³ operations in this thread; worth it where passes over the rows cost more.
  const turn = (features.vectors.length / dimensions) * outputs.length > 3 * dimensions ** 2;
  const turned = await turnRows(engine, features, turn);
  return { term: await DenseTerm.open(engine, turned, targets), coordinates: turned };
}

/** Writes points into the model, in the coordinates of the rows as given. */
function keep(found: Minimum, outputs: Int32Array, coordinates: Coordinates, model: LogisticModel): void {
  const { width, mean } = coordinates;
  outputs.forEach((label, i) => {
    const at = i * (width + 1);
    const own = turnBack(Float64Array.from(found.points.subarray(at, at + width)), coordinates);
    let shift = 0;
    for (let j = 0; j < width; j++) shift += mean[j]! * own[j]!;
    model.weights.set(own, label * width);
    model.intercepts[label] = found.points[at + width]! - shift;
  });
}

/** Softmax does not change when all intercepts grow by one number: scikit-learn's sum to 0. */
function centre(intercepts: Float64Array, outputs: Int32Array): void {
  const mean = outputs.reduce((sum, label) => sum + intercepts[label]!, 0) / outputs.length;
  for (const label of outputs) intercepts[label]! -= mean;
}

function warningsOf(
  { never, always }: Plan,
  convergence: readonly Convergence[],
  tolerance: number,
  maxIterations: number,
): LogisticWarning[] {
  const warnings: LogisticWarning[] = [];
  const open = convergence.filter(({ converged }) => !converged);
  if (open.length > 0)
    warnings.push({
      code: 'logistic.convergence',
      message:
        `logistic regression has not converged for ${open.length} of ${convergence.length} problems after at most ` +
        `${maxIterations} iterations (largest gradient ${Math.max(...open.map(({ gradientNorm }) => gradientNorm)).toExponential(1)}, ` +
        `tolerance ${tolerance.toExponential(1)}): allow more iterations or a larger tolerance`,
      labels: open.map(({ label }) => label),
    });
  const constant = [...never, ...always].sort((a, b) => a - b);
  if (constant.length > 0)
    warnings.push({
      code: 'logistic.constant',
      message: `${never.length} labels stand at no training document and ${always.length} at all of them: their probability is 0 or 1 everywhere`,
      labels: constant,
    });
  return warnings;
}
