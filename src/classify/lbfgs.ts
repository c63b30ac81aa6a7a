/**
 * L-BFGS (Nocedal & Wright 2006, algorithm 7.4) for many smooth convex problems at once: every round asks for the gradients
 * of all problems that are still open in one call, so that their products become one large one.
 *
 *   d = -H g,   H by the two-loop recursion over the last `memory` pairs (s, y), started from the problem's own
 *   approximate inverse Hessian H0 times γ = sᵀy / yᵀ H0 y (the newest pair's);  x ← x + α d
 *
 * The step α is found from slopes φ'(α) = gᵀd alone, no objective is computed: float32 products give gradients to seven
 * digits, while near the minimum the objective's change would drown in its rounding. A step is taken where
 *
 *   0.9 φ'(0) ≤ φ'(α) ≤ 0.8 |φ'(0)|
 *
 * the approximate Wolfe conditions (Hager & Zhang 2005, δ = 0.1, σ = 0.9); φ being convex, a step with φ'(α) ≤ 0 never makes
 * the objective larger. α = 1 is tried first, brackets shrink by the secant rule. What certifies the result is the gradient
 * at its end.
 *
 * Points are rounded to float32 before their gradient is asked for, so that the gradient belongs to the point it stands for.
 */

export interface ConvexProblems {
  readonly problems: number;
  /** Length of each one's point. */
  readonly size: number;
  /** Gradients [asked, size] at `points` [asked, size] (float32 values) of the problems asked for (ascending). */
  gradients(asked: Int32Array, points: Float32Array): Promise<Float64Array>;
  /** What is to come to the tolerance or below, and whether it has (which may be quicker to tell). */
  norm(problem: number, gradient: Float64Array): number;
  reaches(tolerance: number, problem: number, gradient: Float64Array): boolean;
  /** target = H0 source: an approximate inverse Hessian, symmetric and positive. */
  precondition(problem: number, source: Float64Array, target: Float64Array): void;
  /** Where each one starts, [problems, size]. */
  start(): Float32Array;
}

export interface MinimiseOptions {
  tolerance: number;
  maxIterations: number;
  /** Pairs kept; default 10. */
  memory?: number;
  signal?: AbortSignal | undefined;
  /** Told of each round: problems still open. */
  onRound?: (open: number) => void;
}

export interface Minimum {
  /** [problems, size] */
  readonly points: Float32Array;
  /** [problems] */
  readonly iterations: Int32Array;
  /** [problems] norm of the gradient at the point */
  readonly norms: Float64Array;
  /** Rounds, each one call of `gradients`. */
  readonly rounds: number;
}

/** Trials of one line search; a search that ends without a step means that rounding is all that is left. */
const mostTrials = 30;
const steepest = 0.9;
const uphill = 0.8;

/** Minimises each problem until its norm is not above the tolerance, its iterations are spent, or no step is found. */
export async function minimise(problems: ConvexProblems, options: MinimiseOptions): Promise<Minimum> {
  const { size } = problems;
  const points = problems.start();
  const searches = Array.from(
    { length: problems.problems },
    (_, problem) => new Search(problems, problem, points.subarray(problem * size, (problem + 1) * size), options),
  );
  let rounds = 0;
  for (let open = searches; open.length > 0; open = open.filter((search) => !search.done)) {
    options.signal?.throwIfAborted();
    options.onRound?.(open.length);
    const trials = new Float32Array(open.length * size);
    open.forEach((search, i) => {
      search.trial(trials.subarray(i * size, (i + 1) * size));
    });
    const asked = Int32Array.from(open, ({ problem }) => problem);
    const gradients = await problems.gradients(asked, trials);
    open.forEach((search, i) => {
      const at = i * size;
      search.take(trials.subarray(at, at + size), gradients.subarray(at, at + size));
    });
    rounds++;
  }
  return {
    points,
    iterations: Int32Array.from(searches, ({ iterations }) => iterations),
    norms: Float64Array.from(searches, ({ norm }) => norm),
    rounds,
  };
}

/** One problem on its way: asked for the next point to look at, then given the gradient there. */
class Search {
  readonly problem: number;
  iterations = 0;
  norm = Number.NaN;
  done = false;
  private readonly problems: ConvexProblems;
  private readonly options: MinimiseOptions;
  private readonly point: Float32Array;
  private gradient: Float64Array | undefined;
  private direction: Float64Array = new Float64Array(0);
  private history: Pair[] = [];
  /** Slope along the direction at step 0, the step on trial, and the bracket around the step looked for. */
  private slope = 0;
  private step = 1;
  private low = { step: 0, slope: 0 };
  private high: { step: number; slope: number } | undefined;
  private trials = 0;

  constructor(problems: ConvexProblems, problem: number, point: Float32Array, options: MinimiseOptions) {
    this.problems = problems;
    this.problem = problem;
    this.point = point;
    this.options = options;
  }

  trial(target: Float32Array): void {
    if (this.gradient === undefined) target.set(this.point);
    else for (let i = 0; i < target.length; i++) target[i] = this.point[i]! + this.step * this.direction[i]!;
  }

  take(trial: Float32Array, gradient: Float64Array): void {
    if (this.gradient === undefined) {
      this.arrive(gradient.slice());
      return;
    }
    let slope = 0;
    for (let i = 0; i < gradient.length; i++) slope += gradient[i]! * this.direction[i]!;
    if (slope >= steepest * this.slope && slope <= -uphill * this.slope) {
      this.remember(trial, gradient);
      this.point.set(trial);
      this.iterations++;
      this.arrive(gradient.slice());
    } else if (++this.trials === mostTrials || !Number.isFinite(slope)) this.restart();
    else {
      if (slope < 0) this.low = { step: this.step, slope };
      else this.high = { step: this.step, slope };
      this.step = this.nextStep();
    }
  }

  /** At a new point: stops, or sets out from it. */
  private arrive(gradient: Float64Array): void {
    this.gradient = gradient;
    const { tolerance, maxIterations } = this.options;
    if (this.problems.reaches(tolerance, this.problem, gradient) || this.iterations >= maxIterations) this.finish();
    else this.aim();
  }

  private finish(): void {
    this.norm = this.problems.norm(this.problem, this.gradient!);
    this.done = true;
    this.history = [];
    this.direction = new Float64Array(0);
  }

  /** A direction that rounding has spoilt: once more without memory, then no more. */
  private restart(): void {
    if (this.history.length === 0) this.finish();
    else {
      this.history = [];
      this.aim();
    }
  }

  private aim(): void {
    const gradient = this.gradient!;
    this.direction = this.descent(gradient);
    let slope = 0;
    for (let i = 0; i < gradient.length; i++) slope += gradient[i]! * this.direction[i]!;
    if (!(slope < 0)) {
      this.restart();
      return;
    }
    this.slope = slope;
    this.low = { step: 0, slope };
    this.high = undefined;
    this.step = 1;
    this.trials = 0;
  }

  private nextStep(): number {
    const { low, high } = this;
    if (high === undefined) {
      // Where the slope, a straight line through both ends, is 0; between twice and ten times as far.
      const secant = (this.step * this.slope) / (this.slope - low.slope);
      return Math.min(10 * this.step, Math.max(2 * this.step, Number.isFinite(secant) ? secant : 0));
    }
    const width = high.step - low.step;
    const secant = low.step - (low.slope * width) / (high.slope - low.slope);
    return Math.min(high.step - 0.1 * width, Math.max(low.step + 0.1 * width, secant));
  }

  private remember(trial: Float32Array, gradient: Float64Array): void {
    const size = trial.length;
    const change = new Float32Array(size); // s
    const turn = new Float32Array(size); // y
    let product = 0;
    let lengths = 0;
    for (let i = 0; i < size; i++) {
      const s = trial[i]! - this.point[i]!;
      const y = gradient[i]! - this.gradient![i]!;
      change[i] = s;
      turn[i] = y;
      product += s * y;
      lengths += y * y;
    }
    if (!(product > 1e-12 * lengths)) return;
    const applied = new Float64Array(size);
    this.problems.precondition(this.problem, Float64Array.from(turn), applied);
    let curvature = 0;
    for (let i = 0; i < size; i++) curvature += turn[i]! * applied[i]!;
    if (this.history.length === (this.options.memory ?? 10)) this.history.shift();
    this.history.push({ change, turn, product, scale: product / curvature });
  }

  /** -H g */
  private descent(gradient: Float64Array): Float64Array {
    const { history } = this;
    const left = gradient.slice();
    const factors = new Float64Array(history.length);
    for (let k = history.length - 1; k >= 0; k--) {
      const { change, turn, product } = history[k]!;
      let sum = 0;
      for (let i = 0; i < left.length; i++) sum += change[i]! * left[i]!;
      const factor = sum / product;
      factors[k] = factor;
      for (let i = 0; i < left.length; i++) left[i]! -= factor * turn[i]!;
    }
    const direction = new Float64Array(left.length);
    this.problems.precondition(this.problem, left, direction);
    const scale = history.at(-1)?.scale ?? 1;
    for (let i = 0; i < direction.length; i++) direction[i]! *= -scale;
    for (let k = 0; k < history.length; k++) {
      const { change, turn, product } = history[k]!;
      let sum = 0;
      for (let i = 0; i < left.length; i++) sum += turn[i]! * direction[i]!;
      const factor = sum / product + factors[k]!;
      for (let i = 0; i < left.length; i++) direction[i]! -= factor * change[i]!;
    }
    return direction;
  }
}

interface Pair {
  change: Float32Array;
  turn: Float32Array;
  /** sᵀy */
  product: number;
  /** γ */
  scale: number;
}
