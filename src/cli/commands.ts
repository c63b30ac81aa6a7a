/**
 * All commands, in the order `--help` shows them. A module is loaded only where its command may be meant, so that `score`
 * does not wait for the packages that only `import` or `evaluate` need.
 */
import type { CommandModule } from './main.ts';

interface CommandEntry {
  name: string;
  load(): Promise<CommandModule>;
}

const entries: readonly CommandEntry[] = [
  { name: 'demo', load: () => import('./demo.ts') },
  { name: 'import', load: () => import('./import.ts') },
  { name: 'corpus', load: () => import('./corpus.ts') },
  { name: 'models', load: () => import('./models.ts') },
  { name: 'embed', load: () => import('./embed.ts') },
  { name: 'finetune', load: () => import('./finetune.ts') },
  { name: 'export', load: () => import('./export.ts') },
  { name: 'evaluate', load: () => import('./evaluate.ts') },
  { name: 'study', load: () => import('./study.ts') },
  { name: 'mteb', load: () => import('./mteb.ts') },
  { name: 'score', load: () => import('./score.ts') },
  { name: 'compare', load: () => import('./compare.ts') },
  { name: 'repeat', load: () => import('./repeat.ts') },
  { name: 'doctor', load: () => import('./doctor.ts') },
  { name: 'clean', load: () => import('./clean.ts') },
];

/** The commands that an argument names; all of them where none is named (help, mistakes). */
export function loadCommands(args: readonly string[]): Promise<CommandModule[]> {
  const named = entries.filter(({ name }) => args.includes(name));
  return Promise.all((named.length > 0 ? named : entries).map((entry) => entry.load()));
}
