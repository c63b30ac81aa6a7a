/**
 * links.jsonl: one line a patent with what relations need, so that no text is read for them:
 * [family, [priority, filing, publication, grant], country, title print, abstract print, cites, citedBy]
 * with 0 for what is not known. A cite is a number, or [number, category, origin]. Prints are hashes of the letters and
 * digits of a text: equal prints, equal texts but for case and punctuation.
 */
import type { Patent } from './record.ts';

type Maybe<T> = T | 0;

export type LinkedCite = string | [id: string, category: Maybe<string>, origin: Maybe<string>];

export type LinkLine = [
  family: Maybe<string>,
  dates: [priority: Maybe<string>, filing: Maybe<string>, publication: Maybe<string>, grant: Maybe<string>],
  country: Maybe<string>,
  /** Hash, then the number of words. */
  title: Maybe<[string, number]>,
  /** Of its first 300 letters and digits; 0 where it has fewer than 100. */
  abstract: Maybe<string>,
  cites: LinkedCite[],
  citedBy: string[],
];

export function linkLine(patent: Patent): string {
  const { priority, filing, publication, grant } = patent.dates;
  const title = printOf(patent.title ?? '', Number.POSITIVE_INFINITY);
  const abstract = printOf(patent.abstract ?? '', 300);
  const line: LinkLine = [
    patent.family ?? 0,
    [priority ?? 0, filing ?? 0, publication ?? 0, grant ?? 0],
    patent.country ?? 0,
    title.letters === 0 ? 0 : [title.print, title.words],
    abstract.letters < 100 ? 0 : abstract.print,
    patent.cites.map(({ id, category, origin }) =>
      category === undefined && origin === undefined ? id : [id, category ?? 0, origin ?? 0],
    ),
    patent.citedBy,
  ];
  return JSON.stringify(line);
}

/** 64-bit hash of the first `limit` letters and digits in lower case; all characters beyond ASCII count as letters. */
function printOf(text: string, limit: number): { print: string; letters: number; words: number } {
  const lower = text.toLowerCase();
  let a = 0x811c9dc5;
  let b = 0x2545f491;
  let letters = 0;
  let words = 0;
  let inWord = false;
  for (let i = 0; i < lower.length && letters < limit; i++) {
    const unit = lower.charCodeAt(i);
    const isLetter = (unit >= 97 && unit <= 122) || (unit >= 48 && unit <= 57) || (unit > 127 && unit !== 0xa0);
    if (isLetter) {
      a = Math.imul(a ^ unit, 0x01000193);
      a = (a << 13) | (a >>> 19);
      b = Math.imul(b ^ unit, 0x9e3779b1);
      b = (b << 17) | (b >>> 15);
      letters++;
      if (!inWord) words++;
    }
    inWord = isLetter;
  }
  return { print: (a >>> 0).toString(36) + (b >>> 0).toString(36).padStart(7, '0'), letters, words };
}
