/** The registry of known models and the choice of prompts. */
import assert from 'node:assert/strict';
import { cpSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { PatentlabError } from '../../src/base/errors.ts';
import { nodePlatform } from '../../src/base/node/platform.ts';
import { supportedModelTypes } from '../../src/model/config.ts';
import { loadModel, loadRegistry, parseRegistry } from '../../src/model/index.ts';
import { scratch } from '../support/scratch.ts';
import { fixtureFolder } from './fixtures.ts';

test('the packaged registry: every model that runs is of a supported architecture, every other says why not', async () => {
  const registry = await loadRegistry(nodePlatform);
  assert.ok(registry.models.length >= 25);
  for (const model of registry.models) {
    assert.equal(model.runs, (supportedModelTypes as readonly string[]).includes(model.architecture), model.id);
    if (model.matryoshka.length > 0) assert.ok(model.matryoshka.includes(model.dimensions!), model.id);
  }
  const qwen = registry.find('qwen/qwen3-embedding-0.6b')!;
  assert.ok(qwen.prompts!.query.endsWith('\nQuery:')); // no space after it
  assert.deepEqual(registry.find('multilingual-e5-large')!.prompts, { query: 'query: ', document: 'passage: ' });
  assert.equal(registry.find('all-MiniLM-L6-v2')!.parameters, 22_713_216);
  assert.equal(registry.find('nobody/knows'), undefined);
});

test('a wrong registry is refused with file, field and what was found', () => {
  const entry = 'id: a/b\n    architecture: bert\n    certainty: file\n    runs: true';
  const cases: [text: string, code: string, word: string][] = [
    ['version: "1"\nmodels: [', 'registry.yaml', 'registry.yaml:'],
    ['models: []', 'registry.field', 'version'],
    [`version: "1"\nmodels:\n  - ${entry}\n    dimensions: many`, 'registry.field', 'models.0.dimensions'],
    [`version: "1"\nmodels:\n  - ${entry}\n    poling: mean`, 'registry.field', 'poling'],
    [`version: "1"\nmodels:\n  - ${entry}\n    pooling: median`, 'registry.field', 'models.0.pooling'],
    [`version: "1"\nmodels:\n  - ${entry}\n  - ${entry.replace('a/b', 'c/B')}`, 'registry.duplicate', 'a/b and c/B'],
    [`version: "1"\nmodels:\n  - ${entry.replace('true', 'false')}`, 'registry.field', 'note'],
  ];
  for (const [text, code, word] of cases) {
    assert.throws(
      () => parseRegistry(text, 'registry.yaml'),
      (error) => {
        assert.ok(error instanceof PatentlabError, String(error));
        assert.equal(error.code, code);
        assert.ok(error.describe().includes(word), `${word} is not in: ${error.describe()}`);
        return true;
      },
    );
  }
});

test('prompts: the checkpoint’s own win, the registry fills in, an override turns them around', async (t) => {
  const registry = (override: string) => `
version: test
models:
  - id: someone/bert
    architecture: bert
    maxLength: 12
    pooling: cls
    prompts: { query: "Q: ", document: "D: " }
    certainty: file
    runs: true
    ${override}`;
  const folder = join(scratch(t), 'bert');
  cpSync(fixtureFolder('bert'), folder, { recursive: true });
  const settings = (json: object) =>
    writeFileSync(join(folder, 'config_sentence_transformers.json'), JSON.stringify(json));
  const load = async (override = '', id?: string) => {
    const model = await loadModel(nodePlatform, folder, {
      backend: 'reference',
      registry: registry(override),
      ...(id === undefined ? {} : { id }),
    });
    return [
      model.prompt('query'),
      model.prompt('document'),
      model.prompts.source,
      model.pooling.modes[0],
      model.maxLength,
    ];
  };
  assert.deepEqual(await load(), ['find: ', '', 'checkpoint', 'mean', 40]);
  assert.deepEqual(await load('override: [prompts, pooling, maxLength]'), ['Q: ', 'D: ', 'registry', 'cls', 12]);
  settings({ prompts: { query: 'q ', passage: 'p ' } });
  assert.deepEqual((await load()).slice(0, 3), ['q ', 'p ', 'checkpoint']);
  settings({ prompts: { all: 'x ' }, default_prompt_name: 'all' });
  assert.deepEqual((await load()).slice(0, 3), ['x ', 'x ', 'checkpoint']);
  settings({ prompts: { query: '', document: '' } });
  assert.deepEqual((await load()).slice(0, 3), ['Q: ', 'D: ', 'registry']);
  settings({});
  assert.deepEqual((await load()).slice(0, 3), ['Q: ', 'D: ', 'registry']);
  assert.deepEqual((await load('', 'another/name')).slice(0, 3), ['', '', 'none']);
});
