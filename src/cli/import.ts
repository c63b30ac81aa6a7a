/** `patentlab import`: files, folders and globs become a corpus, or are merged into one by id. */
import type { Command } from 'commander';
import { inputError, quoteFound } from '../base/errors.ts';
import { type ImportSummary, importCorpus } from '../corpus/import.ts';
import { conflictRules, type OnConflict } from '../corpus/store-merge.ts';
import type { View } from '../corpus/views.ts';
import type { CliContext } from './context.ts';
import { columns, corpusCard } from './corpus-card.ts';
import { listOption, type Runner, withExample } from './main.ts';

interface ImportFlags {
  as: string;
  format?: string;
  map?: string[];
  record?: string;
  onConflict?: string;
}

export function register(program: Command, run: Runner): void {
  withExample(
    program
      .command('import')
      .description('Import patents from files, folders or globs into a corpus; format and columns are guessed')
      .argument('<path...>', 'files, folders, globs; gzipped ones too')
      .requiredOption('--as <name>', 'name of the corpus; one that exists is added to')
      .option('--format <format>', 'format of all files, where guessing fails')
      .option(
        '--map <field=path,...>',
        'columns that guessing misses, e.g. claims=claims.text,labels=topic',
        listOption,
      )
      .option('--record <element>', 'where the records are: list of a JSON file (a.b), sheet of a workbook')
      .option('--on-conflict <rule>', `patents that are there already: ${conflictRules.join(', ')} (default: fill)`)
      .action(run(importCommand)),
    'patentlab import export.csv --as mine',
    'patentlab import "dumps/*.jsonl.gz" --as mine --map id=publication_number,cites=Citations',
  );
}

async function importCommand(context: CliContext, paths: string[], flags: ImportFlags): Promise<void> {
  const { home, progress, signal } = context;
  const summary = await importCorpus({
    home,
    name: flags.as,
    paths,
    progress,
    signal,
    map: mapOf(flags.map ?? []),
    onConflict: conflictRuleOf(flags.onConflict ?? 'fill'),
    ...(flags.format === undefined ? {} : { format: flags.format }),
    ...(flags.record === undefined ? {} : { record: flags.record }),
  });
  context.printJson(summary);
  context.print(importText(summary));
}

function mapOf(pairs: string[]): Record<string, string> {
  const map: Record<string, string> = {};
  for (const pair of pairs) {
    const at = pair.indexOf('=');
    if (at < 1 || at === pair.length - 1)
      throw inputError('a column mapping is not readable', {
        code: 'import.map',
        field: '--map',
        expected: 'field=path, e.g. claims=claims.text',
        found: quoteFound(pair),
      });
    map[pair.slice(0, at).trim()] = pair.slice(at + 1).trim();
  }
  return map;
}

function conflictRuleOf(text: string): OnConflict {
  const rule = conflictRules.find((known) => known === text);
  if (rule !== undefined) return rule;
  throw inputError('there is no such rule', {
    code: 'import.conflict',
    field: '--on-conflict',
    expected: conflictRules.join(', '),
    found: quoteFound(text),
  });
}

/**
 * Views worth comparing first: the title, what is added to it, and the claims where abstracts lack (where both are there,
 * TAC holds them). A view is left out where a larger one of the list says the same of this corpus.
 */
function suggestedViews(has: (view: View) => boolean): View[] {
  const claims: View[] = has('C') ? ['C'] : has('C1') ? ['C1'] : [];
  const texts: View[] = has('TA')
    ? ['TA', ...(has('TAC') ? (['TAC'] as const) : claims)]
    : [...(has('A') ? (['A'] as const) : []), ...(has('AC') ? (['AC'] as const) : claims)];
  return [...(has('T') ? (['T'] as const) : []), ...texts, ...(has('full') ? (['full'] as const) : [])];
}

/** The command to go on with, over the views that the corpus has. */
function nextStep({ corpus, summary }: ImportSummary): string[] {
  const has = (what: string) => summary.supports.some((entry) => entry.what === what && entry.supported);
  const known = suggestedViews((view) => has(`view ${view}`));
  // Descriptions of a few patents are no ground for a comparison of texts, unless there is no other text.
  const described = 2 * (summary.fields.description?.present ?? 0) >= summary.patents;
  const views = described || known.length === 1 ? known : known.filter((view) => view !== 'full');
  if (views.length === 0)
    return ['no text was found in the sources: name its columns with --map title=...,abstract=...'];
  const relevance = has('retrieval by cites') ? '' : has('retrieval by coupling') ? ' --relevance coupling' : undefined;
  if (relevance === undefined)
    return [
      ...(['labels', 'CPC', 'IPC'].some((by) => has(`classification by ${by}`))
        ? ['next:', `  patentlab evaluate ${corpus} --task classification --model bm25,lsa --view ${views.join(',')}`]
        : []),
      'no citations inside: to evaluate search, bring judgements of your own',
      `  patentlab evaluate ${corpus} --model bm25 --relevance qrels --qrels FILE --queries FILE`,
    ];
  return ['next:', `  patentlab evaluate ${corpus} --model bm25,lsa --view ${views.join(',')}${relevance}`];
}

function importText(result: ImportSummary): string {
  const number = (value: number) => value.toLocaleString('en-US');
  const lines = [
    `corpus "${result.corpus}", revision ${result.revision}: ${number(result.stored)} patents${result.invented ? ' (invented data)' : ''}`,
    `read ${number(result.read)} rows: ${number(result.added)} new, ${number(result.duplicates)} of patents that were there already, ${number(result.rejected)} rejected (${result.seconds.toFixed(1)} s)`,
  ];
  if (result.rejected > 0) {
    lines.push(`rejected rows with their reasons: ${result.rejects}`);
    for (const { reason, count } of result.rejectReasons.slice(0, 10)) lines.push(`  ${number(count)}  ${reason}`);
  }
  for (const { note, count } of result.notes.slice(0, 10)) lines.push(`note: ${note} (${number(count)})`);
  const shown = new Set<string>();
  for (const { file, format, fields, unused, notes } of result.columns) {
    const plan = Object.entries(fields).map(([field, { paths, guessed }]) => [
      field,
      '<-',
      paths.join(', '),
      guessed ? 'guessed' : 'as you said',
    ]);
    const text = columns(plan);
    const told = [text, ...notes].join('\n');
    if (shown.has(told)) continue; // many files of one shape
    shown.add(told);
    lines.push('', `columns of ${file} (${format})`, text);
    for (const note of notes) lines.push(`note: ${note}`);
    if (unused.length > 0)
      lines.push(
        `kept under "extra": ${unused.slice(0, 20).join(', ')}${unused.length > 20 ? `, and ${unused.length - 20} more` : ''}`,
      );
  }
  lines.push('', corpusCard(result.summary), '', ...nextStep(result));
  return lines.join('\n');
}
