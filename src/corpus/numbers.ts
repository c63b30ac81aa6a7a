/**
 * Publication numbers: country (WIPO ST.3), body, kind code (ST.16).
 *
 * Two numbers name the same publication when their normalised forms (country + body + kind) are equal, and publications of
 * the same application when their keys (country + body) are equal and their kinds belong to one numbering series. The
 * second condition is needed where an office counts its series apart: JP S58-41326 A and JP S58-41326 B are two inventions.
 * How a body is brought to one form is the table in `number-forms.ts`.
 *
 * Invariants (property tests): parsing is idempotent on the normalised form; case, blanks, dots, commas and hyphens never
 * matter; different keys never parse equal.
 */
import { type NumberForm, numberForms, wkuCheckDigit } from './number-forms.ts';

export interface PublicationNumber {
  /** WIPO ST.3 code: `US`, `EP`, `WO`, ... */
  country: string;
  /** Canonical body with its series letters, no leading zeros: `4121250`, `RE28671`, `20040137729`, `S5841326`. */
  number: string;
  /** Kind code: `A1`, `B2`, ... */
  kind?: string;
  /** country + number, no kind: equal for the publications of one application. */
  key: string;
}

/** ST.3: states, organisations, and the codes of states that are no more but live on in citations. */
const countries = new Set(
  (
    'AD AE AF AG AI AL AM AN AO AP AR AT AU AW AZ BA BB BD BE BF BG BH BI BJ BM BN BO BR BS BT BU BV BW BX BY BZ CA CD CF CG CH CI ' +
    'CK CL CM CN CO CR CS CU CV CW CY CZ DD DE DJ DK DL DM DO DZ EA EC EE EG EH EM EP ER ES ET FI FJ FK FO FR GA GB GC GD GE GG GH ' +
    'GI GL GM GN GQ GR GS GT GW GY HK HN HR HT HU IB ID IE IL IM IN IQ IR IS IT JE JM JO JP KE KG KH KI KM KN KP KR KW KY KZ LA LB ' +
    'LC LI LK LR LS LT LU LV LY MA MC MD ME MG MK ML MM MN MO MP MR MS MT MU MV MW MX MY MZ NA NE NG NI NL NO NP NR NZ OA OM PA PE ' +
    'PG PH PK PL PT PW PY QA QZ RH RO RS RU RW SA SB SC SD SE SG SH SI SK SL SM SN SO SR ST SU SV SX SY SZ TC TD TG TH TJ TL TM TN ' +
    'TO TP TR TT TV TW TZ UA UG US UY UZ VA VC VE VG VN VU WO WS XN XU XV XX YD YE YU ZA ZM ZR ZW'
  ).split(' '),
);

const formsOf = new Map<string, NumberForm[]>();
for (const form of numberForms) {
  const forms = formsOf.get(form.country);
  if (forms === undefined) formsOf.set(form.country, [form]);
  else forms.push(form);
}

/**
 * Reads a publication number in any of the forms of the table; undefined where the text is none.
 * A number without a country is a US number: five to eight digits, a year and seven digits, a WKU with a right check
 * digit, or digits after `D`, `RE`, `R`, `PP`, `H`, `T`, `B`.
 */
export function parseNumber(text: string): PublicationNumber | undefined {
  if (text.length < 3 || text.length > 48) return undefined;
  const plain = canonicalText.exec(text);
  if (plain !== null) {
    const [, country, number, kind] = plain as unknown as [string, string, string, string?];
    if (isCanonical(country, number, kind))
      return { country, number, ...(kind === undefined ? {} : { kind }), key: country + number };
  }
  const clean = text
    .toUpperCase()
    .replace(/[\s.,'’]+/g, '')
    .replace(/[‐-―−_]/g, '-');
  const head = /^([A-Z]{2})-?/.exec(clean);
  if (head !== null && !/^DES\d/.test(clean) && countries.has(head[1]!)) {
    const parsed = parseBody(head[1]!, clean.slice(head[0].length));
    if (parsed !== undefined) return parsed;
  }
  return bareUnitedStates.test(clean) ? parseBody('US', clean, true) : undefined;
}

const canonicalText = /^([A-Z]{2})([1-9]\d{4,10})([A-Z]\d?)?$/;

/** The common spellings that are canonical as they stand: most of any file, and ten times as fast without the table. */
function isCanonical(country: string, number: string, kind: string | undefined): boolean {
  const { length } = number;
  if (country === 'US') return length <= 8 || (length === 11 && number.startsWith('20'));
  if (country === 'EP') return length <= 7;
  if (country === 'WO') return length === 10 && /^(?:19|20)/.test(number);
  if (country === 'JP') return (length === 10 && number.startsWith('20')) || (length === 7 && kind?.[0] === 'B');
  if (country === 'DE') return length <= 8;
  return countries.has(country) && !formsOf.has(country);
}

const bareUnitedStates =
  /^(?:\d{5,8}|0\d{8}|20\d\d\/?\d{6,7}|(?:DES|RE|PP)-?\d{3,7}|[DRT]-?\d{4,8}|B-?\d{6}|H-?\d{2,8})(?:-?[A-Z]\d?)?$/;

const bodyPattern = /^([A-Z]{0,4}-?\d[\d/-]*?)-?([A-Z]\d?)?$/;

function parseBody(country: string, rest: string, bare = false): PublicationNumber | undefined {
  // Swiss numbers of the 1980s carry a letter for their examination class before the kind: CH 661404 G A3.
  const match = bodyPattern.exec(country === 'CH' ? rest.replace(/(\d)G(?=-?[A-Z]\d)/, '$1') : rest);
  if (match === null) return undefined;
  const kind = match[2];
  const body = canonicalBody(country, match[1]!, kind ?? '');
  // A nine-digit bare number is a US number only as a WKU with its right check digit.
  if (body === undefined || (bare && /^0\d{8}$/.test(match[1]!) && !isWku(match[1]!))) return undefined;
  return { country, number: body, ...(kind === undefined ? {} : { kind }), key: country + body };
}

/** Letters that may stand between country and digits. */
const seriesLetters: Readonly<Record<string, RegExp>> = {
  US: /^(?:RE|D|PP|H|T|X|RX|AI|B)$/,
  JP: /^(?:[MTSHR]|WO)$/,
  TW: /^[IMD]$/,
  BR: /^(?:PI|MU|DI|C)$/,
  IT: /^[A-Z]{2}$/,
  MX: /^[A-Z]{2}$/,
  AT: /^(?:A|GM)$/,
  CN: /^ZL$/,
  ES: /^[PUT]$/,
  HU: /^[PTU]$/,
  YU: /^P$/,
  DK: /^T$/,
  ID: /^[PWS]$/,
};

const isWku = (digits: string) => wkuCheckDigit(digits.slice(1, 8)) === Number(digits[8]);

function canonicalBody(country: string, body: string, kind: string): string | undefined {
  for (const form of formsOf.get(country) ?? []) {
    if (form.kinds !== undefined && !form.kinds.test(kind)) continue;
    const match = form.pattern.exec(body) ?? form.pattern.exec(body.replaceAll('-', ''));
    if (match === null) continue;
    const canonical = form.body(match);
    if (canonical !== undefined) return canonical;
  }
  const plain = /^([A-Z]*)0*(\d+)$/.exec(body.replace(/[/-]/g, ''));
  if (plain === null || plain[2]!.length > 14 || plain[2] === '0') return undefined;
  if (plain[1] !== '' && !seriesLetters[country]?.test(plain[1]!)) return undefined; // `FIG. 3` is no Finnish patent
  return plain[1]! + plain[2]!;
}

/** country + body + kind in one form; a text that is no publication number comes back trimmed and otherwise as it is. */
export function normaliseNumber(text: string): string {
  const parsed = parseNumber(text);
  return parsed === undefined ? text.trim() : parsed.key + (parsed.kind ?? '');
}

/**
 * The numbering series a kind belongs to where the office reuses numbers between series, else ''. Only numbers of one
 * series, or with no kind given, can be publications of one application.
 */
export function seriesOf(number: PublicationNumber): '' | 'A' | 'B' | 'U' | 'Y' {
  if (number.kind === undefined) return '';
  const letter = number.kind[0]!;
  if (number.country === 'JP') {
    if (letter === 'U' || letter === 'Y' || letter === 'B') return letter;
    return 'A'; // A, and T: translations of PCT applications, numbered with them
  }
  if (number.country === 'CN') {
    if (letter === 'U' || letter === 'Y') return 'U';
    return letter === 'C' ? 'B' : 'A'; // B (since 2007) bears the number of its A, C does not
  }
  return '';
}

/** Whether two numbers are publications of one application (or the same publication). */
export function sameApplication(a: PublicationNumber, b: PublicationNumber): boolean {
  if (a.key !== b.key) return false;
  const [x, y] = [seriesOf(a), seriesOf(b)];
  return x === '' || y === '' || x === y;
}
