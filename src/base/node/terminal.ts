/**
 * Progress on stderr: on a terminal one line that is redrawn (count, rate, time left); otherwise JSON lines, at most one
 * every two seconds, so that a log or another program can read them. Never on stdout.
 */
import type { Progress, ProgressTask } from '../progress.ts';

interface Stream {
  isTTY?: boolean;
  columns?: number;
  write(text: string): unknown;
}

export function terminalProgress(output: Stream, now: () => number = () => performance.now()): Progress {
  return output.isTTY ? lineProgress(output, now) : jsonProgress(output, now);
}

function lineProgress(output: Stream, now: () => number): Progress {
  const clear = '\r\u001b[2K';
  return {
    say: (message) => output.write(`${clear}${message}\n`),
    begin: (label, options) =>
      task(label, options, now, 100, (state, last) => {
        const line = describe(state).slice(0, (output.columns ?? 80) - 1);
        output.write(last ? `${clear}${line}\n` : clear + line);
      }),
  };
}

function jsonProgress(output: Stream, now: () => number): Progress {
  return {
    say: (message) => output.write(`${JSON.stringify({ message })}\n`),
    begin: (label, options) =>
      task(label, options, now, 2000, (state) => {
        const { rate, secondsLeft, ...rest } = state;
        output.write(
          `${JSON.stringify({ progress: rest.label, ...rest, label: undefined, rate: round(rate), secondsLeft: round(secondsLeft) })}\n`,
        );
      }),
  };
}

interface TaskState {
  label: string;
  done: number;
  total?: number;
  unit?: string;
  rate?: number;
  secondsLeft?: number;
  note?: string;
  finished?: boolean;
}

function task(
  label: string,
  options: { total?: number; unit?: string } = {},
  now: () => number,
  every: number,
  draw: (state: TaskState, last: boolean) => void,
): ProgressTask {
  const started = now();
  const state: TaskState = { label, done: 0, ...options };
  let drawn = started;
  const measure = () => {
    const seconds = (now() - started) / 1000;
    if (seconds > 0 && state.done > 0) {
      state.rate = state.done / seconds;
      if (state.total !== undefined) state.secondsLeft = Math.max(0, (state.total - state.done) / state.rate);
    }
  };
  return {
    advance(amount = 1, note) {
      state.done += amount;
      if (note !== undefined) state.note = note;
      if (now() - drawn < every) return;
      drawn = now();
      measure();
      draw(state, false);
    },
    total(total) {
      state.total = total;
    },
    finish(note) {
      measure();
      delete state.secondsLeft;
      state.finished = true;
      if (note !== undefined) state.note = note;
      draw(state, true);
    },
  };
}

function describe(state: TaskState): string {
  const { label, done, total, unit = '', rate, secondsLeft, note } = state;
  const parts = [`${label}  ${count(done)}${total === undefined ? '' : ` of ${count(total)}`}${unit && ` ${unit}`}`];
  if (rate !== undefined) parts.push(`${rate >= 10 ? count(Math.round(rate)) : rate.toFixed(1)}/s`);
  if (secondsLeft !== undefined && !state.finished) parts.push(`${duration(secondsLeft)} left`);
  if (note) parts.push(note);
  return parts.join('  ');
}

const count = (value: number) => value.toLocaleString('en-US');
const round = (value: number | undefined) => (value === undefined ? undefined : Math.round(value * 10) / 10);

/** `8 s`, `3 min`, `2 h 05 min`. */
export function duration(seconds: number): string {
  if (seconds < 90) return `${Math.round(seconds)} s`;
  if (seconds < 5400) return `${Math.round(seconds / 60)} min`;
  const minutes = Math.round(seconds / 60);
  return `${Math.floor(minutes / 60)} h ${String(minutes % 60).padStart(2, '0')} min`;
}
