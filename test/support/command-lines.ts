/** Reads command lines as documents show them: continued lines, quotes, pipes. */

/** Commands of a shell text, one string each: continued lines joined, bodies of here-documents and comments left out. */
export function commandsIn(shell: string): string[] {
  const commands: string[] = [];
  let end: string | undefined;
  for (const line of shell.replaceAll('\\\n', ' ').split('\n')) {
    if (end !== undefined) {
      if (line.trim() === end) end = undefined;
      continue;
    }
    end = /<<-?\s*'?(\w+)'?/.exec(line)?.[1];
    const text = line.trim();
    if (text !== '' && !text.startsWith('#')) commands.push(...splitPipes(text));
  }
  return commands;
}

function splitPipes(text: string): string[] {
  const words = wordsOf(text);
  const parts: string[][] = [[]];
  for (const word of words) {
    if (['|', '&&', '||', ';'].includes(word)) parts.push([]);
    else parts.at(-1)!.push(word);
  }
  return parts.filter((part) => part.length > 0).map((part) => part.join(' '));
}

/** Words of a line; what is quoted is one word, without its quotes. */
export function wordsOf(line: string): string[] {
  return [...line.matchAll(/(?:'([^']*)'|"([^"]*)"|[^\s'"])+/g)].map((match) => match[0].replaceAll(/['"]/g, ''));
}

/** The options that a line names, without their values. */
export function optionsOfLine(line: string): string[] {
  return [...line.replaceAll(/'[^']*'|"[^"]*"/g, '_').matchAll(/(?<=\s)(--?[a-zA-Z][\w-]*)/g)].map(
    (match) => match[1]!,
  );
}
