/**
 * Runs a generator ahead of its consumer: while one item is worked on, the next `depth` are being made. Order is kept; an
 * error reaches the consumer where its item would have stood; leaving the loop early ends the generator.
 */
export async function* ahead<T>(items: AsyncGenerator<T>, depth: number): AsyncGenerator<T> {
  const pending: Promise<IteratorResult<T>>[] = [];
  const request = () => {
    const next = items.next();
    next.catch(() => {}); // reported when its turn comes
    pending.push(next);
  };
  try {
    for (let i = 0; i <= depth; i++) request();
    for (;;) {
      const result = await pending.shift()!;
      if (result.done) return;
      request();
      yield result.value;
    }
  } finally {
    await Promise.allSettled([...pending, items.return(undefined)]);
  }
}

/**
 * Results of `run` over the items, in order, with up to `width` under way at a time. `run` gives nothing where it will start
 * no more: the results end there. Leaving early waits for what is under way.
 */
export async function* inFlight<T, R>(
  items: readonly T[],
  width: number,
  run: (item: T) => Promise<R> | undefined,
): AsyncGenerator<R> {
  const pending: Promise<R>[] = [];
  let next = 0;
  const fill = () => {
    while (pending.length < width && next < items.length) {
      const started = run(items[next]!);
      if (started === undefined) {
        next = items.length;
        return;
      }
      started.catch(() => {}); // reported when its turn comes
      pending.push(started);
      next++;
    }
  };
  try {
    for (fill(); pending.length > 0; fill()) yield await pending.shift()!;
  } finally {
    await Promise.allSettled(pending);
  }
}
