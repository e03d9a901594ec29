/**
 * `npm run chaos -- [--seed N] [--minutes 10] [--steps N] [--plugins 6]`: exit code 1 when something is wrong, with the
 * seed, the step and everything that happened. The seed that broke something belongs into test/reliability/chaos.test.ts.
 */

import { writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { runHost } from './host.ts';
import { runChaos } from './run-chaos.ts';

if (process.argv.includes('--host')) runHost();
else await main();

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      seed: { type: 'string', default: String(Math.floor(Math.random() * 2 ** 31)) },
      minutes: { type: 'string' },
      steps: { type: 'string' },
      plugins: { type: 'string', default: '6' },
    },
  });
  const seed = Number(values.seed);
  console.log(`seed ${seed}`);
  const report = await runChaos({
    seed,
    plugins: Number(values.plugins),
    ...(values.steps === undefined ? { minutes: Number(values.minutes ?? 10) } : { steps: Number(values.steps) }),
    fixtures: resolve('fixtures/processes'),
    host: process.argv[1]!,
    onStep: (step, events) => console.log(`${step}: ${events.join(', ')}`),
  });
  console.log(
    `${report.steps} steps; calls: ${JSON.stringify(report.calls)}; events: ${JSON.stringify(report.events)}`,
  );
  if (report.violations.length === 0) return console.log('nothing is wrong');
  const file = join(tmpdir(), `mcps-chaos-${seed}.log`);
  writeFileSync(file, `${report.history.join('\n')}\n`);
  for (const line of report.violations) console.log(`WRONG: ${line}`);
  console.log(`seed ${seed}, step ${report.steps}; the whole history: ${file}`);
  console.log(report.history.slice(-60).join('\n'));
  process.exitCode = 1;
}
