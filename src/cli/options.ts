/** Parsers of options that more than one command has. */
import { InvalidArgumentError } from 'commander';
import type { SplitOptions } from '../corpus/splits.ts';
import { isView, type View, views } from '../corpus/views.ts';
import { listOption, positiveOption } from './main.ts';

export function viewOption(text: string): View {
  if (isView(text)) return text;
  throw new InvalidArgumentError(`expected one of ${views.join(', ')}`);
}

/** One of a few words. */
export function oneOf<T extends string>(...values: T[]): (text: string) => T {
  return (text) => {
    const found = values.find((value) => value === text);
    if (found === undefined) throw new InvalidArgumentError(`expected ${values.join(' or ')}`);
    return found;
  };
}

/** Several of a few words, given comma-separated, repeated, or both. */
export function someOf<T extends string>(...values: T[]): (text: string, previous?: T[]) => T[] {
  const one = oneOf(...values);
  return (text, previous = []) => [...previous, ...listOption(text).map(one)];
}

/** A number that `fits`; `expected` says which. */
export function numberOption(expected: string, fits: (value: number) => boolean): (text: string) => number {
  return (text) => {
    const value = text.trim() === '' ? Number.NaN : Number(text);
    if (!Number.isFinite(value) || !fits(value)) throw new InvalidArgumentError(`expected ${expected}`);
    return value;
  };
}

/** Whole numbers of at least 1, given comma-separated, repeated, or both. */
export function positivesOption(text: string, previous: number[] = []): number[] {
  return [...previous, ...listOption(text).map(positiveOption)];
}

/** `--split`: `family`, or the first day that is tested; the seed decides which families are. */
export function splitOption(text: string): (seed: number) => SplitOptions {
  if (text === 'family') return (seed) => ({ by: 'family', seed });
  if (/^\d{4}(-\d{2}){0,2}$/.test(text)) return () => ({ by: 'time', testFrom: text });
  throw new InvalidArgumentError('expected family or a date such as 1998-01-01');
}
