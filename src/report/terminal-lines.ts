/** Lines of text for a terminal of 100 columns: rows of tables, paragraphs, without control characters. */

export interface Column {
  head: string;
  width: number;
  left?: boolean;
}

const width = 100;

/** One row of a table. */
export function line(
  columns: Column[],
  texts: string[],
  paint: (text: string, index: number) => string = (text) => text,
): string {
  return columns
    .flatMap((column, index) => {
      if (column.width === 0) return [];
      const text = texts[index]!;
      const pad = ' '.repeat(Math.max(0, column.width - [...text].length));
      return column.left ? paint(text, index) + pad : pad + paint(text, index);
    })
    .join(' ')
    .trimEnd();
}

/** Names come from outside: no control characters reach the terminal. */
export function clean(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are the characters to remove
  return text.replace(/[\u0000-\u001F\u007F-\u009F]/g, ' ');
}

/** Breaks at spaces to the terminal's width. */
export function wrap(text: string): string[] {
  const lines: string[] = [];
  let current = '';
  for (const word of clean(text).split(/\s+/)) {
    if (current !== '' && current.length + 1 + word.length > width) {
      lines.push(current);
      current = word;
    } else current = current === '' ? word : `${current} ${word}`;
  }
  if (current !== '') lines.push(current);
  return lines;
}
