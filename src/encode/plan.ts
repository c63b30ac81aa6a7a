/**
 * The batch plan: which texts run through the model together. It is a function of the texts and the token budget alone,
 * never of what is cached or where a run was interrupted, so that cached and fresh, resumed and uninterrupted vectors are
 * the same bit for bit (a vector's last bits depend on the shapes of its batch).
 *
 * Texts are taken in windows in input order; a window is what is tokenised, planned, computed and stored as one piece:
 *  - memory stays bounded whatever the corpus holds, and nothing has to be spilled: 1,024 texts span all lengths densely
 *    enough that neighbours in the sorted window differ by a token or so;
 *  - while the engine works on one window the tokenising thread prepares the next. The first windows are small, so that
 *    the engine starts at once;
 *  - a corpus that grew at its end keeps its earlier windows, and with them their stored vectors.
 * Inside a window texts are sorted by length and cut into batches of at most `budget` tokens, padding counted.
 */

/** Texts of a full window. */
const windowTexts = 1024;
/** Characters after which a window closes early: bounds memory where texts are long. */
const windowCharacters = 8_000_000;
const firstWindow = 128;

/** A piece of the input: `texts` are those from row `start` on. */
export interface TextWindow {
  start: number;
  texts: string[];
}

/** The windows of a stream of texts, in input order. */
export async function* windowsOf(texts: Iterable<string> | AsyncIterable<string>): AsyncGenerator<TextWindow> {
  let window: TextWindow = { start: 0, texts: [] };
  let limit = firstWindow;
  let characters = 0;
  for await (const text of texts) {
    window.texts.push(text);
    characters += text.length;
    if (window.texts.length < limit && characters < windowCharacters) continue;
    yield window;
    window = { start: window.start + window.texts.length, texts: [] };
    limit = Math.min(windowTexts, limit * 2);
    characters = 0;
  }
  if (window.texts.length > 0) yield window;
}

/**
 * Rows by batch. Longest first (the largest buffers are made once), equal lengths by row; a batch of n texts whose longest
 * has m tokens satisfies n · m ≤ budget, or n = 1.
 */
export function planBatches(lengths: ArrayLike<number>, budget: number): Int32Array[] {
  const order = Int32Array.from(lengths, (_, row) => row).sort((a, b) => lengths[b]! - lengths[a]! || a - b);
  const batches: Int32Array[] = [];
  for (let from = 0; from < order.length; ) {
    const fitting = Math.max(1, Math.floor(budget / Math.max(1, lengths[order[from]!]!)));
    batches.push(order.slice(from, from + fitting));
    from += fitting;
  }
  return batches;
}
