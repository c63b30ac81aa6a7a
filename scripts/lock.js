// Completes package-lock.json after `npm install`: a registry that holds packages of some platforms only leaves the others
// out of the lock, and `npm ci` then refuses it everywhere. Platform packages that are named but missing are entered with
// their version and with the platform that their name says; `npm ci` fetches only the one it runs on.
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const systems = ['aix', 'android', 'darwin', 'freebsd', 'linux', 'netbsd', 'openbsd', 'sunos', 'win32'];
const processors = ['arm', 'arm64', 'ia32', 'loong64', 'mips64el', 'ppc64', 'riscv64', 's390x', 'x64'];

/** Optional packages that the lock's packages name and the lock does not hold: `{ name, version, dev }`. */
export function missingPackages(lock) {
  const missing = [];
  for (const entry of Object.values(lock.packages)) {
    for (const [name, version] of Object.entries(entry.optionalDependencies ?? {})) {
      if (lock.packages[`node_modules/${name}`] === undefined) missing.push({ name, version, dev: entry.dev === true });
    }
  }
  return missing;
}

/** The lock with entries for them, in npm's order, and without addresses of a registry. */
export function completeLock(lock) {
  const packages = { ...lock.packages };
  for (const { name, version, dev } of missingPackages(lock)) {
    const parts = name.split(/[-/]/);
    const os = systems.filter((system) => parts.includes(system));
    const cpu = processors.filter((processor) => parts.includes(processor));
    if (os.length !== 1 || cpu.length !== 1) throw new Error(`${name}: no platform can be read from this name`);
    const libc = os[0] !== 'linux' ? [] : [parts.includes('musl') ? 'musl' : 'glibc'];
    packages[`node_modules/${name}`] = {
      version,
      cpu,
      ...(dev ? { dev } : {}),
      ...(libc.length > 0 ? { libc } : {}),
      optional: true,
      os,
    };
  }
  const sorted = Object.entries(packages).sort(([a], [b]) => a.localeCompare(b, 'en'));
  for (const [, entry] of sorted) delete entry.resolved;
  return { ...lock, packages: Object.fromEntries(sorted) };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const path = join(dirname(dirname(fileURLToPath(import.meta.url))), 'package-lock.json');
  const lock = JSON.parse(readFileSync(path, 'utf8'));
  writeFileSync(path, `${JSON.stringify(completeLock(lock), null, 2)}\n`);
}
