/**
 * Text from files and the network, made safe to print: a title can hold the escape codes that move a terminal's cursor, set
 * its title or clear its screen. Colours (`ESC [ ... m`) pass only where the text is our own.
 */

// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what this is about
const controls = /\r(?!\n)|[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]/g;
// biome-ignore lint/suspicious/noControlCharactersInRegex: as above
const controlsButColours = /\x1b\[[\d;]*m|\r(?!\n)|[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]/g;

/** Control characters but tab and line ends as `\xNN`. */
export function printable(text: string): string {
  return text.replace(controls, escaped);
}

/** As `printable`, for text of our own that may be coloured. */
export function printableColoured(text: string): string {
  return text.replace(controlsButColours, (found) => (found.length > 1 ? found : escaped(found)));
}

function escaped(character: string): string {
  return `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`;
}
