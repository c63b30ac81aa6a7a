/** Models on WebGPU: SwiftShader (a software Vulkan device that Chromium brings) stands in for a graphics card. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nodePlatform } from '../../src/base/node/platform.ts';
import { loadModel } from '../../src/model/index.ts';
import { isWithoutDevice, useDriver, withoutDriver } from '../support/webgpu.ts';
import { fixtureFolder, largestDifference } from './fixtures.ts';

test('vectors of the CPU, within rounding', { skip: withoutDriver }, async (t) => {
  useDriver();
  const sequences = [Int32Array.of(2, 9, 8, 7, 3), Int32Array.of(2, 30, 3)];
  const [cpu, webgpu] = await Promise.all(
    (['cpu', 'webgpu'] as const).map((device) =>
      loadModel(nodePlatform, fixtureFolder('bert'), { device, threads: 1 }),
    ),
  );
  try {
    assert.deepEqual([cpu!.device, webgpu!.device], ['cpu', 'webgpu']);
    const found = await webgpu!.encode(sequences).catch((error: unknown) => {
      if (!isWithoutDevice(error)) throw error;
      t.skip('WebGPU finds no device: libvulkan must be where the loader looks');
    });
    if (!found) return;
    const worst = largestDifference(found, await cpu!.encode(sequences));
    assert.ok(worst < 1e-4, `largest difference ${worst}`);
  } finally {
    await cpu!.close();
    await webgpu!.close();
  }
});
