/** What a search over one view needs and gives, whatever the system. */
import type { Progress } from '../base/progress.ts';
import type { CandidateFilter } from '../retrieve/candidates.ts';
import type { Spent } from './clock.ts';
import type { Rankings } from './rankings.ts';
import type { Cost } from './results.ts';

export interface SearchContext {
  /** How many documents a ranking holds at most. */
  depth: number;
  tieRank: Uint32Array;
  filter: CandidateFilter;
  progress: Progress;
  signal: AbortSignal | undefined;
  /** Corpus and view, for progress lines. */
  label: string;
}

export interface Searched {
  rankings: Rankings;
  cost: Omit<Cost, 'seconds' | 'peakMemoryBytes'>;
  /** What its parts cost before: a fused system has two. */
  before?: Spent;
  /** What cross-fitting chose. */
  chosen?: Record<string, unknown>;
}
