/**
 * Dates in many spellings to ISO: `2016-01-25`, `2016-01` or `2016`, as precise as the source. A date whose order of day and
 * month is not known (`03/04/2016`) keeps its year alone unless the column shows the order elsewhere (`dateOrder`).
 */

export type DateOrder = 'dmy' | 'mdy';

const MONTHS = new Map<string, number>();
for (const [index, names] of [
  'jan january januar janvier enero', 'feb february februar fevrier février febrero', 'mar march mär märz maerz mars marzo',
  'apr april avril abril', 'may mai mayo', 'jun june juni juin junio', 'jul july juli juillet julio',
  'aug august aout août agosto', 'sep sept september septembre septiembre', 'oct october okt oktober octobre octubre',
  'nov november novembre noviembre', 'dec december dez dezember decembre décembre diciembre',
].entries()) for (const name of names.split(' ')) MONTHS.set(name, index + 1); // biome-ignore format: one table

/** Texts that say "no date". */
const NOTHING = /^(?:|0+|-+|n\/?a|none|null|nan|nat|unknown|0000-00-00)$/i;

/** `undefined`: there is none; `null`: there is something that is not a date. */
export function parseDate(value: unknown, order?: DateOrder): string | null | undefined {
  if (value === undefined || value === null) return undefined;
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? null : value.toISOString().slice(0, 10);
  if (typeof value === 'number' || typeof value === 'bigint') return fromNumber(Number(value));
  if (typeof value !== 'string') return null;
  const text = value.trim();
  if (NOTHING.test(text)) return undefined;
  let match = /^(\d{4})-(\d\d)-(\d\d)(?:$|[T\s])/.exec(text);
  if (match !== null) return iso(match[1]!, match[2]!, match[3]!);
  if (/^\d+$/.test(text)) return fromNumber(Number(text));
  match = /^(\d{4})[-/.](\d{1,2})(?:[-/.](\d{1,2}))?(?:$|[T\s])/.exec(text);
  if (match !== null) return iso(match[1]!, match[2]!, match[3]);
  match = /^(\d{1,2})([-/.])(\d{1,2})\2(\d{4})(?:$|\s)/.exec(text);
  if (match !== null) return fromParts(match[1]!, match[3]!, match[4]!, match[2] === '.' ? 'dmy' : order);
  match = /^(\d{1,2})(?:st|nd|rd|th)?[\s.\-/]+(\p{L}+)[\s.,\-/]+(\d{4})\b/u.exec(text);
  if (match !== null) return iso(match[3]!, monthOf(match[2]!), match[1]!);
  match =
    /^(?:\p{L}{2,9},?\s+)?(\p{L}+)\.?\s+(\d{1,2})(?:st|nd|rd|th)?,?\s+(?:\d\d:\d\d:\d\d\s+(?:[A-Z]{3,4}\s+)?)?(\d{4})\b/u.exec(
      text,
    );
  if (match !== null) return iso(match[3]!, monthOf(match[1]!), match[2]!);
  match = /^(\p{L}+)\.?,?[\s\-/]+(\d{4})$/u.exec(text);
  if (match !== null) return iso(match[2]!, monthOf(match[1]!), undefined);
  return null;
}

/** The order of day and month that a column's values show, `undefined` where they show none or contradict each other. */
export function dateOrder(values: readonly unknown[]): DateOrder | undefined {
  let dmy = false;
  let mdy = false;
  for (const value of values) {
    const match = typeof value === 'string' ? /^\s*(\d{1,2})([-/])(\d{1,2})\2\d{4}/.exec(value) : null;
    if (match === null) continue;
    if (Number(match[1]) > 12) dmy = true;
    if (Number(match[3]) > 12) mdy = true;
  }
  return dmy === mdy ? undefined : dmy ? 'dmy' : 'mdy';
}

function fromParts(first: string, second: string, year: string, order: DateOrder | undefined): string | null {
  const [a, b] = [Number(first), Number(second)];
  if (order === 'dmy' || a > 12) return iso(year, second, first);
  if (order === 'mdy' || b > 12 || a === b) return iso(year, first, second);
  return a >= 1 && b >= 1 ? iso(year) : null;
}

/** `20160125`, `201601`, `2016`, seconds or milliseconds since 1970. */
function fromNumber(value: number): string | null | undefined {
  if (Number.isNaN(value)) return undefined; // how tables of numbers write "none"
  if (value === 0) return undefined;
  const text = String(value);
  if (Number.isInteger(value) && value > 0) {
    if (/^(?:1[5-9]|20|21)\d\d$/.test(text)) return text;
    if (/^(?:1[5-9]|20|21)\d{6}$/.test(text)) return iso(text.slice(0, 4), text.slice(4, 6), text.slice(6, 8));
    if (/^(?:1[5-9]|20|21)\d{4}$/.test(text)) return iso(text.slice(0, 4), text.slice(4, 6));
  }
  const size = Math.abs(value);
  if (size < 1e8 || size > 5e12) return null;
  return new Date(size < 1e11 ? value * 1000 : value).toISOString().slice(0, 10);
}

function monthOf(name: string): string {
  return String(MONTHS.get(name.toLowerCase()) ?? 0);
}

/** `00` for month or day (as old records have) leaves that part out. */
function iso(year: string, month?: string, day?: string): string | null {
  const y = Number(year);
  if (y < 1500 || y > 2199) return null;
  if (month === undefined || month === '00') return year;
  const m = Number(month);
  if (!(m >= 1 && m <= 12)) return null;
  const start = `${year}-${String(m).padStart(2, '0')}`;
  if (day === undefined || day === '00') return start;
  const d = Number(day);
  if (!(d >= 1 && d <= new Date(Date.UTC(y, m, 0)).getUTCDate())) return null;
  return `${start}-${String(d).padStart(2, '0')}`;
}

/** 0 = Sunday .. 6 = Saturday of a whole ISO date, `undefined` for a shorter one. */
export function weekday(date: string): number | undefined {
  return date.length === 10 ? new Date(`${date}T00:00:00Z`).getUTCDay() : undefined;
}
