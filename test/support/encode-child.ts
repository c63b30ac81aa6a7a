/**
 * Encodes many invented texts with the checkpoint of argv[2] into the vectors folder argv[3] (`-`: none), argv[4] texts: a
 * process of its own, to be killed or measured. Prints `start`, then a line of JSON for every 20,000 texts given out, and
 * at the end the SHA-256 of all vectors.
 */
import { createHash } from 'node:crypto';
import { keepYoungSpaceSmall } from '../../src/base/node/memory.ts';
import { nodePlatform } from '../../src/base/node/platform.ts';
import { stream } from '../../src/base/random.ts';
import { encodeTexts } from '../../src/encode/index.ts';
import { loadModel } from '../../src/model/index.ts';

const [folder, vectors, count] = [process.argv[2]!, process.argv[3]!, Number(process.argv[4])];
const words =
  'the a transducer drives lens array of first hollow probe in tissue said pump MHz valve 10-20 sensor'.split(' ');

async function* texts(): AsyncGenerator<string> {
  const random = stream(1, 'texts');
  for (let i = 0; i < count; i++) {
    if (i % 20_000 === 0) process.stdout.write(`${JSON.stringify({ texts: i, rss: process.memoryUsage.rss() })}\n`);
    let text = '';
    for (let length = 5 + random.integer(60); length > 0; length--) text += `${random.pick(words)} `;
    yield text;
  }
}

keepYoungSpaceSmall(); // as the commands do
const model = await loadModel(nodePlatform, folder, { threads: 2 });
process.stdout.write('start\n');
const encoded = await encodeTexts(nodePlatform, model, {
  texts: texts(),
  batchTokens: 2048,
  ...(vectors === '-' ? {} : { vectors }),
});
const rss = process.memoryUsage.rss(); // before the vectors are read back
const hash = createHash('sha256');
for await (const { vectors: block } of encoded.blocks()) hash.update(new Uint8Array(block.buffer));
process.stdout.write(`${JSON.stringify({ sha256: hash.digest('hex'), ...encoded.summary, rss })}\n`);
await model.close();
