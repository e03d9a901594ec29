/**
 * The reliability suite, many times in a row: `npm run reliability -- --times 20 --only R24`. Prints a line per run and a
 * table per scenario at the end; exits with 1 when a test failed once or a number from R1 to R66 has no test.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

const LAST = 66;
const FILES = ['test/reliability', 'test/model', 'test/machines/machines.test.ts'];

const { values } = parseArgs({
  options: { times: { type: 'string', default: '20' }, only: { type: 'string', default: 'R\\d+' } },
});
const times = Number(values.times);
const folder = mkdtempSync(join(tmpdir(), 'reliability-'));
const scenarios = new Map();

function runOnce(number) {
  const report = join(folder, `${number}.json`);
  const start = performance.now();
  const { status } = spawnSync(
    process.execPath,
    [
      ...['node_modules/vitest/vitest.mjs', 'run', ...FILES, '-t', `\\b${values.only}\\b`],
      ...['--reporter=json', `--outputFile=${report}`],
    ],
    // Which changes to the disk are interrupted differs from run to run.
    { stdio: ['ignore', 'ignore', 'inherit'], env: { ...process.env, FAULTS: process.env.FAULTS ?? String(number) } },
  );
  const { testResults } = JSON.parse(readFileSync(report, 'utf8'));
  const broken = testResults.filter(
    ({ status, assertionResults }) => status === 'failed' && assertionResults.length === 0,
  );
  const tests = testResults
    .flatMap((file) => file.assertionResults)
    .filter(({ status }) => status === 'passed' || status === 'failed');
  for (const { fullName, status, duration = 0, failureMessages = [] } of tests) {
    const names = new Set(fullName.match(/\bR\d+\b/g));
    for (const name of names) {
      const seen = scenarios.get(name) ?? { tests: new Set(), passed: 0, failed: 0, durations: [] };
      scenarios.set(name, seen);
      seen.tests.add(fullName);
      seen[status === 'passed' ? 'passed' : 'failed'] += 1;
      seen.durations.push(duration);
    }
    if (status === 'failed')
      console.log(`  ✗ ${fullName}\n    ${failureMessages[0]?.split('\n').slice(0, 3).join('\n    ')}`);
  }
  for (const { name, message } of broken) console.log(`  ✗ ${name} did not load: ${message}`);
  const failed = tests.filter(({ status }) => status === 'failed').length + broken.length;
  const seconds = ((performance.now() - start) / 1000).toFixed(0);
  console.log(`run ${number} of ${times}: ${tests.length - failed} passed, ${failed} failed, ${seconds} s`);
  return failed === 0 && status === 0;
}

let green = 0;
for (let number = 1; number <= times; number += 1) if (runOnce(number)) green += 1;
rmSync(folder, { recursive: true });

const middle = (numbers) => numbers.sort((a, b) => a - b)[Math.floor(numbers.length / 2)];
const numbers = [...scenarios].sort(([a], [b]) => Number(a.slice(1)) - Number(b.slice(1)));
console.log('\n| scenario | tests | passed | failed | median ms | slowest ms |\n| --- | --- | --- | --- | --- | --- |');
for (const [name, { tests, passed, failed, durations }] of numbers) {
  const slowest = Math.round(Math.max(...durations));
  console.log(`| ${name} | ${tests.size} | ${passed} | ${failed} | ${Math.round(middle(durations))} | ${slowest} |`);
}
const all = Array.from({ length: LAST }, (_, index) => `R${index + 1}`);
const missing = values.only === 'R\\d+' ? all.filter((name) => !scenarios.has(name)) : [];
if (missing.length > 0) console.log(`\nwithout a test: ${missing.join(', ')}`);
console.log(`\n${green} of ${times} runs without a failure`);
process.exitCode = green === times && missing.length === 0 ? 0 : 1;
