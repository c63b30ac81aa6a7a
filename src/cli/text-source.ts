/**
 * What `embed` can be pointed at: a stored corpus (a view of it), a file of texts, or stdin (`-`). A file is JSON lines
 * where its name says so (.jsonl, .ndjson, plain or gzipped), each line a string or an object with the text under `field`
 * and possibly an `id`; otherwise every line is a text, an empty one too.
 */
import { existsSync } from 'node:fs';
import { inputError, quoteFound } from '../base/errors.ts';
import { listCorpora, openCorpus } from '../corpus/store.ts';
import { type View, viewText } from '../corpus/views.ts';
import { textChunks } from './text-file.ts';

export interface TextSource {
  kind: 'corpus' | 'file';
  name: string;
  /** Number of texts; unknown for stdin. */
  count?: number;
  /** Which texts of a corpus, as `--json` tells it; nothing of a file. */
  choice: { view?: View; maskCitations?: boolean };
  /** What the texts are, for the cache; only where a hash is known before they are read. */
  source?: Record<string, unknown>;
  texts(): AsyncIterable<string>;
  /** A few texts from all over the source; none for stdin. */
  sample(count: number): Promise<string[]>;
  /** Known once the texts have been read. */
  idOf(row: number): string;
  close(): Promise<void>;
}

interface TextSourceOptions {
  home: string;
  /** Of a corpus alone; default TA. */
  view?: View;
  maskCitations?: boolean;
  /** Field of a JSON line that holds the text; default `text`. */
  field?: string;
}

export async function openTextSource(name: string, options: TextSourceOptions): Promise<TextSource> {
  if (name === '-') return fileSource(name, options);
  const corpora = await listCorpora(options.home);
  if (corpora.some((corpus) => corpus.name === name)) return corpusSource(name, options);
  if (existsSync(name)) return fileSource(name, options);
  throw inputError(`there is neither a corpus nor a file ${name}`, {
    code: 'embed.source',
    expected:
      corpora.length === 0
        ? 'a file of texts (no corpus is stored yet)'
        : `a file of texts, or one of the corpora ${corpora.map((corpus) => corpus.name).join(', ')}`,
    hint: 'import a corpus with `patentlab import PATH --as NAME`, or check the path',
  });
}

/** An option that would be silently without effect is refused. */
function refuse(field: string, given: unknown, expected: string, found: string): void {
  if (given !== undefined)
    throw inputError(`${field} has no effect here`, { code: 'embed.no-effect', field, expected, found });
}

async function corpusSource(name: string, options: TextSourceOptions): Promise<TextSource> {
  const { home, view = 'TA', maskCitations = false, field } = options;
  refuse('--field', field, 'a file of JSON lines', `the corpus ${name}`);
  const corpus = await openCorpus(home, name);
  const count = corpus.size;
  return {
    kind: 'corpus',
    name,
    count,
    choice: { view, maskCitations },
    source: { corpus: corpus.hash, view, masked: maskCitations, texts: 'documents' },
    async *texts() {
      for await (const patent of corpus.records()) yield viewText(patent, view, { maskCitations });
    },
    async sample(size) {
      const rows = new Set(Array.from({ length: size }, (_, i) => Math.floor(((i + 0.5) * count) / size)));
      const patents = await Promise.all([...rows].filter((row) => row < count).map((row) => corpus.get(row)));
      return patents.map((patent) => viewText(patent, view, { maskCitations }));
    },
    idOf: (row) => corpus.id(row),
    close: () => corpus.close(),
  };
}

async function fileSource(name: string, options: TextSourceOptions): Promise<TextSource> {
  const isJson = /\.(jsonl|ndjson)(\.gz)?$/i.test(name);
  const found = name === '-' ? 'lines of text on stdin' : `the file ${name}`;
  refuse('--view', options.view, 'a corpus', found);
  refuse('--mask-citations', options.maskCitations, 'a corpus', found);
  if (!isJson) refuse('--field', options.field, 'a file of JSON lines (.jsonl, .ndjson)', found);
  const { field = 'text' } = options;
  const ids: (string | undefined)[] = [];
  let count: number | undefined;
  const every: string[] = [];
  if (name !== '-') {
    count = 0;
    let stride = 1; // keeps an evenly spread sample of 64 to 127 texts while the file is counted
    for await (const { text } of entries(name, isJson, field)) {
      if (count % stride === 0) every.push(text);
      if (every.length === 128) {
        stride *= 2;
        for (let i = 0; i < 64; i++) every[i] = every[2 * i]!;
        every.length = 64;
      }
      count++;
    }
  }
  return {
    kind: 'file',
    name,
    choice: {},
    ...(count === undefined ? {} : { count }),
    async *texts() {
      ids.length = 0;
      for await (const { text, id } of entries(name, isJson, field)) {
        if (id !== undefined) ids[ids.length] = id;
        else if (isJson) ids.length++;
        yield text;
      }
    },
    async sample(size) {
      const step = Math.max(1, every.length / size);
      return Array.from({ length: Math.min(size, every.length) }, (_, i) => every[Math.floor(i * step)]!);
    },
    idOf: (row) => ids[row] ?? String(row),
    close: async () => {},
  };
}

async function* entries(file: string, isJson: boolean, field: string): AsyncGenerator<{ text: string; id?: string }> {
  let number = 0;
  for await (const line of lines(file)) {
    number++;
    if (!isJson) yield { text: line };
    else if (line.trim() !== '') yield jsonEntry(line, { file, line: number, field });
  }
}

async function* lines(file: string): AsyncGenerator<string> {
  let rest = '';
  let first = true;
  for await (const chunk of textChunks(file)) {
    const parts = (rest + (first && chunk.startsWith('\ufeff') ? chunk.slice(1) : chunk)).split('\n');
    first = false;
    rest = parts.pop()!;
    for (const part of parts) yield part.endsWith('\r') ? part.slice(0, -1) : part;
  }
  if (rest !== '') yield rest;
}

function jsonEntry(text: string, place: { file: string; line: number; field: string }): { text: string; id?: string } {
  const { file, line, field } = place;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw inputError('this line is not JSON', { code: 'embed.json', file, line, found: quoteFound(text), cause });
  }
  if (typeof value === 'string') return { text: value };
  const { [field]: content, id } = (value ?? {}) as Record<string, unknown>;
  if (typeof content !== 'string') {
    throw inputError('this line has no text', {
      code: 'embed.field',
      file,
      line,
      field,
      expected: 'a string, or an object with the text as a string',
      found: quoteFound(text),
      hint: 'name the field that holds the text with --field NAME',
    });
  }
  return typeof id === 'string' || typeof id === 'number' ? { text: content, id: String(id) } : { text: content };
}
