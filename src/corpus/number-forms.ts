/**
 * The table of number forms: how offices and databases write the same publication number in different ways, one rule a
 * form. A rule looks at the country, the compacted body (upper case, no blanks, no dots, no commas; `-` and `/` kept) and
 * the kind code, and gives the one body that all forms of this number share. The first rule that fits wins; a body that no
 * rule fits only loses its leading zeros. Each rule carries pairs of equal numbers; the tests read them from here.
 *
 * Canonical bodies: US applications year + seven digits; WO year + six digits; JP before 2000 era letter, two-digit year,
 * serial without leading zeros; JP from 2000 year + six digits; all else digits without leading zeros after a series letter.
 */

export interface NumberForm {
  country: string;
  pattern: RegExp;
  /** Kinds for which the rule holds; all when left out. */
  kinds?: RegExp;
  /** The canonical body, or undefined where the match turns out not to be this form. */
  body(match: RegExpExecArray): string | undefined;
  /** Pairs of spellings of one publication. */
  pairs: readonly (readonly [string, string])[];
}

const strip = (digits: string) => digits.replace(/^0+(?=\d)/, '');
const century = (year: string) => (Number(year) >= 78 ? `19${year}` : `20${year}`);

/** `S58`, `H05`: the era letter and year of a Japanese publication from a bare two-digit year. */
function japaneseEra(year: string): string | undefined {
  const value = Number(year);
  if (value >= 1 && value <= 12) return `H${String(value).padStart(2, '0')}`; // Western years are used from 2000 on
  return value >= 20 && value <= 64 ? `S${value}` : undefined;
}

/**
 * The check digit of a USPTO "WKU" number: weights 2, 3, ... from the right, 11 minus the sum modulo 11, 10 and 11 written 0.
 */
export function wkuCheckDigit(digits: string): number {
  let sum = 0;
  for (let i = 0; i < digits.length; i++) sum += (digits.length - i + 1) * Number(digits[i]);
  const check = 11 - (sum % 11);
  return check >= 10 ? 0 : check;
}

const checked = (digits: string, check: string) => wkuCheckDigit(digits) === Number(check);

export const numberForms: readonly NumberForm[] = [
  {
    country: 'US', // application publications: the DOCDB form drops the first digit of the serial number
    pattern: /^(20\d\d)[/-]?0?(\d{6})$/,
    body: ([, year, serial]) => `${year}0${serial}`,
    pairs: [
      ['US2004137729A1', 'US20040137729A1'],
      ['US-2004137729-A1', 'US20040137729A1'],
      ['US 2004/0137729 A1', 'US20040137729A1'],
      ['US-2001001472-A1', 'US20010001472A1'],
      ['20040137729', 'US20040137729'],
    ],
  },
  {
    country: 'US',
    pattern: /^(20\d\d)[/-]?(\d{7})$/,
    body: ([, year, serial]) => `${year}${serial}`,
    pairs: [['US 2019/1234567 A1', 'US20191234567A1']],
  },
  {
    country: 'US', // WKU of the 1976–2001 full-text tapes: type, seven or six digits, check digit
    pattern: /^0(\d{7})(\d)$/,
    body: ([, digits, check]) => (checked(digits!, check!) ? strip(digits!) : undefined),
    pairs: [
      ['039302717', 'US3930271'],
      ['039302750', 'US3930275'],
    ],
  },
  {
    country: 'US',
    pattern: /^(RE|PP)(\d{6})(\d)$/,
    body: ([, series, digits, check]) => (checked(digits!, check!) ? `${series}${strip(digits!)}` : undefined),
    pairs: [
      ['RE0286710', 'USRE28671E'],
      ['RE0286729', 'USRE28672'],
    ],
  },
  {
    country: 'US',
    pattern: /^([DHT])(\d{7})(\d)$/,
    body: ([, series, digits, check]) => (checked(digits!, check!) ? `${series}${strip(digits!)}` : undefined),
    pairs: [['D02383403', 'USD238340S']],
  },
  {
    country: 'US',
    pattern: /^(?:RE|R)(\d+)$/,
    body: ([, digits]) => `RE${strip(digits!)}`,
    pairs: [
      ['R28671', 'USRE28671'],
      ['USRE028671E1', 'USRE28671E1'],
      ['Re. 28,671', 'USRE28671'],
    ],
  },
  {
    country: 'US',
    pattern: /^(?:DES|D)(\d+)$/,
    body: ([, digits]) => `D${strip(digits!)}`,
    pairs: [
      ['USD0612345S1', 'USD612345S1'],
      ['Des. 238,340', 'USD238340'],
    ],
  },
  {
    country: 'WO', // two-digit year: 1978–2003
    pattern: /^(\d\d)\/?(\d{5,6})$/,
    body: ([, year, serial]) => `${century(year!)}${serial!.padStart(6, '0')}`,
    pairs: [
      ['WO9838919A1', 'WO1998038919A1'],
      ['WO 98/38919', 'WO1998038919'],
      ['WO-03012345-A1', 'WO2003012345A1'],
      ['WO0012345A2', 'WO2000012345A2'],
    ],
  },
  {
    country: 'WO',
    pattern: /^((?:19|20)\d\d)[/-]?(\d{5,6})$/,
    body: ([, year, serial]) => `${year}${serial!.padStart(6, '0')}`,
    pairs: [
      ['WO2004/012345', 'WO2004012345'],
      ['WO199838919A1', 'WO1998038919A1'],
    ],
  },
  {
    country: 'JP', // era letter and year set apart: JP H5-41326, JPS58-041326
    pattern: /^([MTSHR])(\d{1,2})[-/](\d{1,6})$/,
    body: ([, era, year, serial]) => `${era}${year!.padStart(2, '0')}${strip(serial!)}`,
    pairs: [
      ['JP H5-41326 A', 'JPH0541326A'],
      ['JPS58-041326A', 'JPS5841326A'],
      ['JP-S58-41326-A', 'JPS5841326A'],
    ],
  },
  {
    country: 'JP', // Heisei ended with year 31: a larger "year" is a one-digit year
    pattern: /^H([4-9])(\d{6})$/,
    body: ([, year, serial]) => `H0${year}${strip(serial!)}`,
    pairs: [['JPH5041326A', 'JPH0541326A']],
  },
  {
    country: 'JP',
    pattern: /^([MTSHR])(\d\d)(\d{1,6})$/,
    body: ([, era, year, serial]) => `${era}${year}${strip(serial!)}`,
    pairs: [
      ['JPH05041326A', 'JPH0541326A'],
      ['JPS58041326A', 'JPS5841326A'],
    ],
  },
  {
    country: 'JP', // a hyphen after the year; without one, 2001234 is a registration number
    pattern: /^P?(20\d\d)-P?(\d{1,6})$/,
    body: ([, year, serial]) => `${year}${serial!.padStart(6, '0')}`,
    pairs: [
      ['JP 2003-163612 A', 'JP2003163612A'],
      ['JP2003-63612A', 'JP2003063612A'],
      ['JP 2001-234 A', 'JP2001000234A'],
      ['JP-2001234-B2', 'JP2001234B2'],
    ],
  },
  {
    country: 'JP', // no era letter, two-digit era year
    pattern: /^(\d{1,2})[-/](\d{1,6})$/,
    body([, year, serial]) {
      const era = japaneseEra(year!);
      return era === undefined ? undefined : era + strip(serial!);
    },
    pairs: [
      ['JP 58-41326 A', 'JPS5841326A'],
      ['JP 5-41326 A', 'JPH0541326A'],
    ],
  },
  {
    country: 'JP',
    pattern: /^(\d\d)(\d{6})$/,
    body([, year, serial]) {
      const era = japaneseEra(year!);
      return era === undefined ? undefined : era + strip(serial!);
    },
    pairs: [
      ['JP58041326A', 'JPS5841326A'],
      ['JP05041326A', 'JPH0541326A'],
    ],
  },
  {
    country: 'JP', // seven digits: a registration number, but with the kind of an unexamined application an era year
    pattern: /^(\d\d)(\d{5})$/,
    kinds: /^[AU]/,
    body([, year, serial]) {
      const era = japaneseEra(year!);
      // Unexamined applications were first laid open in 1971, S46.
      return era === undefined || (era[0] === 'S' && era < 'S46') ? undefined : era + strip(serial!);
    },
    pairs: [
      ['JP5841326A', 'JPS5841326A'],
      ['JP-2001234-A', 'JP2001234A'],
    ],
  },
  {
    country: 'JP',
    pattern: /^P?(20\d\d)P?(\d{5,6})$/,
    body: ([, year, serial]) => `${year}${serial!.padStart(6, '0')}`,
    pairs: [['JP2003163612A', 'JP 2003-163612 A']],
  },
  {
    country: 'KR', // 10 = patent, 20 = utility model, then year and seven digits
    pattern: /^[12]0-?((?:19|20)\d\d)-?(\d{7})$/,
    body: ([, year, serial]) => `${year}${serial}`,
    pairs: [
      ['KR10-2001-0012345A', 'KR20010012345A'],
      ['KR1020010012345A', 'KR20010012345A'],
    ],
  },
  {
    country: 'KR',
    pattern: /^(10|20)-?(\d{7})(?:-?0000)?$/,
    body: ([, type, serial]) => `${type}${serial}`,
    pairs: [
      ['KR10-0123456B1', 'KR100123456B1'],
      ['KR10-0123456-0000', 'KR100123456'],
    ],
  },
  {
    country: 'DE', // utility models of the 1980s were written with a G
    pattern: /^G(\d+)$/,
    body: ([, digits]) => strip(digits!),
    pairs: [['DE-G-9012345-U1', 'DE9012345U1']],
  },
  {
    country: 'DE', // since 2004: type, year, six digits
    pattern: /^([12]\d)(20\d\d)(\d{6})(?:-\d)?$/,
    body: ([, type, year, serial]) => `${type}${year}${serial}`,
    pairs: [['DE 10 2011 106 405 A1', 'DE102011106405A1']],
  },
  {
    country: 'GB', // before 1916 numbers began anew each year
    pattern: /^(\d{1,5})\/(18\d\d|19[01]\d)$/,
    body: ([, serial, year]) => `${year}${serial!.padStart(5, '0')}`,
    pairs: [['GB 1,234/1910', 'GB191001234']],
  },
  {
    country: 'AU', // applications until 2001: serial/year
    pattern: /^(\d{4,5})\/(\d\d)$/,
    body: ([, serial, year]) => `${strip(serial!)}${year}`,
    pairs: [['AU 54321/86', 'AU5432186']],
  },
  {
    country: 'EP',
    pattern: /^(\d{1,7})$/,
    body: ([, digits]) => strip(digits!),
    pairs: [
      ['EP0005432A1', 'EP5432A1'],
      ['EP 0 005 432 A1', 'EP0005432A1'],
      ['EP-1926267-A1', 'EP1926267A1'],
    ],
  },
];

/** Pairs that need no rule of their own: leading zeros, separators, case. */
export const plainPairs: readonly (readonly [string, string])[] = [
  ['2790186', 'US2790186'],
  ['US-4058776-A', 'US4058776A'],
  ['US 4,121,250 A', 'US4121250A'],
  ['us4121250a', 'US4121250A'],
  ['US04121250A', 'US4121250A'],
  ['US-PP12345-P2', 'USPP12345P2'],
  ['US-H1234-H', 'USH1234H'],
  ['GB02123456A', 'GB2123456A'],
  ['DE 43 16 298 A1', 'DE4316298A1'],
  ['DE-19812345-C2', 'DE19812345C2'],
  ['CN-101478286-A', 'CN101478286A'],
  ['TW-I123456-B', 'TWI123456B'],
  ['CH-661404G-A3', 'CH661404A3'],
  ['BR-PI9912345-A2', 'BRPI9912345A2'],
];
