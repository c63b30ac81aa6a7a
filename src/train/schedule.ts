/**
 * Learning-rate schedules: the factor of the base rate at each update, as transformers' get_*_schedule_with_warmup. With
 * N steps, of which w are warm-up, and s = step − 1 updates done before this one:
 *
 *   warm-up   s / w                                for s < w: the first update's rate is 0, as there
 *   constant  1
 *   linear    (N − s) / (N − w)
 *   cosine    (1 + cos(π (s − w) / (N − w))) / 2,  mixed with `floor`: f (1 − floor) + floor
 */
import { inputError } from '../base/errors.ts';

export interface ScheduleOptions {
  kind: 'constant' | 'linear' | 'cosine';
  /** Updates of the whole training. */
  steps: number;
  /** Updates of warm-up; not together with `warmupRatio`. Default 0. */
  warmupSteps?: number;
  /** Their share of all steps, 0 to 1, rounded up. */
  warmupRatio?: number;
  /** Where the cosine ends, as a factor. Default 0. */
  floor?: number;
}

/** The factor of the learning rate at update `step`, counted from 1. A pure function of the step. */
export function schedule(options: ScheduleOptions): (step: number) => number {
  const { kind, steps, warmupSteps, warmupRatio, floor = 0 } = options;
  const check = (field: string, value: number, fits: boolean, expected: string) => {
    if (!fits)
      throw inputError(`the schedule's ${field} is wrong`, {
        code: 'train.schedule',
        field,
        expected,
        found: String(value),
      });
  };
  check('steps', steps, Number.isInteger(steps) && steps >= 1, 'a whole number from 1');
  if (warmupRatio !== undefined) {
    check('warmupRatio', warmupRatio, warmupRatio >= 0 && warmupRatio <= 1, '0 to 1');
    check('warmupRatio', warmupRatio, warmupSteps === undefined, 'either warmupSteps or warmupRatio');
  }
  const warmup = warmupSteps ?? Math.ceil(steps * (warmupRatio ?? 0));
  check('warmupSteps', warmup, Number.isInteger(warmup) && warmup >= 0, 'a whole number from 0');
  check('floor', floor, floor >= 0 && floor <= 1 && (floor === 0 || kind === 'cosine'), '0 to 1, of a cosine');
  return (step) => {
    const done = step - 1;
    if (done < warmup) return done / Math.max(1, warmup);
    if (kind === 'constant') return 1;
    const rest = Math.max(1, steps - warmup);
    if (kind === 'linear') return Math.max(0, (steps - done) / rest);
    const wave = 0.5 * (1 + Math.cos((Math.PI * 0.5 * 2 * (done - warmup)) / rest));
    return Math.max(0, wave * (1 - floor) + floor);
  };
}
