#!/usr/bin/env node
/**
 * `npm run fuzz -- [--runs 5000] [--seed N] [file …]`: every property of test/fuzz with that many cases (slow ones with
 * their share of it), then how many there were. Exit code 1 when something failed, or when a whole run had fewer than
 * 100 000 cases.
 */

import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const ENOUGH = 100_000;

const { values, positionals } = parseArgs({
  options: { runs: { type: 'string', default: '6000' }, seed: { type: 'string' } },
  allowPositionals: true,
});
const root = fileURLToPath(new URL('../../', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'mcps-fuzz-'));
const count = join(folder, 'count');
const env = { ...process.env, FUZZ_RUNS: values.runs, FUZZ_COUNT: count };
if (values.seed !== undefined) env.FUZZ_SEED = values.seed;
const vitest = join(root, 'node_modules/vitest/vitest.mjs');
const files = positionals.length > 0 ? positionals : ['test/fuzz/'];
const child = spawn(process.execPath, [vitest, 'run', ...files], { cwd: root, env, stdio: 'inherit' });
child.on('exit', (code) => {
  let cases = 0;
  try {
    for (const line of readFileSync(count, 'utf8').split('\n')) cases += Number(line);
  } catch {
    // Not one property was run to its end.
  }
  rmSync(folder, { recursive: true, force: true });
  console.log(`${cases} cases`);
  const tooFew = positionals.length === 0 && cases < ENOUGH;
  if (tooFew) console.log(`a whole run has at least ${ENOUGH}: give more --runs`);
  process.exit(code === 0 && !tooFew ? 0 : 1);
});
