#!/usr/bin/env node
/**
 * Runs a TypeScript program of the tests: `node test/support/run.mjs test/soak/soak.ts --cycles 1000`. It is bundled beside
 * the packages and started in the project's folder, with `global.gc`; its exit code is ours.
 */

import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { rolldown } from 'rolldown';

const root = fileURLToPath(new URL('../../', import.meta.url));
const [input, ...args] = process.argv.slice(2);
const file = `${root}node_modules/.cache/mcp-supervisor-tests/${input.replace(/\W+/g, '-')}-${process.pid}.mjs`;
const bundle = await rolldown({ input, cwd: root, platform: 'node', external: /^[^./]/, logLevel: 'silent' });
await bundle.write({ file, format: 'esm', codeSplitting: false });
await bundle.close();

const child = spawn(process.execPath, ['--expose-gc', file, ...args], { cwd: root, stdio: 'inherit' });
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => child.kill(signal));
const { rm } = await import('node:fs/promises');
child.on('exit', async (code) => {
  await rm(file, { force: true });
  process.exit(code ?? 1);
});
