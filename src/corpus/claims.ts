/**
 * Claims in running text: found at the end of a description by their lead-in ("What is claimed is:", "I claim:", "The invention
 * claimed is", ...), and split by their numbers, which must count up. Numbers may be run together with the end of the
 * claim before (`... is sealed.2. A disk as in claim 1`), as in texts that lost their line breaks. What does not allow a
 * certain split stays whole.
 */

/** The sentence that leads claims in; the part after it begins with the first claim. */
const LEAD_IN = new RegExp(
  [
    String.raw`(?:(?:that\s+)?which\s+is|what(?:\s+is|\s+are|\s+we|\s+i)|the\s+invention(?:\s+is)?(?:\s+hereby)?)\s+(?:hereby\s+)?claim(?:ed)?\b[^:.\n]{0,160}(?:[:.]|\bis\b:?|\n)`,
    String.raw`\b(?:i|we)\s+(?:hereby\s+)?claim\b[^:.\n]{0,120}(?:[:.\n]|(?=\s*1\s*[.)]))`,
    String.raw`\b(?:embodiments?|invention|features?)\b[^.:\n]{0,120}\b(?:is|are)\s+(?:claimed|defined)\s+(?:is\s+)?as\s+follows\s*[:.]`,
    String.raw`\bclaimed\s+is\s*[:.]`,
    String.raw`(?:^|\n)[ \t]*(?:patent\s+)?claims?[ \t]*:?[ \t]*(?=\n)`,
    String.raw`\bclaims?\s*:?\s*\n(?=\s*1\s*[.)])`,
  ].join('|'),
  'gi',
);

/** Any sentence that speaks of claims right before a first claim at the start of a line: it stays in the description. */
const BEFORE_FIRST = /\bclaim(?:ed|s)?\b[^\n]{0,160}[.:;]?\s*\n\s*(?=1\s?[.)]\s+["“(]?[A-Z])/i;
const LEAD_IN_TEST = new RegExp(LEAD_IN.source, 'i');

/** After the lead-in: claim 1 (or what text recognition made of it), perhaps after a line break. */
const FIRST_NUMBER = /^[\s:;.,-]*(?:1|I|l|i)\s?[.)]\s*\S/;
/** A lead-in of the last part of a body stands even where no number follows (single claims, design patents). */
const LAST_PART = 0.6;

export interface SplitBody {
  description: string;
  claims: string[];
}

/** Takes the claims off the end of a body; `undefined` where there is no certain start of claims. */
export function claimsInBody(body: string): SplitBody | undefined {
  if (/^\s*(?:claims?\s*:?\s*)?1\s?[.)]\s+(?:An?|The|In|One)\b/.test(body.slice(0, 80)))
    return { description: '', claims: splitClaims(body) };
  let best: { from: number; to: number } | undefined;
  let end = 0;
  for (const place of claimWords(body)) {
    if (place < end) continue;
    // The lead-in stands around the word: a window finds it without reading all of a long body by the long pattern.
    const from = Math.max(end, place - 200);
    LEAD_IN.lastIndex = 0;
    const window = body.slice(from, place + 400);
    const match = LEAD_IN.exec(window) ?? BEFORE_FIRST.exec(window);
    if (match === null) continue;
    const found = { from: from + match.index, to: from + match.index + match[0].length };
    if (BEFORE_FIRST.test(window.slice(match.index)) && !LEAD_IN_TEST.test(match[0])) found.from = found.to;
    end = found.to;
    const rest = body.slice(found.to, found.to + 40);
    const atLineStart = found.from === 0 || /[\n.]\s*$/.test(body.slice(Math.max(0, found.from - 4), found.from));
    const late = found.from >= body.length * LAST_PART;
    if (FIRST_NUMBER.test(rest) || (late && atLineStart && /[:\n]$/.test(match[0]) && /^\s*["“]?[A-Z]/.test(rest)))
      best = found;
  }
  if (best === undefined) return undefined;
  const claims = splitClaims(body.slice(best.to));
  return claims.length === 0 ? undefined : { description: leadInRemoved(body.slice(0, best.from)), claims };
}

/** Places of "claim" or "CLAIM", ascending. */
function claimWords(body: string): number[] {
  const places: number[] = [];
  for (const word of ['laim', 'LAIM'])
    for (let i = body.indexOf(word); i >= 0; i = body.indexOf(word, i + 4)) places.push(i);
  return places.sort((a, b) => a - b);
}

/** "Having described my invention, I claim:" leaves no torso of a sentence behind. */
function leadInRemoved(description: string): string {
  const tail = description.slice(-300);
  const torso = /(?:^|[\n.])[^\n.]*,\s*$/.exec(tail);
  if (torso === null || torso[0].length > 200) return description.trimEnd();
  return description.slice(0, description.length - torso[0].length + (torso[0].startsWith('.') ? 1 : 0)).trimEnd();
}

/** The text of claims without what leads them in: words before a first number that speak of claims, protection or patents. */
function withoutLeadIn(text: string): string {
  const match = /(?:^|[:;.\s]|\b(?:is|are)|^claims?)\s*1\s?[.)]\s*(?=["“'([]*[A-Z]|[a-z])/i.exec(text.slice(0, 800));
  if (match === null) return text;
  const number = match.index + match[0].search(/1\s?[.)]/);
  return /claim|protect|privilege|patent|follows/i.test(text.slice(0, number)) ? text.slice(number) : text;
}

/** Claims of a text in order, numbers kept, line breaks inside a claim made blanks. A text without numbers is one claim a line. */
export function splitClaims(text: string): string[] {
  const running = withoutLeadIn(text).trim();
  const start = /^[\s:;.,-]*(?:(\d{1,3})|[Il])(?:\s*[-–]\s*(\d{1,3}))?\s?[.)]\s*/.exec(running);
  if (start === null) return claimLines(running);
  let number = Number(start[2] ?? start[1] ?? 1);
  const cuts = [start.index];
  for (let from = start[0].length; ; ) {
    const next = nextNumber(running, from, number);
    if (next === undefined) break;
    cuts.push(next.at);
    number = next.number;
    from = next.after;
  }
  return cuts
    .map((cut, index) => oneLine(running.slice(cut, cuts[index + 1])))
    .map((claim, index) => (index === 0 ? claim.replace(/^[:;.,\-\s]+/, '').replace(/^[Il](?=\s?[.)])/, '1') : claim))
    .map((claim, index, all) => (index === all.length - 1 ? withoutTail(claim) : claim))
    .filter((claim) => claim !== '');
}

/** Lists of references that text recognition appended to the last claim. */
function withoutTail(claim: string): string {
  return claim.replace(/\s*(?:References Cited\b.*(?:UNITED STATES|FOREIGN) PATENTS.*|(?:\*\s*){3,})$/, '');
}

/**
 * The next claim's number: one more than the last, or up to five more where claims were cancelled. It stands after the end
 * of a sentence or at the start of a line, and a claim follows: a capital letter, or soon the words "claim N". Where both
 * follow, the next number may even be run together with the word before. Numbers of other things ("FIG. 2.", "claim 2.")
 * do not count.
 */
function nextNumber(
  text: string,
  from: number,
  last: number,
): { at: number; after: number; number: number } | undefined {
  const pattern = /(?<![\d/-])(\d{1,3})(?:\s*[-–]\s*(\d{1,3}))?\s?[.)]\s*(?=[^\s\d])/g;
  pattern.lastIndex = from;
  for (let match = pattern.exec(text); match !== null; match = pattern.exec(text)) {
    const number = Number(match[1]);
    if (number <= last || number > last + 5) continue;
    const before = text.slice(Math.max(0, match.index - 24), match.index);
    if (
      /\b(?:figs?|nos?|eqs?|refs?|pat)\.\s*$|\b(?:figs?|claims?|or|and|to|of|in|table|example|step|formula)\s+$/i.test(
        before,
      )
    )
      continue;
    const after = match.index + match[0].length;
    const rest = text.slice(after, after + 200);
    const lineStart = /\n[ \t]*$/.test(before);
    // `claim 5.11. The` is a run-together end and number; `0.5` and `5.1)` are not.
    const sentenceStart = lineStart || (/[.;:)\]>*"”]\s*$/.test(before) && !/\d[.,]$/.test(before));
    const capital = /^["“'([]*(?:[A-Z]|\.I)/.test(rest);
    const dependent = /^[^.;]{0,150}\bclaims?\s+\d/.test(rest);
    const next = number === last + 1;
    const sure = next ? sentenceStart || (capital && dependent) : lineStart || (sentenceStart && dependent);
    if (sure && (capital || dependent)) return { at: match.index, after, number: Number(match[2] ?? match[1]) };
  }
  return undefined;
}

/** Unnumbered claims: one a paragraph, where paragraphs begin like claims; else the whole is one claim. */
function claimLines(text: string): string[] {
  const lines = text
    .split(/\n+/)
    .map(oneLine)
    .filter((line) => line !== '');
  const claimLike = lines.every((line) =>
    /^(?:An?|The|In|One|Use|Method|Apparatus|Process|System|Device|I|Claim)\b/.test(line),
  );
  return claimLike || lines.length <= 1 ? lines : [oneLine(text)];
}

export function oneLine(text: string): string {
  // Most texts hold single blanks only: looking is much cheaper than replacing.
  return /\s\s|[^\S ]/.test(text) ? text.replace(/\s+/g, ' ').trim() : text.trim();
}

/** `1. A method ...` without its number: what the view of the first claim shows. */
export function unnumbered(claim: string): string {
  return claim.replace(/^\s*(?:claim\s+)?\d{1,3}\s*[.):]\s*/i, '');
}

/** A body that repeats the abstract at its start, without it; white space does not count. `undefined` where it does not. */
export function withoutAbstract(body: string, abstract: string): string | undefined {
  const wanted = abstract.trim();
  if (wanted.length < 40) return undefined;
  let i = 0;
  let k = 0;
  while (k < wanted.length) {
    while (k < wanted.length && isBlank(wanted.charCodeAt(k))) k++;
    while (i < body.length && isBlank(body.charCodeAt(i))) i++;
    if (k >= wanted.length) break;
    if (body.charCodeAt(i) !== wanted.charCodeAt(k)) return undefined;
    i++;
    k++;
  }
  return body.slice(i).trimStart();
}

function isBlank(code: number): boolean {
  return code === 0x20 || (code >= 0x09 && code <= 0x0d) || code === 0xa0 || code === 0x2028 || code === 0x2029;
}
