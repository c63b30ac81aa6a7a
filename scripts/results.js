// Writes docs/results.md from bench/results/*.jsonl (`npm run results`): one section a benchmark, with the command that made it.
// A line is a measurement of speed {bench, case, ours, peer, peerName, ratio, unit, hardware} or a figure {bench, case, value, ...}.
import { globSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** The text of docs/results.md. */
export function renderResults() {
  const sections = globSync('bench/results/*.jsonl', { cwd: root })
    .sort()
    .map((file) => section(basename(file, '.jsonl'), readLines(join(root, file))));
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

function section(name, lines) {
  const head = lines.find((line) => line.about);
  const rows = lines.filter((line) => !line.about);
  const columns = [...new Set(rows.flatMap((row) => Object.keys(row)))].filter(
    (key) => !['bench', 'hardware'].includes(key),
  );
  const first = rows.find((row) => row.hardware)?.hardware;
  const machineOf = (row) => row.hardware ?? first;
  const machines = [...new Set(rows.map(machineOf))];
  return [
    `## ${head?.title ?? name}`,
    '',
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
  ].join('\n');
}

function cell(value) {
  if (value === undefined || value === null) return '';
  if (typeof value === 'number') return Number.isInteger(value) ? String(value) : String(Number(value.toPrecision(4)));
  return String(value).replaceAll('|', '\\|');
}

if (process.argv[1] === fileURLToPath(import.meta.url))
  writeFileSync(join(root, 'docs', 'results.md'), renderResults());
