/** The supported architectures by the name in their configuration. */
import { bert } from './bert.ts';
import type { EncoderConfig } from './config.ts';
import type { Architecture } from './forward.ts';
import { modernBert } from './modernbert.ts';
import { mpnet } from './mpnet.ts';

const architectures = { bert, mpnet, modernbert: modernBert };

export function architectureOf(config: EncoderConfig): Architecture {
  return architectures[config.architecture] as Architecture;
}
