/**
 * Where a text's tokens are cut into passages: windows of equal length that overlap. The last one is moved back so that it
 * is as long as the others and ends with the text: a window of a few tokens would be a poor text, and as loud as a full one
 * where the best of a document counts.
 */

export interface PassageWindows {
  /** Tokens of a passage, special tokens and prompt counted: as a length limit is. */
  size: number;
  /** Tokens of the text that a passage shares with the one before. */
  overlap: number;
  /** At most so many passages of a text, the first ones. Default: all. */
  most?: number;
}

/** [from, to) of each window over `count` tokens, `room` in each; one window where all fit, however few. */
export function passageSpans(count: number, room: number, overlap: number): [from: number, to: number][] {
  const spans: [number, number][] = [];
  for (let from = 0; ; from += room - overlap) {
    if (from + room >= count) {
      spans.push([Math.max(0, count - room), count]);
      return spans;
    }
    spans.push([from, from + room]);
  }
}
