/** Models on WebGPU: SwiftShader (a software Vulkan device that Chromium brings) stands in for a graphics card. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { test } from 'node:test';
import { nodePlatform } from '../../src/base/node/platform.ts';
import { loadModel } from '../../src/model/index.ts';
import { fixtureFolder, largestDifference } from './fixtures.ts';

const driver = process.env.VK_ICD_FILENAMES ?? '/usr/lib/chromium/vk_swiftshader_icd.json';
const skip = existsSync(driver) ? false : `no Vulkan driver in ${driver} (set VK_ICD_FILENAMES)`;

test('vectors of the CPU, within rounding', { skip }, async (t) => {
  process.env.VK_ICD_FILENAMES = driver;
  process.env.VK_DRIVER_FILES = driver;
  process.env.XDG_RUNTIME_DIR ??= tmpdir();
  const sequences = [Int32Array.of(2, 9, 8, 7, 3), Int32Array.of(2, 30, 3)];
  const [cpu, webgpu] = await Promise.all(
    (['cpu', 'webgpu'] as const).map((device) =>
      loadModel(nodePlatform, fixtureFolder('bert'), { device, threads: 1 }),
    ),
  );
  try {
    assert.deepEqual([cpu!.device, webgpu!.device], ['cpu', 'webgpu']);
    const found = await webgpu!.encode(sequences).catch((error: Error & { code?: string }) => {
      if (error.code !== 'engine.device') throw error;
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
