#!/usr/bin/env node
/**
 * How much one plugin's crash storm costs its neighbour: p50 and p99 of a call to a plugin that is well, alone and beside one
 * that crashes and is restarted without a pause, measured in turns in the same run.
 *
 *   npm run build && node test/bench/storm.mjs [calls]
 */

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createSupervisor } from '../../dist/src/index.js';

const calls = Number(process.argv[2] ?? 5000);
const rounds = 4;
const source = fileURLToPath(new URL('../../fixtures/plugins/puppet', import.meta.url));
const home = await mkdtemp(join(tmpdir(), 'mcps-storm-'));
const never = 1e9;
const supervisor = createSupervisor({
  home,
  plugins: { calm: { source }, storm: { source, env: { PUPPET: 'exit:1' } } },
  restartPolicy: { minDelay: 1, maxDelay: 1, maxFailedStarts: never, maxCrashes: never, maxSpawns: never },
});

async function measure(times) {
  for (let call = 0; call < calls / rounds; call += 1) {
    const begin = performance.now();
    await supervisor.call('calm', { tool: 'echo', arguments: { message: 'x' } });
    times.push(performance.now() - begin);
  }
}

const alone = [];
const beside = [];
try {
  await supervisor.start('calm');
  await measure([]);
  for (let round = 0; round < rounds; round += 1) {
    await measure(alone);
    const storming = supervisor.start('storm').catch(() => {});
    await supervisor.waitFor('storm', 'crashed');
    await measure(beside);
    await supervisor.stop('storm');
    await storming;
  }
  const crashes = supervisor.status('storm').generation;
  const quantile = (times, share) => times.toSorted((a, b) => a - b)[Math.floor(times.length * share)] ?? 0;
  const row = (name, times) =>
    console.log(`${name}  p50 ${quantile(times, 0.5).toFixed(3)} ms  p99 ${quantile(times, 0.99).toFixed(3)} ms`);
  row('alone        ', alone);
  row('beside storm ', beside);
  const ratio = (share) => (quantile(beside, share) / quantile(alone, share)).toFixed(1);
  console.log(`ratio          p50 ${ratio(0.5)}     p99 ${ratio(0.99)}     (${crashes} crashes, ${calls} calls each)`);
} finally {
  await supervisor.close();
  await rm(home, { recursive: true, force: true });
}
