/** All commands, in the order `--help` shows them. */
import * as compare from './compare.ts';
import type { CommandModule } from './main.ts';
import * as score from './score.ts';

export const commands: CommandModule[] = [score, compare];
