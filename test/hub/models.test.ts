/** Finding and downloading models, against a hub on the loopback interface. */
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { existsSync, lstatSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer, request as httpRequest } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import type { PatentlabError } from '../../src/base/errors.ts';
import { findModel, type HubOptions, listModels, verifyFiles } from '../../src/hub/models.ts';
import { scratch } from '../support/scratch.ts';
import { localHub } from './local-hub.ts';

const id = 'lab/tiny';
const weights = randomBytes(300_000);
const files: Record<string, Uint8Array> = {
  'config.json': Buffer.from('{"model_type":"bert"}'),
  'modules.json': Buffer.from('[]'),
  '1_Pooling/config.json': Buffer.from('{}'),
  'tokenizer.json': Buffer.from('{"model":{}}'),
  'model.safetensors': weights,
  'pytorch_model.bin': Buffer.from('a pickle'),
  'README.md': Buffer.from('text'),
  'modeling_custom.py': Buffer.from('import os'),
};
const wanted = ['1_Pooling/config.json', 'config.json', 'model.safetensors', 'modules.json', 'tokenizer.json'];

test('a model is downloaded, verified, and found again without the network', async (t) => {
  const home = scratch(t);
  const hub = await localHub(t, id, files);
  const env = { HF_ENDPOINT: hub.endpoint, HF_HOME: join(home, 'none') };
  const found = await findModel(id, { home, env });
  assert.equal(found.source, 'hub');
  assert.equal(found.commit, hub.commit);
  assert.deepEqual(readFileSync(join(found.folder, 'model.safetensors')), weights);
  const manifest = JSON.parse(readFileSync(join(found.folder, 'patentlab-model.json'), 'utf8'));
  assert.deepEqual(Object.keys(manifest.files).sort(), wanted, 'no pickle, no code, no page');
  const before = hub.log.length;
  const again = await findModel(id, { home, env, offline: true });
  assert.equal(again.source, 'home');
  assert.equal(hub.log.length, before);
  assert.deepEqual(await verifyFiles(found.folder), { checked: wanted.length, damaged: [] });
  assert.deepEqual(await listModels(home), [{ id, folder: found.folder, commit: hub.commit }]);
});

test('a torn list of files counts as an unfinished download', async (t) => {
  const home = scratch(t);
  const hub = await localHub(t, id, files);
  const env = { HF_ENDPOINT: hub.endpoint, HF_HOME: join(home, 'none') };
  const { folder } = await findModel(id, { home, env });
  writeFileSync(join(folder, 'patentlab-model.json'), '{"format":1,"fi');
  assert.deepEqual(await listModels(home), []);
  const before = hub.log.length;
  assert.equal((await findModel(id, { home, env })).source, 'hub');
  assert.ok(hub.log.length > before);
  assert.deepEqual((await verifyFiles(folder)).damaged, []);
});

test('another revision than the stored one is never passed off as the one asked for', async (t) => {
  const home = scratch(t);
  const hub = await localHub(t, id, files);
  const env = { HF_ENDPOINT: hub.endpoint, HF_HOME: join(home, 'none') };
  await findModel(id, { home, env });
  assert.equal((await findModel(id, { home, env, revision: hub.commit })).source, 'home');
  await assert.rejects(findModel(id, { home, env, revision: 'v2' }), { code: 'model.revision', exitCode: 2 });
});

test('a broken connection is taken up where it stopped', async (t) => {
  const home = scratch(t);
  const hub = await localHub(t, id, files, { cutAfter: { bytes: 90_000, times: 2 } });
  const { folder } = await findModel(id, { home, env: { HF_ENDPOINT: hub.endpoint, HF_HOME: home }, pauseMs: 1 });
  assert.deepEqual(readFileSync(join(folder, 'model.safetensors')), weights);
  const ranges = hub.log.filter((line) => line.includes('safetensors bytes='));
  assert.equal(ranges.length, 2);
  assert.match(ranges[0]!, /bytes=90000-/);
});

test('a run that was stopped leaves a part that the next run goes on from', async (t) => {
  const home = scratch(t);
  const hub = await localHub(t, id, files);
  const folder = join(home, 'models', 'lab--tiny');
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'model.safetensors.partial'), weights.subarray(0, 123_456));
  await findModel(id, { home, env: { HF_ENDPOINT: hub.endpoint, HF_HOME: home } });
  assert.ok(hub.log.some((line) => line.endsWith('bytes=123456-')));
  assert.deepEqual(readFileSync(join(folder, 'model.safetensors')), weights);
});

test('a part that is wrong, and a server without ranges, end in the right file', async (t) => {
  for (const noRange of [false, true]) {
    const home = scratch(t);
    const hub = await localHub(t, id, files, { noRange });
    const folder = join(home, 'models', 'lab--tiny');
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'model.safetensors.partial'), randomBytes(5000));
    await findModel(id, { home, env: { HF_ENDPOINT: hub.endpoint, HF_HOME: home } });
    assert.deepEqual(readFileSync(join(folder, 'model.safetensors')), weights);
  }
});

test('a damaged file is refused, and no model stands there afterwards', async (t) => {
  const home = scratch(t);
  const hub = await localHub(t, id, files, { corrupt: 100 });
  const env = { HF_ENDPOINT: hub.endpoint, HF_HOME: home };
  await assert.rejects(findModel(id, { home, env, pauseMs: 1 }), { code: 'hub.damaged' });
  assert.deepEqual(await listModels(home), []);
  assert.equal(existsSync(join(home, 'models', 'lab--tiny', 'model.safetensors')), false);
});

test('a busy server is asked again, an absent one named', async (t) => {
  const home = scratch(t);
  const hub = await localHub(t, id, files, { busy: 3 });
  await findModel(id, { home, env: { HF_ENDPOINT: hub.endpoint, HF_HOME: home }, pauseMs: 1 });
  await assert.rejects(
    findModel('lab/other', { home, env: { HF_ENDPOINT: 'http://127.0.0.1:9', HF_HOME: home }, pauseMs: 1 }),
    (error: PatentlabError) =>
      error.code === 'hub.unreachable' && error.exitCode === 1 && error.describe().includes('127.0.0.1:9'),
  );
});

test('unknown models, forbidden models and offline use are told apart', async (t) => {
  const home = scratch(t);
  const hub = await localHub(t, id, files, { token: 'secret' });
  const env = { HF_ENDPOINT: hub.endpoint, HF_HOME: home };
  await assert.rejects(findModel(id, { home, env }), { code: 'hub.forbidden' });
  await assert.rejects(findModel('lab/none', { home, env: { ...env, HF_TOKEN: 'secret' } }), { code: 'hub.missing' });
  await assert.rejects(findModel(id, { home, env, offline: true }), { code: 'model.offline' });
  await assert.rejects(findModel('../no/such folder', { home, env }), { code: 'model.unknown' });
  assert.equal((await findModel(id, { home, env: { ...env, HF_TOKEN: 'secret' } })).source, 'hub');
});

test('the token is read from HF_HOME and never sent to another origin', async (t) => {
  const home = scratch(t);
  const storage = await localHub(t, id, files);
  const hub = await localHub(t, id, files, {
    token: 'secret',
    redirectTo: storage.endpoint.replace('127.0.0.1', 'localhost'),
  });
  writeFileSync(join(home, 'token'), 'secret\n');
  await findModel(id, { home, env: { HF_ENDPOINT: hub.endpoint, HF_HOME: home } });
  assert.ok(storage.requests.length >= wanted.length);
  for (const { headers } of storage.requests) assert.equal(headers.authorization, undefined);
});

test('a model in the Hugging Face cache is linked as real files (external data is refused through symbolic links)', async (t) => {
  const home = scratch(t);
  const hfHome = scratch(t);
  const root = join(hfHome, 'hub', 'models--lab--tiny');
  for (const folder of ['blobs', 'refs', 'snapshots/abc']) mkdirSync(join(root, folder), { recursive: true });
  writeFileSync(join(root, 'refs', 'main'), 'abc');
  for (const name of ['config.json', 'model.safetensors']) {
    writeFileSync(join(root, 'blobs', `${name}-blob`), files[name]!);
    symlinkSync(`../../blobs/${name}-blob`, join(root, 'snapshots', 'abc', name));
  }
  const found = await findModel(id, { home, offline: true, env: { HF_HOME: hfHome } });
  assert.equal(found.source, 'hugging-face-cache');
  assert.equal(lstatSync(join(found.folder, 'model.safetensors')).isSymbolicLink(), false);
  assert.deepEqual(readFileSync(join(found.folder, 'model.safetensors')), weights);
});

test('a damaged file in a stored model is found by verify', async (t) => {
  const home = scratch(t);
  const hub = await localHub(t, id, files);
  const { folder } = await findModel(id, { home, env: { HF_ENDPOINT: hub.endpoint, HF_HOME: home } });
  writeFileSync(join(folder, 'config.json'), '{}');
  const { damaged } = await verifyFiles(folder);
  assert.deepEqual(
    damaged.map(({ file }) => file),
    ['config.json'],
  );
});

test('a proxy is used where the environment names one', async (t) => {
  const home = scratch(t);
  const hub = await localHub(t, id, files);
  let through = 0;
  const proxy = createServer((request, response) => {
    through++;
    request.pipe(
      httpRequest(request.url!, { method: request.method, headers: request.headers }, (answer) => {
        response.writeHead(answer.statusCode!, answer.headers);
        answer.pipe(response);
      }),
    );
  });
  proxy.on('connect', (request, socket) => {
    through++;
    const [host, port] = request.url!.split(':');
    const target = connect(Number(port), host, () => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n');
      target.pipe(socket).pipe(target);
    });
    for (const end of [socket, target]) end.on('error', () => end.destroy());
  });
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    proxy.closeAllConnections();
    proxy.close();
  });
  const address = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
  await findModel(id, { home, env: { HF_ENDPOINT: hub.endpoint, HF_HOME: home, HTTP_PROXY: address } });
  assert.ok(through > 0, 'the proxy saw nothing');
});

test('a private certificate authority is trusted where SSL_CERT_FILE names it, and only there', async (t) => {
  const home = scratch(t);
  const certificates = join(import.meta.dirname, '..', 'fixtures', 'certificates');
  const tls = {
    key: readFileSync(join(certificates, 'server-key.pem')),
    cert: readFileSync(join(certificates, 'server.pem')),
  };
  const hub = await localHub(t, id, files, { tls });
  const env = { HF_ENDPOINT: hub.endpoint, HF_HOME: home };
  await assert.rejects(findModel(id, { home, env, pauseMs: 1 }), { code: 'hub.unreachable' });
  const found = await findModel(id, { home, env: { ...env, SSL_CERT_FILE: join(certificates, 'ca.pem') } });
  assert.equal(found.source, 'hub');
});

/** Puts files into a Hugging Face cache as its own software does: blobs by hash, a snapshot of symbolic links. */
function fillCache(hfHome: string, contents: Record<string, Uint8Array>): void {
  const root = join(hfHome, 'hub', 'models--lab--tiny');
  for (const folder of ['blobs', 'refs', 'snapshots/abc']) mkdirSync(join(root, folder), { recursive: true });
  writeFileSync(join(root, 'refs', 'main'), 'abc');
  for (const [name, content] of Object.entries(contents)) {
    const blob = createHash('sha256').update(content).digest('hex');
    writeFileSync(join(root, 'blobs', blob), content);
    symlinkSync(`../../blobs/${blob}`, join(root, 'snapshots', 'abc', name));
  }
}

const shards = {
  'model-00001-of-00002.safetensors': randomBytes(2000),
  'model-00002-of-00002.safetensors': randomBytes(900),
};
const sharded: Record<string, Uint8Array> = {
  'config.json': files['config.json']!,
  'tokenizer.json': files['tokenizer.json']!,
  'model.safetensors.index.json': Buffer.from(
    JSON.stringify({ weight_map: Object.fromEntries(Object.keys(shards).map((name, i) => [`tensor.${i}`, name])) }),
  ),
  ...shards,
};

test('a sharded model in the Hugging Face cache is used without the network', async (t) => {
  const home = scratch(t);
  const hfHome = scratch(t);
  fillCache(hfHome, sharded);
  const hub = await localHub(t, id, sharded);
  const found = await findModel(id, { home, env: { HF_ENDPOINT: hub.endpoint, HF_HOME: hfHome } });
  assert.equal(found.source, 'hugging-face-cache');
  assert.deepEqual(hub.log, []);
  for (const [name, content] of Object.entries(sharded))
    assert.deepEqual(readFileSync(join(found.folder, name)), content);
  assert.deepEqual((await verifyFiles(found.folder)).damaged, []);
});

test('of a sharded model that the cache holds in part, only the rest is downloaded', async (t) => {
  const home = scratch(t);
  const hfHome = scratch(t);
  const [there, missing] = Object.keys(shards) as [keyof typeof shards, keyof typeof shards];
  const { [missing]: _, ...part } = sharded;
  fillCache(hfHome, part);
  const hub = await localHub(t, id, sharded);
  const found = await findModel(id, { home, env: { HF_ENDPOINT: hub.endpoint, HF_HOME: hfHome } });
  assert.equal(found.source, 'hub');
  const weightsAsked = hub.log.filter((line) => line.endsWith('.safetensors'));
  assert.equal(weightsAsked.length, 1, weightsAsked.join());
  assert.ok(weightsAsked[0]!.includes(missing));
  assert.deepEqual(readFileSync(join(found.folder, there)), shards[there]);
  assert.deepEqual((await verifyFiles(found.folder)).damaged, []);
});

test('a blob of the cache that is damaged is downloaded anew, and the cache stays as it was', async (t) => {
  const home = scratch(t);
  const hfHome = scratch(t);
  const hub = await localHub(t, id, files);
  fillCache(hfHome, { 'model.safetensors': weights });
  const blob = join(hfHome, 'hub', 'models--lab--tiny', 'blobs', createHash('sha256').update(weights).digest('hex'));
  const damaged = Uint8Array.from(weights);
  damaged[7]! ^= 1;
  writeFileSync(blob, damaged);
  const { folder } = await findModel(id, { home, env: { HF_ENDPOINT: hub.endpoint, HF_HOME: hfHome } });
  assert.deepEqual(readFileSync(join(folder, 'model.safetensors')), weights);
  assert.deepEqual(readFileSync(blob), Buffer.from(damaged));
});

test('an id that is found nowhere: the known ids like it, and what to do if it is right', async (t) => {
  const home = scratch(t);
  const known = ['sentence-transformers/all-MiniLM-L6-v2', 'sentence-transformers/all-mpnet-base-v2', 'BAAI/bge-m3'];
  const hub = await localHub(t, id, files);
  const away = { HF_ENDPOINT: 'http://127.0.0.1:9', HF_HOME: home };
  const hintOf = async (model: string, options: Partial<HubOptions>) => {
    const error = await findModel(model, { home, env: away, known, pauseMs: 1, ...options }).catch((error) => error);
    return [error.code, error.details.hint] as [string, string];
  };
  for (const [options, code, right] of [
    [{ offline: true }, 'model.offline', /if it is right: on a machine with a network/],
    [{}, 'hub.unreachable', /if it is right: check the network/],
    [{ env: { HF_ENDPOINT: hub.endpoint, HF_HOME: home } }, 'hub.missing', /if it is right: check the id/],
  ] as const) {
    const [found, hint] = await hintOf('all-MinLM-L6-v2', options);
    assert.equal(found, code);
    assert.match(hint, /if the id is mistyped: did you mean sentence-transformers\/all-MiniLM-L6-v2/);
    assert.match(hint, right);
    assert.match((await hintOf('lab/zebra', options))[1], /no known model has a name like it.*models list/);
  }
  const [, exact] = await hintOf('BAAI/bge-m3', { offline: true });
  assert.doesNotMatch(exact, /mistyped/, 'a known id is no typing error');
});
