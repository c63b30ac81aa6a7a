/**
 * The objective of logistic regression, scikit-learn's, as problems for L-BFGS (lbfgs.ts). With row weights s_i, S = Σ s_i:
 *
 *   f(w, b) = 1/S Σ s_i loss(y_i, w·x_i + b) + |w|² / (2 C S)
 *   multi-label: one problem a label, loss = log(1 + e^z) - y z;   multi-class: one problem, loss = log Σ e^z - z_y
 *   gradient    1/S Σ s_i (p_i - y_i) x_i + w / (C S),   p = σ(z) or softmax(z);   b is not penalised
 *
 * The search starts at w = 0, b the prior's logit, where the Hessian
 * is π(1 - π) Cov(x) + 1/(C S): its diagonal, in the coordinates that the data term chose, is the preconditioner, so that the
 * first step on dense rows is nearly Newton's. Norms are taken in the coordinates of the rows as they were given.
 */
import type { LabelSets } from '../metrics/label-sets.ts';
import type { ConvexProblems } from './lbfgs.ts';

/** Sums over rows, of whatever form they have. */
export interface DataTerm {
  /**
   * Σ s_i (p_i - y_i) x'_i of the outputs `asked` (ascending labels) at `points` [asked, width + 1], the intercept last; of that
   * shape. A term of softmax is always asked for all outputs.
   */
  residuals(asked: Int32Array, points: Float32Array): Promise<Float64Array>;
  close(): Promise<void>;
}

/** Labels of the rows and what rows weigh. */
export interface Targets {
  truth: LabelSets;
  softmax: boolean;
  /** [labels] weight of a row with the label (softmax: of the class). */
  positive: Float64Array;
  /** [labels] weight of a row without it; not for softmax. */
  negative: Float64Array;
}

/** Coordinates of a data term: given rows x, it works on x' = (x - mean) Q. */
export interface Coordinates {
  width: number;
  mean: Float64Array;
  /** Of x' (second moments where rows are not centred). */
  variances: Float64Array;
  /** Q as columns [width, width]; undefined where it is the identity. */
  axes: Float64Array | undefined;
}

/** Where each label stands in a list of them; -1 where it does not. */
export function placesOf(asked: Int32Array, labels: number): Int32Array {
  const places = new Int32Array(labels).fill(-1);
  asked.forEach((label, i) => {
    places[label] = i;
  });
  return places;
}

export interface ObjectiveParts {
  term: DataTerm;
  coordinates: Coordinates;
  /** Codes of the outputs in the term. */
  outputs: Int32Array;
  /** Outputs of one problem: 1, or all for softmax. */
  together: number;
  /** S and prior (weighted) of each output. */
  totals: Float64Array;
  priors: Float64Array;
  C: number;
}

export function logisticProblems(parts: ObjectiveParts): ConvexProblems {
  const { term, coordinates, outputs, together, totals, priors, C } = parts;
  const { width, variances } = coordinates;
  const stride = width + 1;
  const size = together * stride;
  const problems = outputs.length / together;
  const penalty = (output: number) => 1 / (C * totals[output]!);
  const turnedMean = turn(coordinates.mean, coordinates);
  return {
    problems,
    size,
    start() {
      const points = new Float32Array(problems * size);
      for (let output = 0; output < outputs.length; output++) {
        const prior = priors[output]!;
        points[output * stride + width] = together === 1 ? Math.log(prior / (1 - prior)) : Math.log(prior);
      }
      return points;
    },
    async gradients(asked, points) {
      const wanted = together === 1 ? asked.map((problem) => outputs[problem]!) : outputs;
      const sums = await term.residuals(wanted, points);
      for (let row = 0; row < wanted.length; row++) {
        const output = together === 1 ? asked[row]! : row;
        const from = row * stride;
        const strength = penalty(output);
        for (let i = 0; i < stride; i++) sums[from + i]! /= totals[output]!;
        for (let i = 0; i < width; i++) sums[from + i]! += strength * points[from + i]!;
      }
      return sums;
    },
    norm(_, gradient) {
      let most = 0;
      for (let at = 0; at < size; at += stride) most = Math.max(most, largest(gradient.subarray(at, at + stride)));
      return most;
    },
    reaches(tolerance, _, gradient) {
      for (let at = 0; at < size; at += stride) {
        const own = gradient.subarray(at, at + stride);
        if (Math.abs(own[width]!) > tolerance) return false;
        // No coordinate above the tolerance: then no length above √width times it, whichever way the axes are turned.
        if (lengthOf(own) > tolerance * Math.sqrt(width) || !(largest(own) <= tolerance)) return false;
      }
      return true;
    },
    precondition(problem, source, target) {
      for (let k = 0; k < together; k++) {
        const output = problem * together + k;
        const spread = priors[output]! * (1 - priors[output]!);
        const strength = penalty(output);
        const at = k * stride;
        for (let i = 0; i < width; i++) target[at + i] = source[at + i]! / (spread * variances[i]! + strength);
        target[at + width] = source[at + width]! / spread;
      }
    },
  };

  /** Length of the part of a gradient that belongs to w, in given coordinates: Q turns without changing lengths. */
  function lengthOf(gradient: Float64Array): number {
    let squares = 0;
    for (let i = 0; i < width; i++) squares += (gradient[i]! + turnedMean[i]! * gradient[width]!) ** 2;
    return Math.sqrt(squares);
  }
  function largest(gradient: Float64Array): number {
    const given = turnBack(gradient.subarray(0, width), coordinates);
    let most = Math.abs(gradient[width]!);
    for (let i = 0; i < width; i++)
      most = Math.max(most, Math.abs(given[i]! + coordinates.mean[i]! * gradient[width]!));
    return most;
  }
}

/** Qᵀ v */
function turn(vector: Float64Array, { width, axes }: Coordinates): Float64Array {
  if (axes === undefined) return vector;
  const result = new Float64Array(width);
  for (let i = 0; i < width; i++) for (let j = 0; j < width; j++) result[j]! += axes[i * width + j]! * vector[i]!;
  return result;
}

/** Q v: from a term's coordinates to those of the given rows. */
export function turnBack(vector: Float64Array, { width, axes }: Coordinates): Float64Array {
  if (axes === undefined) return vector;
  const result = new Float64Array(width);
  for (let i = 0; i < width; i++) {
    let sum = 0;
    for (let j = 0, at = i * width; j < width; j++) sum += axes[at + j]! * vector[j]!;
    result[i] = sum;
  }
  return result;
}
