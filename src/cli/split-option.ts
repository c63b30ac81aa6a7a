/** `--split`: how a corpus is divided into what trains and what is tested. */
import { InvalidArgumentError } from 'commander';
import type { SplitOptions } from '../corpus/splits.ts';

/** Parses `family`, or the first day that is tested; the seed decides which families are. */
export function splitOption(text: string): (seed: number) => SplitOptions {
  if (text === 'family') return (seed) => ({ by: 'family', seed });
  if (/^\d{4}(-\d{2}){0,2}$/.test(text)) return () => ({ by: 'time', testFrom: text });
  throw new InvalidArgumentError('expected family or a date such as 1998-01-01');
}
