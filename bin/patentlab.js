#!/usr/bin/env node
// Plain JavaScript for any Node: checks the version with a clear message, then loads the sources (in a checkout) or the
// built package (when installed; Node strips no types under node_modules).

const [major, minor] = process.versions.node.split('.').map(Number);
if (major < 22 || (major === 22 && minor < 18)) {
  console.error(
    `patentlab needs Node 22.18 or newer; this is Node ${process.versions.node}.\n` +
      '  to do:    install a newer Node (https://nodejs.org), or in a checkout use `npm start`, which brings its own.',
  );
  process.exit(2);
}
import('./load.js');
