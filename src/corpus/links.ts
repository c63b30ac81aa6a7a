/**
 * links.jsonl: one line a patent with what relations need, so that no text is read for them:
 * [family, [priority, filing, publication, grant], country, title print, abstract print, cites, citedBy]
 * with 0 for what is not known. A cite is a number, or [number, category, origin]. Prints are hashes of the letters and
 * digits of a text: equal prints, equal texts but for case and punctuation.
 */
import { createHash } from 'node:crypto';
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
  const title = patent.title === undefined ? '' : plain(patent.title);
  const abstract =
    patent.abstract === undefined ? '' : plain(patent.abstract.slice(0, 800)).replaceAll(' ', '').slice(0, 300);
  const line: LinkLine = [
    patent.family ?? 0,
    [priority ?? 0, filing ?? 0, publication ?? 0, grant ?? 0],
    patent.country ?? 0,
    title === '' ? 0 : [print(title), title.split(' ').length],
    abstract.length < 100 ? 0 : print(abstract),
    patent.cites.map(({ id, category, origin }) =>
      category === undefined && origin === undefined ? id : [id, category ?? 0, origin ?? 0],
    ),
    patent.citedBy,
  ];
  return JSON.stringify(line);
}

const plain = (text: string) =>
  text
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]+/gu, ' ')
    .trim();
const print = (text: string) => createHash('sha1').update(text).digest('hex').slice(0, 16);
