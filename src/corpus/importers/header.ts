/**
 * Where the header of a table stands. Exports often begin with lines about the search (Espacenet, Google Patents, WIPO):
 * the header is the first of the early rows in which two or more column names are known, else the first row as wide as
 * most rows are.
 */
import { isKnownColumn } from '../columns.ts';

/** Rows looked at. */
const EARLY = 30;

/** Index of the header row; -1 where every row is empty. */
export function findHeader(rows: readonly (readonly string[])[]): number {
  const early = rows.slice(0, EARLY);
  const known = early.findIndex((row) => knownNames(row) >= 2);
  if (known >= 0) return known;
  const widths = new Map<number, number>();
  for (const row of early) {
    const width = filledWidth(row);
    if (width > 0) widths.set(width, (widths.get(width) ?? 0) + 1);
  }
  const usual = [...widths].sort((a, b) => b[1] - a[1] || b[0] - a[0])[0]?.[0];
  return usual === undefined ? -1 : early.findIndex((row) => filledWidth(row) >= usual);
}

export function knownNames(row: readonly string[]): number {
  return row.filter((name) => name.length < 80 && isKnownColumn(name)).length;
}

/** Column names as keys: trimmed, a missing one named by its place, a repeated one numbered. */
export function columnNames(header: readonly string[]): string[] {
  const seen = new Map<string, number>();
  return header.map((cell, index) => {
    const written = cell.replace(/\s+/g, ' ').trim();
    const name = written === '' || written === '__proto__' ? `column ${index + 1}` : written;
    const count = (seen.get(name) ?? 0) + 1;
    seen.set(name, count);
    return count === 1 ? name : `${name} (${count})`;
  });
}

function filledWidth(row: readonly string[]): number {
  let width = row.length;
  while (width > 0 && row[width - 1]!.trim() === '') width--;
  return width;
}
