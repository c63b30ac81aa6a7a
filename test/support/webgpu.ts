/** SwiftShader, a software Vulkan device that Chromium brings, in place of a graphics card. */
import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';

const driver = process.env.VK_ICD_FILENAMES ?? '/usr/lib/chromium/vk_swiftshader_icd.json';

/** Why tests of WebGPU are skipped, or false. */
export const withoutDriver = existsSync(driver) ? false : `no Vulkan driver in ${driver} (set VK_ICD_FILENAMES)`;

/** Names the driver to the loader: before the first session is made. */
export function useDriver(): void {
  process.env.VK_ICD_FILENAMES = driver;
  process.env.VK_DRIVER_FILES = driver;
  process.env.XDG_RUNTIME_DIR ??= tmpdir();
}

/** For errors where the driver is there but the loader finds none. */
export const isWithoutDevice = (error: unknown) => (error as { code?: string }).code === 'engine.device';
