/** Memory of this process as a whole: for commands, never for the library. */
import { setFlagsFromString } from 'node:v8';

/**
 * Keeps V8's space for short-lived objects at the size it has. Left alone, V8 doubles it up to 128 MiB and more in a long
 * stream of rows, although no more is alive at any time; a stream runs no faster with it.
 */
export function keepYoungSpaceSmall(): void {
  setFlagsFromString('--semi-space-growth-factor=1');
}
