/** What every command gets: the options all commands share, the platform, and where to print. */
import type { Command } from 'commander';
import { nodePlatform } from '../base/node/platform.ts';
import { terminalProgress } from '../base/node/terminal.ts';
import type { Platform } from '../base/platform.ts';
import { printableColoured } from '../base/printable.ts';
import { type Progress, silent } from '../base/progress.ts';

interface GlobalOptions {
  home: string;
  json: boolean;
  seed: number;
  threads: number;
  device: 'cpu' | 'webgpu' | 'cuda' | 'auto';
  offline: boolean;
  debug: boolean;
  quiet: boolean;
}

export interface CliContext extends GlobalOptions {
  platform: Platform;
  progress: Progress;
  /** True where `--threads` was given, not left to its default. */
  threadsGiven: boolean;
  /** Aborted by Ctrl-C: finish the step under way, leave a resumable state. */
  signal: AbortSignal;
  /** Prints for a person; says nothing under `--json`. */
  print(text: string): void;
  /** Prints the one JSON document of `--json`; does nothing without it. */
  printJson(value: unknown): void;
}

/** Builds the context of the running command from commander's merged options. */
export function contextOf(command: Command, signal: AbortSignal): CliContext {
  const options = command.optsWithGlobals<Partial<GlobalOptions>>();
  const global: GlobalOptions = {
    home: options.home ?? process.env.PATENTLAB_HOME ?? '.patentlab',
    json: options.json ?? false,
    seed: options.seed ?? 1,
    threads: options.threads ?? nodePlatform.processors,
    device: options.device ?? 'auto',
    offline: options.offline ?? false,
    debug: options.debug ?? false,
    quiet: options.quiet ?? false,
  };
  return {
    ...global,
    threadsGiven: options.threads !== undefined,
    platform: nodePlatform,
    progress: global.quiet ? silent : terminalProgress(process.stderr),
    signal,
    print(text) {
      if (!global.json) process.stdout.write(`${printableColoured(text)}\n`);
    },
    printJson(value) {
      if (global.json) process.stdout.write(`${JSON.stringify(value, null, 2)}\n`);
    },
  };
}
