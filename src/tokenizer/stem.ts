/**
 * The English (Porter2) stemmer of the Snowball project: https://snowballstem.org/algorithms/english/stemmer.html
 *
 * Written from the algorithm's description, as of Snowball 3.1, and checked against the project's published vocabulary of
 * 42,649 words. Steps: set apart the exceptions; mark the regions R1 (behind the first consonant after a vowel) and R2
 * (the same within R1); strip plurals (1a), -ed/-ing (1b), y -> i (1c), then derivational suffixes, longest first
 * (2 to 4), and a last e or l (5). `Y` stands for a y that acts as a consonant.
 *
 * Called once for each distinct word (words.ts), so it is written to be read, not to be fast.
 */

const exceptions = new Map(
  Object.entries({
    skis: 'ski',
    skies: 'sky',
    idly: 'idl',
    gently: 'gentl',
    ugly: 'ugli',
    early: 'earli',
    only: 'onli',
    singly: 'singl',
    sky: 'sky',
    news: 'news',
    howe: 'howe',
    atlas: 'atlas',
    cosmos: 'cosmos',
    bias: 'bias',
    andes: 'andes',
  }),
);

/** Prefixes that end where R1 begins, against the general rule. */
const regionPrefix = /^(?:arsen|commun|emerg|gener|inter|later|organ|past|univers)/;

const step2: readonly (readonly [string, string])[] = [
  ['ational', 'ate'], ['iveness', 'ive'], ['fulness', 'ful'], ['ousness', 'ous'], ['ization', 'ize'], ['tional', 'tion'],
  ['biliti', 'ble'], ['lessli', 'less'], ['entli', 'ent'], ['ation', 'ate'], ['alism', 'al'], ['aliti', 'al'], ['fulli', 'ful'],
  ['ousli', 'ous'], ['iviti', 'ive'], ['ogist', 'og'], ['enci', 'ence'], ['anci', 'ance'], ['abli', 'able'], ['izer', 'ize'],
  ['ator', 'ate'], ['alli', 'al'], ['bli', 'ble'], ['ogi', 'og'], ['li', ''],
]; // biome-ignore format: a table

const step3: readonly (readonly [string, string])[] = [
  ['ational', 'ate'], ['tional', 'tion'], ['alize', 'al'], ['icate', 'ic'], ['iciti', 'ic'], ['ative', ''], ['ical', 'ic'],
  ['ness', ''], ['ful', ''],
]; // biome-ignore format: a table

const step4: readonly string[] = [
  'ement', 'ance', 'ence', 'able', 'ible', 'ment', 'ant', 'ent', 'ism', 'ate', 'iti', 'ous', 'ive', 'ize', 'ion', 'al', 'er', 'ic',
]; // biome-ignore format: a table

/** A short syllable ends the word: consonant, vowel, consonant other than w, x, Y; or vowel, consonant at the start. */
const shortSyllable = /(?:[^aeiouy][aeiouy][^aeiouywxY]|^[aeiouy][^aeiouy]|past)$/;

/** The stem of a lower-cased English word; words of one or two letters are left as they are. */
export function stemEnglish(input: string): string {
  const exception = exceptions.get(input);
  if (exception !== undefined) return exception;
  if (input.length < 3) return input;

  let word = input.replace(/^'/, '').replace(/^y/, 'Y');
  word = word.replace(/([aeiouy])y/g, '$1Y');
  const r1 = regionPrefix.exec(word)?.[0].length ?? regionAfter(word, 0);
  const r2 = regionAfter(word, r1);

  word = stepOneA(word);
  word = stepOneB(word, r1);
  if (/.[^aeiouy][yY]$/.test(word)) word = word.slice(0, -1) + 'i'; // step 1c
  word = stepTwo(word, r1);
  word = stepThree(word, r1, r2);
  word = stepFour(word, r2);
  word = stepFive(word, r1, r2);
  return word.replaceAll('Y', 'y');
}

/** Where the region begins that follows the first consonant after a vowel at or behind `from`. */
function regionAfter(word: string, from: number): number {
  const found = /[aeiouy][^aeiouy]/.exec(word.slice(from));
  return found === null ? word.length : from + found.index + 2;
}

function stepOneA(input: string): string {
  const word = input.replace(/'(?:s'?)?$/, '');
  if (word.endsWith('sses')) return word.slice(0, -2);
  if (/ie[ds]$/.test(word)) return word.slice(0, word.length > 4 ? -2 : -1);
  if (/[us]s$/.test(word)) return word;
  return /[aeiouy].+s$/.test(word) ? word.slice(0, -1) : word;
}

function stepOneB(word: string, r1: number): string {
  const suffix = /(?:eedly|ingly|edly|eed|ing|ed)$/.exec(word)?.[0];
  if (suffix === undefined) return word;
  const stem = word.slice(0, -suffix.length);
  if (suffix.startsWith('eed')) {
    const inRegion = stem.length >= r1 && !/^(?:succ|proc|exc)$/.test(stem);
    return inRegion ? stem + 'ee' : word;
  }
  if (suffix === 'ing') {
    if (/^[^aeiouy]y$/.test(stem)) return stem.slice(0, -1) + 'ie';
    if (/^(?:even|cann|inn|earr|herr|out)$/.test(stem)) return word;
  }
  if (!/[aeiouy]/.test(stem)) return word;
  if (/(?:at|bl|iz)$/.test(stem)) return stem + 'e';
  if (/(?:bb|dd|ff|gg|mm|nn|pp|rr|tt)$/.test(stem)) return /^[aeo]..$/.test(stem) ? stem : stem.slice(0, -1);
  return stem.length === r1 && shortSyllable.test(stem) ? stem + 'e' : stem;
}

function stepTwo(word: string, r1: number): string {
  for (const [suffix, replacement] of step2) {
    if (!word.endsWith(suffix)) continue;
    const stem = word.slice(0, -suffix.length);
    if (stem.length < r1) return word;
    if (suffix === 'ogi') return stem.endsWith('l') ? stem + replacement : word;
    if (suffix === 'li') return /[cdeghkmnrt]$/.test(stem) ? stem : word;
    return stem + replacement;
  }
  return word;
}

function stepThree(word: string, r1: number, r2: number): string {
  for (const [suffix, replacement] of step3) {
    if (!word.endsWith(suffix)) continue;
    const stem = word.slice(0, -suffix.length);
    return stem.length >= (suffix === 'ative' ? r2 : r1) ? stem + replacement : word;
  }
  return word;
}

function stepFour(word: string, r2: number): string {
  for (const suffix of step4) {
    if (!word.endsWith(suffix)) continue;
    const stem = word.slice(0, -suffix.length);
    const removable = stem.length >= r2 && (suffix !== 'ion' || /[st]$/.test(stem));
    return removable ? stem : word;
  }
  return word;
}

function stepFive(word: string, r1: number, r2: number): string {
  const stem = word.slice(0, -1);
  if (word.endsWith('e')) {
    if (stem.length >= r2) return stem;
    return stem.length >= r1 && !shortSyllable.test(stem) ? stem : word;
  }
  return word.endsWith('ll') && stem.length >= r2 ? stem : word;
}
