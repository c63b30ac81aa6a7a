/**
 * Progress of long work as data. Whoever works calls `advance`; whoever shows it (a terminal line, JSON lines on stderr,
 * nothing) implements the interface. Portable; the terminal's form is `base/node/terminal.ts`.
 */

export interface ProgressTask {
  /** More of the task is done; `note` is a short word on what is happening. */
  advance(amount?: number, note?: string): void;
  /** The total became known or changed. */
  total(total: number): void;
  finish(note?: string): void;
}

export interface Progress {
  /** `unit` is a plural noun: `patents`, `texts`, `queries`. */
  begin(label: string, options?: { total?: number; unit?: string }): ProgressTask;
  /** A line worth reading once (an estimate, a warning); never part of the result. */
  say(message: string): void;
}

const silentTask: ProgressTask = { advance() {}, total() {}, finish() {} };

export const silent: Progress = { begin: () => silentTask, say() {} };
