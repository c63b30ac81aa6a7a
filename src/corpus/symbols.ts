/**
 * Classification symbols (IPC and CPC) in one spelling: `A61B8/08`, no blank, upper case; a symbol of a higher level is
 * `A61B`, `A61` or `A`. Understood besides: `A61B 8/08`, `A61B0008080000` (WIPO ST.8), `A61B 8/08 (2006.01)`, and the fixed
 * columns of old US tapes, where the main group takes three places and the subgroup follows without a stroke:
 * `B63B 2152` = B63B 21/52, `E05D  700` = E05D 7/00.
 */

const GROUP = /^([A-HY]\d\d[A-Z])[\s-]*0*(\d{1,4})\s*\/\s*(\d{2,6})/;
const ST8 = /^([A-HY]\d\d[A-Z])(\d{4})(\d{6})$/;
/** Section, class and subclass, then a main group of three places and a subgroup of two to four. */
const FIXED = /^([A-HY]\d\d[A-Z])([ \d]{2}\d)(\d{2,4})$/;
const HIGHER = /^([A-HY](?:\d\d(?:[A-Z])?)?)(?:\s*0*(\d{1,4})\s*\/?)?$/;

/** The texts are of old US tapes: their first blanks say so. */
export function isFixedWidth(texts: readonly string[]): boolean {
  return (
    texts.some((text) => /(?:^|;)[A-H]\d\d[A-Za-z] {1,2}\d{3,}(?:;|$)/.test(text)) &&
    !texts.some((text) => text.includes('/'))
  );
}

/**
 * The symbol in the one spelling; `undefined` where the text is not a symbol. Digits without a stroke have no certain
 * reading (`A61B50205`) and stay as they are, unless `fixed` says that the source has the old columns.
 */
export function normaliseSymbol(text: string, fixed = false): string | undefined {
  const symbol = text.trim().toUpperCase();
  let match = GROUP.exec(symbol);
  if (match !== null) return `${match[1]}${match[2]}/${match[3]}`;
  match = ST8.exec(symbol);
  if (match !== null) return `${match[1]}${Number(match[2])}/${match[3]!.replace(/0{1,4}$/, '').padEnd(2, '0')}`;
  match = FIXED.exec(symbol);
  if (match !== null && (fixed || match[2]!.startsWith(' '))) return `${match[1]}${Number(match[2])}/${match[3]}`;
  match = HIGHER.exec(symbol);
  // A main group alone is written with its subgroup 00.
  if (match !== null)
    return match[2] === undefined ? match[1] : match[1]!.length === 4 ? `${match[1]}${match[2]}/00` : undefined;
  return /^[A-HY]\d\d[A-Z]\d{3,10}$/.test(symbol) ? symbol : undefined;
}

/** All symbols of a text that holds several, in order, each once; what is none is left out. */
export function symbolsIn(text: string, fixed = false): string[] {
  const found = new Set<string>();
  for (const piece of text.split(/;;|[;|,\n\r\t]+/)) {
    const whole = normaliseSymbol(piece, fixed);
    if (whole !== undefined) {
      // Several symbols separated by blanks begin with one that is whole, too.
      const inner = [...piece.matchAll(/[A-HY]\d\d[A-Z][\s-]*\d{1,4}\s*\/\s*\d{2,6}/gi)];
      if (inner.length > 1) for (const [symbol] of inner) found.add(normaliseSymbol(symbol)!);
      else found.add(whole);
      continue;
    }
    for (const [symbol] of piece.matchAll(/\b[A-HY]\d\d[A-Z](?:[\s-]*\d{1,4}\s*\/\s*\d{2,6})?/gi)) {
      const normal = normaliseSymbol(symbol);
      if (normal !== undefined) found.add(normal);
    }
  }
  return [...found];
}
