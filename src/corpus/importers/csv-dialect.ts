/**
 * The dialect of a delimited file, from its head: each delimiter is tried on the first records, with and without
 * quoting; the one under which most records have the same number of fields wins, known column names counting most.
 */

import { type Dialect, scanRecord } from './csv-scanner.ts';
import { findHeader, knownNames } from './header.ts';

const DELIMITERS = [',', ';', '\t', '|'] as const;

export interface DetectedDialect extends Dialect {
  /** Records before the header, to be passed over. */
  preamble: number;
  /** Lone `\r` ends a line (old Macintosh files). */
  carriageReturns: boolean;
  /** 0..1: how much the head looks like a table in this dialect. */
  score: number;
}

/** Records looked at. */
const RECORDS = 60;

/** `whole`: `head` is the whole file, so that its last line is complete. */
export function detectDialect(head: string, whole: boolean, delimiter?: string): DetectedDialect {
  const carriageReturns = !head.includes('\n') && head.includes('\r');
  const text = carriageReturns ? head.replaceAll('\r', '\n') : head;
  const announced = /^sep=(.)\r?\n/i.exec(text)?.[1];
  const wanted = delimiter ?? announced;
  let best: DetectedDialect | undefined;
  for (const candidate of wanted === undefined ? DELIMITERS : [wanted]) {
    const quoted = tried(text, whole, { delimiter: candidate, quoted: true }, announced);
    const chosen = (candidate === '\t' || candidate === '|') && plainQuotes(text, whole, candidate, quoted, announced);
    const found = chosen || quoted;
    if (best === undefined || found.score > best.score + 1e-9) {
      const { header, score, dialect } = found;
      best = { ...dialect, preamble: Math.max(0, header), carriageReturns, score };
    }
  }
  return best!;
}

interface Trial {
  dialect: Dialect;
  records: string[][];
  header: number;
  score: number;
}

function tried(text: string, whole: boolean, dialect: Dialect, announced: string | undefined): Trial {
  const records = headRecords(text, whole, dialect);
  const header = announced === undefined ? findHeader(records) : 1;
  return { dialect, records, header, score: consistency(records.slice(Math.max(0, header))) };
}

/**
 * The trial without quoting, where quotes are plain characters of the file: no field is enclosed with doubled quotes
 * inside, and quoting breaks two rows or more that are sound without it. One odd row decides nothing.
 */
function plainQuotes(
  text: string,
  whole: boolean,
  delimiter: string,
  quoted: Trial,
  announced: string | undefined,
): Trial | false {
  const plain = tried(text, whole, { delimiter, quoted: false }, announced);
  if (plain.records.some((record) => record.some((field) => /^".*"".*"$/s.test(field)))) return false;
  return misfits(quoted) - misfits(plain) >= 2 && plain;
}

function misfits({ records, header }: Trial): number {
  const width = records[Math.max(0, header)]?.length ?? 0;
  return records.slice(header + 1).filter((record) => record.length !== width).length;
}

function headRecords(text: string, whole: boolean, dialect: Dialect): string[][] {
  const records: string[][] = [];
  let position = 0;
  while (position < text.length && records.length < RECORDS) {
    const scan = scanRecord(text, position, whole, dialect);
    if (scan.state === 'record') {
      records.push(scan.fields);
      position = scan.end;
      continue;
    }
    if (scan.state === 'more') break;
    const next = text.indexOf('\n', position);
    if (next < 0) break;
    records.push([]);
    position = next + 1;
  }
  return records;
}

function consistency(records: readonly (readonly string[])[]): number {
  const width = records[0]?.length ?? 0;
  if (width < 2) return width === 1 && knownNames(records[0]!) === 1 ? 0.05 : 0;
  const filled = records.filter((record) => record.length !== 1 || record[0]!.trim() !== '');
  const share = filled.filter((record) => record.length === width).length / filled.length;
  const known = knownNames(records[0]!) / width;
  return 0.6 * share + 0.3 * Math.min(1, known * 2) + 0.1 * (1 - 1 / width);
}
