/** All texts of the ultrasound file: ids of our tokenizer, whole and cut, against the native one. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import native from 'tokenizers';
import { nodePlatform } from '../../src/base/node/platform.ts';
import { loadTokenizer } from '../../src/tokenizer/index.ts';
import { missing } from '../support/data.ts';
import { missingModel, realModel } from '../support/models.ts';
import { ultrasound, wholeText } from '../support/texts.ts';

const skip = missing('ultrasound_us.jsonl.gz') || missingModel('all-MiniLM-L6-v2');

test("MiniLM: ids of all ultrasound texts equal the native tokenizer's", { skip }, async () => {
  const folder = realModel('all-MiniLM-L6-v2');
  const ours = await loadTokenizer(nodePlatform, folder);
  const oracle = native.Tokenizer.fromFile(join(folder, 'tokenizer.json'));
  oracle.disableTruncation();
  oracle.disablePadding();
  let count = 0;
  for await (const patent of ultrasound()) {
    const text = wholeText(patent);
    const expected = (await oracle.encode(text)).getIds();
    assert.deepEqual([...ours.encode(text).ids], expected, patent.id);
    for (const maxLength of [16, 256, 512]) {
      const limited = ours.encode(text, { maxLength });
      const kept = expected.length <= maxLength ? expected : [...expected.slice(0, maxLength - 1), 102];
      assert.deepEqual([...limited.ids], kept, patent.id);
      assert.equal(limited.truncated, expected.length > maxLength);
    }
    count++;
  }
  assert.equal(count, 1252);
});
