// Writes docs/results.md from bench/results/*.jsonl (`npm run results`): one section a benchmark, with the command that made it.
// A line is a measurement of speed {bench, case, ours, peer, peerName, ratio, unit, hardware}, a figure {bench, case, value, ...}
// or the head {bench, about, title?, command?}. A benchmark that is run in parts says in each line which one: {part}.
import { globSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** The text of docs/results.md. */
export function renderResults() {
  const sections = globSync('bench/results/*.jsonl', { cwd: root })
    .sort()
    .map((file) => renderSection(basename(file, '.jsonl'), readLines(join(root, file))));
  return [
    '# Results',
    '',
    'Every table is written by the command above it, from the lines that `bench/` prints. Times come from shared, noisy',
    'machines: trust ratios, which are measured side by side in one run (medians, ours and the peer in turn), not seconds.',
    'A ratio above 1 means patentlab is faster, or takes less memory.',
    '',
    ...sections,
  ].join('\n');
}

function readLines(path) {
  return readFileSync(path, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line));
}

/** Saved lines after a run: what it printed takes the place of what its parts had of the same hardware, heads of any. */
export function mergeLines(before, lines) {
  const placeOf = (line) => {
    const { part = '', hardware = '' } = JSON.parse(line);
    return { part, place: JSON.stringify([part, hardware]) };
  };
  const printed = lines.map(placeOf);
  const here = new Set(printed.flatMap(({ part, place }) => [JSON.stringify([part, '']), place]));
  return [...lines, ...before.filter((line) => !here.has(placeOf(line).place))];
}

/** What docs/results.md says of one benchmark; where it is run in parts, each stands apart. */
export function renderSection(name, lines) {
  const parts = Map.groupBy(lines, ({ part }) => part);
  const title = lines.find((line) => line.title)?.title ?? name;
  return [
    `## ${title}`,
    '',
    ...[...parts.keys()]
      .sort()
      .flatMap((part) => [...(part ? [`### ${part}`, ''] : []), ...tables(name, parts.get(part))]),
  ].join('\n');
}

/** What is said of one part of a benchmark, its command and a table for each machine. */
function tables(name, lines) {
  const head = lines.find((line) => line.about);
  const rows = lines.filter((line) => !line.about);
  const columns = [...new Set(rows.flatMap((row) => Object.keys(row)))].filter(
    (key) => !['bench', 'part', 'hardware'].includes(key),
  );
  const first = rows.find((row) => row.hardware)?.hardware;
  const machineOf = (row) => row.hardware ?? first;
  const machines = [...new Set(rows.map(machineOf))];
  return [
    ...(head ? [head.about, ''] : []),
    '```sh',
    head?.command ?? `npm run bench -- ${name} --save`,
    '```',
    '',
    ...machines.flatMap((machine) => [
      `| ${columns.join(' | ')} |`,
      `| ${columns.map(() => '---').join(' | ')} |`,
      ...rows
        .filter((row) => machineOf(row) === machine)
        .map((row) => `| ${columns.map((key) => cell(row[key])).join(' | ')} |`),
      '',
      ...(machine === undefined ? [] : [`Hardware: ${machine}.`, '']),
    ]),
  ];
}

function cell(value) {
  if (value === undefined || value === null) return '';
  if (typeof value === 'number') return Number.isInteger(value) ? String(value) : String(Number(value.toPrecision(4)));
  return String(value).replaceAll('|', '\\|');
}

if (process.argv[1] === fileURLToPath(import.meta.url))
  writeFileSync(join(root, 'docs', 'results.md'), renderResults());
