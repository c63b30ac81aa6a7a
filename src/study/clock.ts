/** Seconds and memory of a piece of work. */

export interface Spent {
  seconds: number;
  /** Largest resident set seen while it ran, of the whole process. */
  peakMemoryBytes: number;
}

/** Runs `work`, sampling memory five times a second. */
export async function measured<T>(work: () => Promise<T>): Promise<{ result: T; spent: Spent }> {
  let peak = process.memoryUsage.rss();
  const sample = () => {
    peak = Math.max(peak, process.memoryUsage.rss());
  };
  const timer = setInterval(sample, 200);
  timer.unref();
  const started = performance.now();
  try {
    const result = await work();
    sample();
    return { result, spent: { seconds: (performance.now() - started) / 1000, peakMemoryBytes: peak } };
  } finally {
    clearInterval(timer);
  }
}

/** A stopwatch for parts of a piece of work. */
export function stopwatch(): () => number {
  const started = performance.now();
  return () => (performance.now() - started) / 1000;
}
