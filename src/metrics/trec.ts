/**
 * TREC text formats, streamed: judgements (`topic iteration document relevance`) and runs
 * (`topic Q0 document rank score tag`). Fields are separated by white space, lines in any order; blank lines and lines that
 * begin with `#` are skipped, and so is whatever follows the tag of a run. A bad line stops the reading with an error that
 * names file, line and field. Text comes in chunks cut anywhere, so that a file never has to be held as one string.
 */
import { inputError, quoteFound } from '../base/errors.ts';
import type { Judgements, Run } from './types.ts';

type Chunks = Iterable<string> | AsyncIterable<string>;

/** A run as read, with the tag of its last line (trec_eval's `runid`). */
export interface TaggedRun {
  run: Run;
  tag: string;
}

const maxFields = 6;

/** One line under the reader's eye: offsets of its first fields in `text`. Reused from line to line. */
class Line {
  text = '';
  number = 0;
  fields = 0;
  readonly from = new Int32Array(maxFields);
  readonly to = new Int32Array(maxFields);

  field(index: number): string {
    return this.text.slice(this.from[index]!, this.to[index]!);
  }

  /** Whether a field equals a string, without cutting it out. */
  is(index: number, value: string): boolean {
    return this.to[index]! - this.from[index]! === value.length && this.text.startsWith(value, this.from[index]!);
  }

  whole(): string {
    return this.fields === 0 ? '' : this.text.slice(this.from[0]!, this.to[Math.min(this.fields, maxFields) - 1]!);
  }
}

/** Reads judgements. Throws `trec.columns`, `trec.relevance`, `trec.duplicate` or `trec.empty`. */
export async function readJudgements(chunks: Chunks, { file }: { file: string }): Promise<Judgements> {
  const judgements: Judgements = new Map();
  let topic: string | undefined;
  let judged = new Map<string, number>();
  await eachLine(chunks, (line) => {
    if (line.fields !== 4) {
      throw inputError(`a line of judgements has ${line.fields} columns`, {
        code: 'trec.columns',
        file,
        line: line.number,
        expected: 'four columns: topic, iteration (ignored), document, relevance',
        found: quoteFound(line.whole()),
        hint: line.fields === 3 ? 'put a column of zeros between topic and document' : 'repair or remove the line',
      });
    }
    if (topic === undefined || !line.is(0, topic)) {
      topic = line.field(0);
      judged = judgements.get(topic) ?? new Map<string, number>();
      judgements.set(topic, judged);
    }
    const gain = wholeNumber(line, 3);
    if (gain === undefined) {
      throw inputError('a relevance is not a whole number', {
        code: 'trec.relevance',
        file,
        line: line.number,
        field: 'relevance',
        expected: 'a whole number such as 0, 1, 2 or -1',
        found: quoteFound(line.field(3)),
      });
    }
    const before = judged.size;
    const document = line.field(2);
    judged.set(document, gain);
    if (judged.size === before) throw duplicate(file, line.number, topic, document);
  });
  if (judgements.size === 0) throw empty(file, 'judgement', 'topic 0 document relevance');
  return judgements;
}

interface Entries {
  documents: string[];
  scores: number[];
  lines: number[];
}

/** Reads a run. Throws `trec.columns`, `trec.score`, `trec.duplicate` or `trec.empty`. */
export async function readRun(chunks: Chunks, { file }: { file: string }): Promise<TaggedRun> {
  const topics = new Map<string, Entries>();
  let topic: string | undefined;
  let entries: Entries = { documents: [], scores: [], lines: [] };
  let tag = '';
  await eachLine(chunks, (line) => {
    if (line.fields < 6) {
      throw inputError(`a line of the run has ${line.fields} columns`, {
        code: 'trec.columns',
        file,
        line: line.number,
        expected: 'six columns: topic, Q0, document, rank, score, tag',
        found: quoteFound(line.whole()),
        hint: 'repair or remove the line',
      });
    }
    if (topic === undefined || !line.is(0, topic)) {
      topic = line.field(0);
      entries = topics.get(topic) ?? { documents: [], scores: [], lines: [] };
      topics.set(topic, entries);
    }
    const score = decimal(line, 4);
    if (!Number.isFinite(score)) {
      throw inputError('a score is not a number', {
        code: 'trec.score',
        file,
        line: line.number,
        field: 'score',
        expected: 'a finite number',
        found: quoteFound(line.field(4)),
      });
    }
    entries.documents.push(line.field(2));
    entries.scores.push(score);
    entries.lines.push(line.number);
    if (!line.is(5, tag)) tag = line.field(5);
  });
  if (topics.size === 0) throw empty(file, 'ranking', 'topic Q0 document rank score tag');
  const run: Run = new Map();
  for (const [name, { documents, scores, lines }] of topics) {
    if (new Set(documents).size !== documents.length) {
      const seen = new Set<string>();
      const at = documents.findIndex((document) => seen.size === seen.add(document).size);
      throw duplicate(file, lines[at]!, name, documents[at]!);
    }
    run.set(name, { documents, scores: Float64Array.from(scores) });
  }
  return { run, tag };
}

/** Reads `topic family` lines, for statistics that resample whole families. Throws `trec.columns` or `trec.duplicate`. */
export async function readFamilies(chunks: Chunks, { file }: { file: string }): Promise<Map<string, string>> {
  const families = new Map<string, string>();
  await eachLine(chunks, (line) => {
    if (line.fields !== 2) {
      throw inputError(`a line of families has ${line.fields} columns`, {
        code: 'trec.columns',
        file,
        line: line.number,
        expected: 'two columns: topic, family',
        found: quoteFound(line.whole()),
        hint: 'repair or remove the line',
      });
    }
    const topic = line.field(0);
    if (families.has(topic)) {
      throw inputError(`topic ${quoteFound(topic)} has two families`, {
        code: 'trec.duplicate',
        file,
        line: line.number,
        field: 'topic',
        expected: 'each topic once',
        found: quoteFound(topic),
        hint: 'remove one of the two lines',
      });
    }
    families.set(topic, line.field(1));
  });
  return families;
}

/** A run as TREC text, topic by topic, documents in the order given, scores in the fewest digits that read back the same. */
export function* runLines(run: Run, tag: string): Generator<string> {
  for (const [topic, { documents, scores }] of run) {
    let text = '';
    for (let i = 0; i < documents.length; i++) text += `${topic} Q0 ${documents[i]} ${i + 1} ${scores[i]} ${tag}\n`;
    yield text;
  }
}

/** Calls `take` for every line that is neither blank nor a comment. The line is reused: keep fields, not the line. */
async function eachLine(chunks: Chunks, take: (line: Line) => void): Promise<void> {
  const line = new Line();
  let rest = '';
  let first = true;
  for await (let chunk of chunks) {
    if (first && chunk !== '') {
      if (chunk.charCodeAt(0) === 0xfeff) chunk = chunk.slice(1);
      first = false;
    }
    const text = rest === '' ? chunk : rest + chunk;
    const whole = text.lastIndexOf('\n') + 1;
    takeLines(text, whole, line, take);
    rest = text.slice(whole);
  }
  if (rest !== '') takeLines(`${rest}\n`, rest.length + 1, line, take);
}

function takeLines(text: string, end: number, line: Line, take: (line: Line) => void): void {
  line.text = text;
  let at = 0;
  while (at < end) {
    line.number++;
    let fields = 0;
    let code = text.charCodeAt(at);
    while (code !== 10) {
      if (code === 32 || (code >= 9 && code <= 13)) {
        code = text.charCodeAt(++at);
        continue;
      }
      const from = at;
      do code = text.charCodeAt(++at);
      while (code > 32 || (code !== 32 && (code < 9 || code > 13)));
      if (fields < maxFields) {
        line.from[fields] = from;
        line.to[fields] = at;
      }
      fields++;
    }
    at++;
    line.fields = fields;
    if (fields > 0 && text.charCodeAt(line.from[0]!) !== 35) take(line);
  }
}

/** The whole number in a field, or undefined. */
function wholeNumber(line: Line, index: number): number | undefined {
  const { text } = line;
  let at = line.from[index]!;
  const end = line.to[index]!;
  const sign = text.charCodeAt(at) === 45 ? -1 : 1;
  if (sign < 0 || text.charCodeAt(at) === 43) at++;
  if (at === end || end - at > 9) return undefined;
  let value = 0;
  for (; at < end; at++) {
    const digit = text.charCodeAt(at) - 48;
    if (digit < 0 || digit > 9) return undefined;
    value = 10 * value + digit;
  }
  return sign * value;
}

/** 10^0 to 10^22, all exact. */
const powersOfTen = Array.from({ length: 23 }, (_, exponent) => Number(`1e${exponent}`));

/**
 * The number in a field, as `Number` reads it. Up to 15 digits with a point among them are a quotient of two exact doubles,
 * which division rounds correctly: no string need be cut out.
 */
function decimal(line: Line, index: number): number {
  const { text } = line;
  const start = line.from[index]!;
  const end = line.to[index]!;
  const sign = text.charCodeAt(start) === 45 ? -1 : 1;
  let value = 0;
  let point = -1;
  const first = sign < 0 ? start + 1 : start;
  if (end - first > 16 || end === first) return Number(line.field(index));
  for (let at = first; at < end; at++) {
    const digit = text.charCodeAt(at) - 48;
    if (digit >= 0 && digit <= 9) value = 10 * value + digit;
    else if (digit === -2 && point < 0) point = at;
    else return Number(line.field(index));
  }
  if (point < 0) return end - first > 15 ? Number(line.field(index)) : sign * value;
  if (end - first === 1) return Number.NaN; // a point alone
  return (sign * value) / powersOfTen[end - point - 1]!;
}

function duplicate(file: string, line: number, topic: string, document: string): Error {
  return inputError(`document ${quoteFound(document)} stands twice under topic ${quoteFound(topic)}`, {
    code: 'trec.duplicate',
    file,
    line,
    field: 'document',
    expected: 'each document once a topic',
    found: quoteFound(document),
    hint: 'remove one of the two lines',
  });
}

function empty(file: string, what: string, form: string): Error {
  return inputError(`there is no ${what} in the file`, {
    code: 'trec.empty',
    file,
    expected: `lines of the form: ${form}`,
    found: 'no such line',
  });
}
