#!/usr/bin/env node
/**
 * What a call costs over our faces, at one and at 64 calls at once, as ratios of what is measured beside it in the same run.
 *
 *   npm run bench [-- --slices 40]                  ours against the floor: node:http before one child's pipes, nothing else
 *   MCP_BENCH=<the harness> npm run bench [-- …]    ours against the peers that the harness has installed, with verdicts;
 *                                                   further arguments (--slices 60 --ms 150) are the harness's own
 */

import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const here = (file) => fileURLToPath(new URL(file, import.meta.url));
/** Adapters of the harness that ours is measured against, by face. */
const rest = ['mcp-hub-rest'];
const mcp = ['mcp-proxy-http', 'mcp-proxy-http-lean', 'supergw-http'];
const median = (numbers) => numbers.toSorted((a, b) => a - b)[numbers.length >> 1];

if (process.env.MCP_BENCH === undefined) {
  console.log('MCP_BENCH is not set, so there are no peers to compare with: ours against the floor.\n');
  const { measureFloor } = await import('./floor.mjs');
  const { values } = parseArgs({ options: { slices: { type: 'string' } }, strict: false });
  await measureFloor(values.slices === undefined ? {} : { slices: Number(values.slices) });
} else {
  process.exitCode = await compare(resolve(process.env.MCP_BENCH), process.argv.slice(2));
}

// ---- with the harness ----

async function compare(harness, more) {
  const ours = ['ours-rest', 'ours-mcp', 'ours-mcp-modern', 'ours-embedded'];
  const only = [...rest, ...mcp, ...ours, 'floor-gw-rest', 'floor-gw-mcp'];
  const results = await mkdtemp(join(tmpdir(), 'mcps-bench-results-'));
  try {
    const args = ['08-slices.js', '--only', only.join(','), '--conc', '1,64', '--out', 'gateway.json', ...more];
    const env = { ...process.env, MCP_BENCH: harness, BENCH_OURS: here('gateway-adapter.mjs'), BENCH_RESULTS: results };
    const child = spawn(process.execPath, args, { cwd: harness, env, stdio: 'inherit' });
    const code = await new Promise((resolve) => child.once('exit', resolve));
    if (code !== 0) return 1;
    const { all } = JSON.parse(await readFile(join(results, 'gateway.json'), 'utf8'));
    return judge(all) ? 0 : 1;
  } finally {
    await rm(results, { recursive: true, force: true });
  }
}

/** Prints a line for every goal; true when all are met. */
function judge(all) {
  const at = (concurrency) => all.find((cell) => cell.concurrency === concurrency).rows;
  const goals = [
    { what: 'REST p50', concurrency: 1, mine: 'ours-rest', others: rest, field: 'p50', limit: 0.6 },
    { what: 'MCP p50', concurrency: 1, mine: 'ours-mcp', others: mcp, field: 'p50', limit: 0.65 },
    { what: 'REST calls/s', concurrency: 64, mine: 'ours-rest', others: rest, field: 'rate', limit: 1 },
    { what: 'MCP calls/s', concurrency: 64, mine: 'ours-mcp', others: mcp, field: 'rate', limit: 1 },
  ];
  const met = goals.map(({ what, concurrency, mine, others, field, limit }) => {
    const rows = at(concurrency);
    const row = (name) => rows.find((one) => one.name === name);
    const fast = (one) => (field === 'rate' ? -1 : 1) * median(one[field]);
    const best = others.map(row).toSorted((a, b) => fast(a) - fast(b))[0];
    // Slice by slice: what disturbed one disturbed the other, too.
    const ratio = median(
      row(mine)
        [field].map((value, slice) => value / best[field][slice])
        .filter(Number.isFinite),
    );
    const ok = field === 'rate' ? ratio > limit : ratio <= limit;
    const goal = field === 'rate' ? `more than ${limit}x` : `at most ${limit}x`;
    console.log(`${ok ? 'met' : 'MISSED'}  ${what} at ${concurrency}: ${ratio.toFixed(2)}x of ${best.name} (${goal})`);
    return ok;
  });
  return met.every(Boolean);
}
