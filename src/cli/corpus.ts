/** `patentlab corpus list|show|remove`: what is stored. */
import type { Command } from 'commander';
import { listCorpora, openCorpus, removeCorpus } from '../corpus/store.ts';
import type { CliContext } from './context.ts';
import { columns, corpusCard } from './corpus-card.ts';
import { type Runner, withExample } from './main.ts';

export function register(program: Command, run: Runner): void {
  const corpus = program.command('corpus').description('Imported corpora: list, show, remove');
  withExample(
    corpus.command('list').description('All corpora with their sizes').action(run(list)),
    'patentlab corpus list',
  );
  withExample(
    corpus
      .command('show')
      .description('Counts, dates, lengths, labels, relations, and which tasks and views the corpus supports')
      .argument('<name>', 'the corpus')
      .action(run(show)),
    'patentlab corpus show mine',
  );
  withExample(
    corpus
      .command('remove')
      .description('Remove a corpus for good')
      .argument('<name>', 'the corpus')
      .action(run(remove)),
    'patentlab corpus remove mine',
  );
}

async function list(context: CliContext): Promise<void> {
  const corpora = await listCorpora(context.home);
  context.printJson({ corpora });
  if (corpora.length === 0) {
    context.print('no corpora; import one: patentlab import PATH --as NAME');
    return;
  }
  const rows = corpora.map(({ name, size, revision, bytes, invented, problem }) => [
    name,
    size.toLocaleString('en-US'),
    revision,
    `${(bytes / 1e6).toFixed(1)} MB`,
    problem ?? (invented ? 'invented data' : ''),
  ]);
  context.print(columns([['corpus', 'patents', 'revision', 'size', ''], ...rows]));
}

async function show(context: CliContext, name: string): Promise<void> {
  const corpus = await openCorpus(context.home, name);
  try {
    const { size, revision, hash, invented, sources, summary, directory } = corpus;
    context.printJson({ corpus: name, size, revision, hash, invented, directory, sources, ...summary });
    context.print(
      [
        `corpus "${name}", revision ${revision}: ${size.toLocaleString('en-US')} patents${invented ? ' (invented data)' : ''}`,
        `content  ${hash}`,
        ...sources.map(
          ({ file, rows, rejected, sha256 }) =>
            `source   ${file}, ${rows.toLocaleString('en-US')} rows, ${rejected} rejected, SHA-256 ${sha256.slice(0, 16)}…`,
        ),
        '',
        corpusCard(summary),
      ].join('\n'),
    );
  } finally {
    await corpus.close();
  }
}

async function remove(context: CliContext, name: string): Promise<void> {
  await removeCorpus(context.home, name);
  context.printJson({ removed: name });
  context.print(`corpus "${name}" is removed`);
}
