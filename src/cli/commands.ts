/** All commands, in the order `--help` shows them. */
import type { CommandModule } from './main.ts';

export const commands: CommandModule[] = [];
