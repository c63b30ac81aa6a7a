/**
 * A WordPiece vocabulary from texts, as Hugging Face's `WordPieceTrainer` makes it (byte-pair merges by frequency, Sennrich
 * et al. 2016, written with `##` for what continues a word; not the likelihood criterion of Schuster & Nakajima 2012):
 *
 *   1. the texts are normalised and split into words as BERT's tokenizer does it, and the words counted (`countWords`);
 *   2. ids: special tokens, then characters by code point, then `##` characters by code point;
 *   3. again and again, the most frequent pair of neighbouring tokens becomes a token, until the vocabulary is full or the
 *      pair is rarer than `minFrequency`. Of equally frequent pairs the one with the smaller ids goes first.
 *
 * Hugging Face numbers the `##` characters in the order of a randomly seeded hash table, so its ties fall differently at each
 * run; by code point is one of its possible outcomes, and here the only one. Likewise where `limitAlphabet` cuts among
 * equally frequent characters: the smaller code point stays. The same texts in the same order give the same vocabulary.
 *
 * Memory: the table of words never holds more than `maxWords`; when it is full, words seen once go, then those seen twice, and so
 * on until half the table is free. A pruned word that comes again starts at 0 (as in lossy counting, Manku & Motwani 2002):
 * `pruned` of the result says how many occurrences were lost that way.
 */
import { inputError } from '../base/errors.ts';
import { TextTokenizer } from './tokenizer.ts';
import { specialTokens, wordPieceFiles } from './wordpiece-files.ts';

export interface VocabularyOptions {
  /** Entries, special tokens included. Default 8192. Fewer where the texts run out of frequent pairs; more where the characters alone are more. */
  size?: number;
  /** A pair must stand in the texts this often to become a token. Default 2. */
  minFrequency?: number;
  /** The most frequent characters that are kept; words lose the others. Default 1000. */
  limitAlphabet?: number;
  /** Different words counted at a time. Default 1,000,000 (about 100 MB). */
  maxWords?: number;
}

export interface Vocabulary {
  /** The token of every id; the special tokens come first. */
  readonly tokens: readonly string[];
  /** Texts read. */
  readonly texts: number;
  /** Words read, repeated ones counted again. */
  readonly words: number;
  /** Of these, how many were forgotten because the table of words was full. */
  readonly pruned: number;
}

/** Reads `texts` once, one after another. */
export async function trainWordPiece(
  texts: Iterable<string> | AsyncIterable<string>,
  options: VocabularyOptions = {},
): Promise<Vocabulary> {
  const { size = 8192, minFrequency = 2, limitAlphabet = 1000, maxWords = 1_000_000 } = options;
  for (const [field, value, least] of [
    ['size', size, specialTokens.length + 1],
    ['minFrequency', minFrequency, 1],
    ['limitAlphabet', limitAlphabet, 1],
    ['maxWords', maxWords, 2],
  ] as const) {
    if (!Number.isSafeInteger(value) || value < least)
      throw inputError('a vocabulary cannot be trained with this setting', {
        code: 'tokenizer.vocabulary',
        field,
        expected: `a whole number, at least ${least}`,
        found: String(value),
      });
  }
  const counted = await countWords(texts, maxWords);
  if (counted.counts.size === 0) {
    throw inputError('there are no words to make a vocabulary of', {
      code: 'tokenizer.vocabulary-empty',
      expected: 'texts with words',
      found: `${counted.texts} texts without any`,
    });
  }
  const tokens = mergeTokens(counted.counts, { size, minFrequency, limitAlphabet });
  return { tokens, texts: counted.texts, words: counted.words, pruned: counted.pruned };
}

// Words ------------------------------------------------------------------------------------------------------------

interface CountedWords {
  counts: ReadonlyMap<string, number>;
  texts: number;
  words: number;
  pruned: number;
}

/** Pieces of text between blanks whose words are remembered, and how long a piece is remembered at most. */
const remembered = { pieces: 200_000, characters: 40 };

async function countWords(texts: Iterable<string> | AsyncIterable<string>, maxWords: number): Promise<CountedWords> {
  const tokenizer = new TextTokenizer(wordPieceFiles(specialTokens));
  const counts = new Map<string, number>();
  const totals = { texts: 0, words: 0, pruned: 0 };
  // Every blank ends a word, so that the words of a text are those of its pieces; most pieces come again and again.
  const known = new Map<string, readonly string[]>();
  const wordsOf = (piece: string): readonly string[] => {
    let words = known.get(piece);
    if (words !== undefined) return words;
    words = tokenizer.words(piece).map(detached);
    if (piece.length <= remembered.characters) {
      if (known.size >= remembered.pieces) known.clear();
      known.set(detached(piece), words);
    }
    return words;
  };
  for await (const text of texts) {
    totals.texts++;
    for (const piece of text.split(blanks)) {
      for (const word of wordsOf(piece)) {
        totals.words++;
        const count = counts.get(word);
        if (count === undefined && counts.size >= maxWords) totals.pruned += prune(counts, maxWords >> 1);
        counts.set(word, (count ?? 0) + 1);
      }
    }
  }
  return { counts, ...totals };
}

/** The same string on its own: a part of a text that is kept would keep the whole text in memory. */
const detached = (part: string) => (part.length < 13 ? part : ` ${part}`.slice(1));

const blanks = /[ \t\n\r]+/;

/** Forgets the rarest words until at most `room` are left; returns how many occurrences went. */
function prune(counts: Map<string, number>, room: number): number {
  let lost = 0;
  for (let rare = 1; counts.size > room; rare++) {
    for (const [word, count] of counts) {
      if (count !== rare) continue;
      counts.delete(word);
      lost += count;
    }
  }
  return lost;
}

// Merges -----------------------------------------------------------------------------------------------------------

/** A pair of neighbouring tokens waiting to be merged, with the words that held it when it was written down. */
interface Candidate {
  readonly left: number;
  readonly right: number;
  count: number;
  readonly words: readonly number[];
}

type MergeOptions = Required<Pick<VocabularyOptions, 'size' | 'minFrequency' | 'limitAlphabet'>>;

/** Two ids as one exact number. */
const pairKey = (left: number, right: number) => left * 2 ** 26 + right;

function mergeTokens(wordCounts: ReadonlyMap<string, number>, options: MergeOptions): string[] {
  const { size, minFrequency, limitAlphabet } = options;
  const { tokens, words, counts } = spell(wordCounts, limitAlphabet);
  const ids = new Map(tokens.map((token, id) => [token, id]));

  // How often each pair stands in the texts. A merged pair keeps its count, as in Hugging Face's trainer: it is not asked
  // for again unless another merge builds the same two tokens side by side anew, and then goes before all rarer ones.
  const pairCounts = new Map<number, number>();
  let fresh = new Map<number, number[]>();
  const change = (left: number, right: number, word: number, times: number) => {
    const key = pairKey(left, right);
    pairCounts.set(key, (pairCounts.get(key) ?? 0) + times * counts[word]!);
    if (times < 0) return;
    const places = fresh.get(key);
    if (places === undefined) fresh.set(key, [word]);
    else if (places[places.length - 1] !== word) places.push(word);
  };
  const queue = new CandidateQueue();
  const enqueue = () => {
    for (const [key, places] of fresh) {
      const count = pairCounts.get(key)!;
      if (count > 0) queue.push({ left: Math.floor(key / 2 ** 26), right: key % 2 ** 26, count, words: places });
    }
    fresh = new Map();
  };

  for (const [at, word] of words.entries()) for (let i = 1; i < word.length; i++) change(word[i - 1]!, word[i]!, at, 1);
  enqueue();
  while (tokens.length < size) {
    const top = queue.pop();
    if (top === undefined) break;
    const { left, right } = top;
    const now = pairCounts.get(pairKey(left, right))!;
    if (now !== top.count) {
      top.count = now;
      if (now > 0) queue.push(top);
      continue;
    }
    if (top.count < minFrequency) break;
    const token = tokens[left]! + tokens[right]!.slice(2); // the right one always continues a word: ##
    let id = ids.get(token);
    if (id === undefined) {
      id = tokens.length;
      tokens.push(token);
      ids.set(token, id);
    }
    for (const at of top.words) mergeInWord(words[at]!, left, right, id, (a, b, times) => change(a, b, at, times));
    enqueue();
  }
  return tokens;
}

/** The first tokens, and every word as the ids of its characters. */
function spell(wordCounts: ReadonlyMap<string, number>, limit: number) {
  const frequency = new Map<string, number>();
  const continuing = new Set<string>();
  for (const [word, count] of wordCounts)
    for (const character of word) frequency.set(character, (frequency.get(character) ?? 0) + count);
  const alphabet = [...frequency]
    .sort(([a, m], [b, n]) => n - m || byCodePoint(a, b))
    .slice(0, limit)
    .map(([character]) => character)
    .sort(byCodePoint);
  const kept = new Set(alphabet);
  for (const word of wordCounts.keys()) {
    let first = true;
    for (const character of word) {
      if (!first && kept.has(character)) continuing.add(character);
      first = false;
    }
  }
  const tokens = [
    ...new Set([
      ...specialTokens,
      ...alphabet,
      ...[...continuing].sort(byCodePoint).map((character) => `##${character}`),
    ]),
  ];
  const ids = new Map(tokens.map((token, id) => [token, id]));
  const words: number[][] = [];
  const counts: number[] = [];
  for (const [word, count] of wordCounts) {
    const characters = [...word];
    const spelled = characters.flatMap((character, i) =>
      kept.has(character) ? [ids.get(i === 0 ? character : `##${character}`)!] : [],
    );
    words.push(spelled);
    counts.push(count);
  }
  return { tokens, words, counts };
}

/** Replaces `left right` by `id` in the word, from its start, telling which neighbourhoods went (−1) and came (+1). */
function mergeInWord(
  word: number[],
  left: number,
  right: number,
  id: number,
  change: (a: number, b: number, times: number) => void,
): void {
  let to = 0;
  for (let from = 0; from < word.length; from++, to++) {
    if (word[from] !== left || from + 1 >= word.length || word[from + 1] !== right) {
      word[to] = word[from]!;
      continue;
    }
    if (to > 0) {
      change(word[to - 1]!, left, -1);
      change(word[to - 1]!, id, 1);
    }
    from++;
    word[to] = id;
    if (from + 1 < word.length) {
      change(right, word[from + 1]!, -1);
      change(id, word[from + 1]!, 1);
    }
  }
  word.length = to;
}

function byCodePoint(a: string, b: string): number {
  return a.codePointAt(0)! - b.codePointAt(0)!;
}

/** A binary heap: the most frequent first, then the smaller ids. */
class CandidateQueue {
  private readonly items: Candidate[] = [];

  push(item: Candidate): void {
    const { items } = this;
    let at = items.length;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!before(item, items[parent]!)) break;
      items[at] = items[parent]!;
      at = parent;
    }
    items[at] = item;
  }

  pop(): Candidate | undefined {
    const { items } = this;
    const top = items[0];
    const last = items.pop();
    if (top === undefined || last === undefined || items.length === 0) return top;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= items.length) break;
      if (child + 1 < items.length && before(items[child + 1]!, items[child]!)) child++;
      if (!before(items[child]!, last)) break;
      items[at] = items[child]!;
      at = child;
    }
    items[at] = last;
    return top;
  }
}

function before(a: Candidate, b: Candidate): boolean {
  return a.count !== b.count ? a.count > b.count : a.left !== b.left ? a.left < b.left : a.right < b.right;
}
