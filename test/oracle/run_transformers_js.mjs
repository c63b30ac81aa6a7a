// Runs an exported model in transformers.js, from a folder without a network:
//
//     node run_transformers_js.mjs PACKAGE_FOLDER MODEL_FOLDER TEXTS.json OUT.json
//
// PACKAGE_FOLDER: where `npm install @huggingface/transformers` was run. OUT.json: ids, sentence_embedding, and what the
// feature-extraction pipeline pools and normalises itself.
import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const [packages, folder, textsFile, out] = process.argv.slice(2);
const entry = createRequire(join(packages, 'package.json')).resolve('@huggingface/transformers');
const { AutoModel, AutoTokenizer, env, pipeline } = await import(pathToFileURL(entry).href);
env.allowRemoteModels = false;
const texts = JSON.parse(readFileSync(textsFile, 'utf8'));
const tokenizer = await AutoTokenizer.from_pretrained(folder);
const model = await AutoModel.from_pretrained(folder, { dtype: 'fp32', device: 'cpu' });
const inputs = await tokenizer(texts, { padding: true, truncation: true });
const { sentence_embedding } = await model(inputs);
const extract = await pipeline('feature-extraction', folder, { dtype: 'fp32', device: 'cpu' });
const pooled = await extract(texts, { pooling: 'mean', normalize: true });
const mask = inputs.attention_mask.tolist();
const ids = inputs.input_ids.tolist().map((row, at) => row.filter((_, i) => mask[at][i] === 1n).map(Number));
writeFileSync(out, JSON.stringify({ ids, vectors: sentence_embedding.tolist(), pooled: pooled.tolist() }));
