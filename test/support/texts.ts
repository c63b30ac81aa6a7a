/** Texts for tests: the real ultrasound patents where they are, and generators of nasty ones. */
import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { createGunzip } from 'node:zlib';
import fc from 'fast-check';
import { realData } from './data.ts';

export interface UltrasoundRow {
  id: string;
  title: string | null;
  abstract: string | null;
  text: string | null;
}

/** Rows of `ultrasound_us.jsonl.gz` in file order. */
export async function* ultrasound(limit = Number.POSITIVE_INFINITY): AsyncGenerator<UltrasoundRow> {
  const lines = createInterface({ input: createReadStream(realData('ultrasound_us.jsonl.gz')).pipe(createGunzip()) });
  let count = 0;
  for await (const line of lines) {
    if (count++ >= limit) return;
    yield JSON.parse(line) as UltrasoundRow;
  }
}

/** Title, abstract and body, one after another. */
export const wholeText = ({ title, abstract, text }: UltrasoundRow): string =>
  [title, abstract, text].filter(Boolean).join('\n');

/** Title and abstract. */
export const titleAbstract = ({ title, abstract }: UltrasoundRow): string =>
  [title, abstract].filter(Boolean).join('\n');

const words = fc.constantFrom(
  'transducer', 'a', 'The', 'said', 'lens', 'FIG. 3A', '5.0', 'MHz', '10-20', 'µm', '°C', 'e.g.', 'piezo-electric', "patient's",
  'ΣΑΣ', 'NΣ', 'Ångström', 'naïve', 'ß', 'İ', 'ﬁbre', '変換器', '𠀀', '超音波', 'Ультразвук', 'موجات', '초음파', 'e\u0301', '\u200b', '[SEP]',
  '</s>', '<mask>', '...', '—', '(a)', '½', 'H₂O', '\ufffd', '\u0000', '🩺',
); // biome-ignore format: one list
const gaps = fc.constantFrom(' ', ' ', ' ', ' ', '  ', '\n', '\n\n', '\t', ' \n ', '\u00a0', '', ',', '; ');

/** Running text with the signs and scripts that patents and their scans hold. */
export const oddText: fc.Arbitrary<string> = fc
  .array(fc.tuple(words, gaps), { maxLength: 120 })
  .map((parts) => parts.map(([word, gap]) => word + gap).join(''));
