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
