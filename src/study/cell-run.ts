/**
 * One call's way through its cells, of whatever task: finished ones are found, missing ones computed, each under its lock; no
 * further one is begun after `maxTime`.
 */
import type { Estimate } from '../metrics/types.ts';
import type { EvaluateSettings } from './evaluate-options.ts';
import type { LeasedFolders } from './lease.ts';

/** Cells of one kind on disk. */
interface Store<Cell> extends LeasedFolders {
  load(hash: string): Promise<Cell | undefined>;
}

export class CellRun {
  /** Cells computed; the others were found finished. */
  computed = 0;
  private readonly settings: EvaluateSettings;
  private readonly started = performance.now();
  private readonly late: string[] = [];

  constructor(settings: EvaluateSettings) {
    this.settings = settings;
  }

  /** The cell, computed and stored by `compute` where it is missing; undefined where the time was spent before. */
  async cell<Cell>(
    store: Store<Cell>,
    hash: string,
    name: string,
    compute: () => Promise<Cell>,
    line: (cell: Cell) => string,
  ): Promise<Cell | undefined> {
    const { maxTime, signal, onCell } = this.settings;
    signal?.throwIfAborted();
    let cell = await store.load(hash);
    if (cell === undefined) {
      if (maxTime !== undefined && (performance.now() - this.started) / 1000 > maxTime) {
        this.late.push(name);
        return undefined;
      }
      const work = async () => {
        const meanwhile = await store.load(hash);
        if (meanwhile !== undefined) return meanwhile;
        this.computed++;
        return compute();
      };
      cell = await store.alone(hash, work, this.settings);
    }
    onCell?.(`${name}: ${line(cell)}`);
    return cell;
  }

  /** What the report must say of cells that were not begun. */
  get warnings(): string[] {
    if (this.late.length === 0) return [];
    return [`--max-time ended the run before: ${this.late.join('; ')}. The same command goes on from here.`];
  }
}

/** `0.1234 [0.1000, 0.1500]`, for a line on a cell. */
export function estimateText({ value, lower, upper }: Estimate): string {
  return `${value.toFixed(4)}${Number.isNaN(lower) ? '' : ` [${lower.toFixed(4)}, ${upper.toFixed(4)}]`}`;
}
