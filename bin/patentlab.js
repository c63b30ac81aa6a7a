#!/usr/bin/env node
// Plain JavaScript for any Node: checks the version, then loads the sources (in a checkout) or the built package (when
// installed; Node strips no types under node_modules). Under an older Node a checkout goes on with the Node it brings.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const [major, minor] = process.versions.node.split('.').map(Number);
const brought = fileURLToPath(
  new URL(`../node_modules/node/bin/node${process.platform === 'win32' ? '.exe' : ''}`, import.meta.url),
);
if (major > 22 || (major === 22 && minor >= 18)) {
  import('./load.js');
} else if (existsSync(brought)) {
  process.on('SIGINT', () => {}); // Ctrl-C reaches the child too, which decides when to stop
  spawn(brought, process.argv.slice(1), { stdio: 'inherit' }).on('exit', (code, signal) => {
    process.exitCode = code ?? (signal === null ? 1 : 130);
  });
} else {
  console.error(
    `patentlab needs Node 22.18 or newer; this is Node ${process.versions.node}.\n` +
      '  to do:    install a newer Node (https://nodejs.org), or in a checkout run `npm start` first, which brings its own.',
  );
  process.exitCode = 2;
}
