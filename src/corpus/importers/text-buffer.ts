/**
 * A window on a text stream for scanners that need a whole value in memory: what was consumed is dropped, and the window
 * grows by at least its own length, so that a value of any size is scanned a bounded number of times.
 */
import { countLines } from './text.ts';

export class TextBuffer {
  text = '';
  /** Where the unread part of `text` begins. */
  position = 0;
  /** Nothing follows `text`. */
  final = false;
  /** 1-based line of `position`. */
  line = 1;
  /** What `skipBlanks` last passed over (the first 200 characters of it). */
  blanks = '';
  private readonly chunks: AsyncIterator<string>;

  constructor(chunks: AsyncIterable<string>) {
    this.chunks = chunks[Symbol.asyncIterator]();
  }

  /** Unread characters in the window. */
  get length(): number {
    return this.text.length - this.position;
  }

  /** Reads on; false at the end of the stream. Positions change: the unread part now begins at 0. */
  async grow(): Promise<boolean> {
    if (this.final) return false;
    const left = this.text.slice(this.position);
    const parts = [left];
    let length = 0;
    while (length <= left.length) {
      const { value, done } = await this.chunks.next();
      if (done === true) {
        this.final = true;
        break;
      }
      parts.push(value);
      length += value.length;
    }
    this.text = parts.join('');
    this.position = 0;
    return length > 0;
  }

  /** Consumes up to `end` (a position in `text`). */
  advance(end: number): void {
    if (end <= this.position) return;
    // Only what is consumed is looked at for line ends, each character once.
    this.line += countLines(this.text.slice(this.position, end));
    this.position = end;
  }

  /** Moves to the first character that is not a blank and gives it; '' at the end. */
  async skipBlanks(): Promise<string> {
    this.blanks = '';
    for (;;) {
      let i = this.position;
      while (i < this.text.length && isBlank(this.text.charCodeAt(i))) i++;
      if (this.blanks.length < 200) this.blanks += this.text.slice(this.position, Math.min(i, this.position + 200));
      this.advance(i);
      if (i < this.text.length) return this.text[i]!;
      if (!(await this.grow())) return '';
    }
  }

  /** Closes the stream; to be called once nothing more is read. */
  async close(): Promise<void> {
    await this.chunks.return?.(undefined);
  }
}

function isBlank(code: number): boolean {
  return code === 0x20 || (code >= 0x09 && code <= 0x0d) || code === 0xfeff;
}
