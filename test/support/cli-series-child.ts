/** The process of `cli-series.ts`: takes command lines, gives what each printed and the exit code it came to. */
import { main } from '../../src/cli/main.ts';
import type { CliOutcome } from './cli.ts';

/** Collects what is written to a stream until the function it returns is called. */
function capture(stream: NodeJS.WriteStream): () => string {
  const { write } = stream;
  let text = '';
  stream.write = ((chunk: string | Uint8Array) => {
    text += typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString('utf8');
    return true;
  }) as typeof write;
  return () => {
    stream.write = write;
    return text;
  };
}

process.once('message', async (commands: string[][]) => {
  const outcomes: CliOutcome[] = [];
  for (const args of commands) {
    const [stdout, stderr] = [capture(process.stdout), capture(process.stderr)];
    const code = await main(args);
    outcomes.push({ code, stdout: stdout(), stderr: stderr() });
  }
  process.send!(outcomes, () => process.exit(0));
});
