/** What the program says about itself: its commands and their options, as `--help` prints them. */
import type { CliOutcome } from './cli.ts';
import { cliSeries } from './cli-series.ts';

export interface CommandHelp {
  /** `corpus list`. */
  path: string;
  text: string;
  /** Options as `--help` names them, global ones included: `--view`, `-h`. */
  options: Set<string>;
  subcommands: string[];
}

const sectionOf = (text: string, title: string): string[] => {
  const lines = text.split('\n');
  const from = lines.indexOf(`${title}:`);
  if (from < 0) return [];
  const to = lines.findIndex((line, i) => i > from && line === '');
  return lines.slice(from + 1, to < 0 ? undefined : to);
};

/** Names of a section's entries: those two spaces in; continued lines stand deeper. */
const namesIn = (lines: string[]): string[] =>
  lines.filter((line) => /^ {2}\S/.test(line)).map((line) => line.trim().split(/\s/)[0]!);

function helpOf(path: string, { code, stdout, stderr }: CliOutcome): CommandHelp {
  if (code !== 0) throw new Error(`patentlab ${path} --help: ${stderr}`);
  const lines = [...sectionOf(stdout, 'Options'), ...sectionOf(stdout, 'Global Options')];
  const options = new Set(
    lines.filter((line) => /^ {2}-/.test(line)).flatMap((line) => line.match(/(?<=\s)--?[a-z][\w-]*(?=[\s,]|$)/gi)!),
  );
  return {
    path,
    text: stdout,
    options,
    subcommands: namesIn(sectionOf(stdout, 'Commands')).filter((name) => name !== 'help'),
  };
}

/** Every command and group of the program by its path; the program itself under ''. */
export async function programHelp(): Promise<Map<string, CommandHelp>> {
  const found = new Map<string, CommandHelp>();
  let open = [''];
  while (open.length > 0) {
    const outcomes = await cliSeries(open.map((path) => [...path.split(' ').filter(Boolean), '--help']));
    const level = open.map((path, i) => helpOf(path, outcomes[i]!));
    for (const help of level) found.set(help.path, help);
    open = level.flatMap(({ path, subcommands }) => subcommands.map((name) => `${path} ${name}`.trim()));
  }
  return found;
}
