/** Devices are named only where they compute; commands to copy run as they stand. */
import assert from 'node:assert/strict';
import { join, resolve } from 'node:path';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { commandName } from '../../src/cli/command-name.ts';
import { devices, probeDevices } from '../../src/cli/devices.ts';

test('each device has computed, or says why not and what it needs', async () => {
  const found = await probeDevices();
  assert.deepEqual(
    found.map(({ device }) => device),
    [...devices],
  );
  assert.equal(found[0]!.works, true, found[0]!.reason);
  for (const { works, reason, needs } of found)
    assert.ok(works ? reason === undefined : reason!.length > 5 && needs!.length > 5);
});

test('a device that does not answer in time does not work, and nothing hangs', async () => {
  for (const { works, reason } of await probeDevices({ limitMs: 1 })) {
    assert.equal(works, false);
    assert.match(reason!, /did not answer within 0\.001 s/);
  }
});

test('a checkout is started by its file, seen from the present folder; an installed package by npx', () => {
  const root = resolve('a folder', 'checkout');
  const moduleUrl = pathToFileURL(join(root, 'src', 'cli', 'command-name.ts')).href;
  assert.equal(commandName({ moduleUrl, folder: root }), `node ${join('bin', 'patentlab.js')}`);
  const above = join('checkout', 'bin', 'patentlab.js');
  assert.equal(commandName({ moduleUrl, folder: resolve('a folder') }), `node ${above}`);
  assert.equal(commandName({ moduleUrl, folder: resolve('.') }), `node "${join('a folder', above)}"`);
  assert.equal(commandName({ moduleUrl: moduleUrl.replace(/\.ts$/, '.js'), folder: root }), 'npx patentlab');
});
