/** A corpus's summary as a person reads it: what `import` ends with and `corpus show` prints. */
import type { CorpusSummary } from '../corpus/summary.ts';

const number = (value: number) => value.toLocaleString('en-US');

export function corpusCard(summary: CorpusSummary): string {
  return [fieldTable(summary), '', ...facts(summary), '', ...supports(summary)].join('\n');
}

function fieldTable({ fields, patents }: CorpusSummary): string {
  const rows = [['field', 'patents', 'share', 'median', '90 %', 'longest']];
  const share = (present: number) => `${((100 * present) / Math.max(1, patents)).toFixed(0)} %`;
  for (const [name, field] of Object.entries(fields)) {
    if (field.present === 0) continue;
    const row = [name, number(field.present), share(field.present)];
    if ('median' in field) row.push(number(field.median), number(field.p90), `${number(field.longest)} characters`);
    else if ('entries' in field)
      row.push('', '', `${number(field.entries)} in all, ${(field.entries / field.present).toFixed(1)} each`);
    rows.push(row);
  }
  const absent = Object.entries(fields).filter(([, field]) => field.present === 0);
  const table = columns(rows);
  return absent.length === 0 ? table : `${table}\nnot in the sources: ${absent.map(([name]) => name).join(', ')}`;
}

function facts(summary: CorpusSummary): string[] {
  const { citations, years, labels, cpcSubclasses, ipcSubclasses } = summary;
  const known = years.filter(({ year }) => year !== 'unknown');
  const undated = summary.patents - known.reduce((sum, { documents }) => sum + documents, 0);
  const lines = [
    known.length === 0
      ? 'dates      none'
      : `dates      ${known[0]!.year}–${known.at(-1)!.year}${undated > 0 ? `, ${number(undated)} patents without` : ''}`,
    `countries  ${few(summary.countries.map(({ country, documents }) => [country, documents]))}`,
    `languages  ${few(summary.languages.map(({ language, documents }) => [language, documents]))}`,
  ];
  for (const [name, counts] of [
    ['labels', labels],
    ['CPC', cpcSubclasses],
    ['IPC', ipcSubclasses],
  ] as const)
    if (counts.distinct > 0)
      lines.push(
        `${name.padEnd(10)} ${number(counts.distinct)}: ${few(
          counts.top.map(({ value, count }) => [value, count]),
          counts.distinct,
        )}`,
      );
  if (citations.total > 0) {
    const { total, inside, unresolved, ambiguous, unreadable, citing, edges } = citations;
    lines.push(
      `citations  ${number(total)} listed: ${number(inside)} to patents of the corpus, ${number(unresolved)} to others` +
        (ambiguous > 0 ? `, ${number(ambiguous)} ambiguous` : '') +
        (unreadable > 0 ? `, ${number(unreadable)} no readable number` : ''),
      `           ${number(citing)} patents cite inside, ${number(edges)} distinct pairs`,
    );
  }
  return lines;
}

function supports({ supports: all }: CorpusSummary): string[] {
  const rows = all.map(({ what, supported, why }) => [supported ? 'yes' : 'no', what, why]);
  return ['what it supports', columns(rows)];
}

/** The first of `counts`, which may itself be the head of `distinct` values. */
function few(counts: [string, number][], distinct = counts.length, limit = 8): string {
  const shown = counts.slice(0, limit).map(([name, count]) => `${name} ${number(count)}`);
  if (distinct > shown.length) shown.push(`and ${number(distinct - shown.length)} more`);
  return shown.join(', ');
}

/** Columns two blanks apart; those whose cells are all numbers stand right. */
export function columns(rows: readonly (readonly string[])[]): string {
  const widths: number[] = [];
  const right: boolean[] = [];
  for (const row of rows)
    row.forEach((cell, i) => {
      widths[i] = Math.max(widths[i] ?? 0, cell.length);
    });
  widths.forEach((_, i) => {
    right[i] =
      rows.slice(1).some((row) => row[i]) && rows.slice(1).every((row) => !row[i] || /^[\d,.]+(?: %)?$/.test(row[i]!));
  });
  return rows
    .map((row) =>
      row
        .map((cell, i) => (right[i] ? cell.padStart(widths[i]!) : cell.padEnd(widths[i]!)))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
