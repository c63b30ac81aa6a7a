/** All commands, in the order `--help` shows them. */
import * as clean from './clean.ts';
import * as compare from './compare.ts';
import * as corpus from './corpus.ts';
import * as demo from './demo.ts';
import * as doctor from './doctor.ts';
import * as embed from './embed.ts';
import * as evaluate from './evaluate.ts';
import * as importCommand from './import.ts';
import type { CommandModule } from './main.ts';
import * as repeat from './repeat.ts';
import * as score from './score.ts';

export const commands: CommandModule[] = [
  importCommand,
  corpus,
  demo,
  embed,
  evaluate,
  score,
  compare,
  repeat,
  doctor,
  clean,
];
