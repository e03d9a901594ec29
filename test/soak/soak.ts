/**
 * `npm run soak -- [--cycles 1000] [--plugins 20] [--seed N] [--json]`: exit code 1 when something is wrong. Linux, whose
 * process list shows who carries our cookie.
 */

import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { runSoak, type Sample, slopeOf, warmOf } from './run-soak.ts';

const { values } = parseArgs({
  options: {
    cycles: { type: 'string', default: '1000' },
    plugins: { type: 'string', default: '20' },
    seed: { type: 'string', default: String(Math.floor(Math.random() * 2 ** 31)) },
    json: { type: 'boolean', default: false },
  },
});
const cycles = Number(values.cycles);
const MiB = 1024 * 1024;
const print = (line: string) => {
  if (!values.json) console.log(line);
};
const row = ({ cycles: done, descriptors, rss, heap }: Sample) =>
  [done, descriptors, (rss / MiB).toFixed(1), (heap / MiB).toFixed(1)]
    .map((cell) => String(cell).padStart(12))
    .join('');

print(`seed ${values.seed}: ${cycles} cycles over ${values.plugins} plugins`);
print(['cycles', 'descriptors', 'rss MiB', 'heap MiB'].map((cell) => cell.padStart(12)).join(''));
const report = await runSoak({
  cycles,
  plugins: Number(values.plugins),
  seed: Number(values.seed),
  fixtures: resolve('fixtures/processes'),
  sampleEvery: Math.max(Math.round(cycles / 20), 1),
  onSample: (sample) => print(row(sample)),
});

const { samples } = report;
const warm = warmOf(samples);
const slopes = {
  descriptors: slopeOf(samples, 'descriptors'),
  rss: slopeOf(samples, 'rss'),
  heap: slopeOf(samples, 'heap'),
};
if (values.json) console.log(JSON.stringify({ seed: Number(values.seed), ...report, slopes }, null, 1));
const listed = (counts: Readonly<Record<string, number>>) =>
  Object.entries(counts)
    .map(([name, count]) => `${name} ${count}`)
    .join(', ');
print('');
print(`crashes      ${listed(report.crashes)}`);
print(`calls        ${listed(report.calls)}`);
print(`starts       ${report.starts} in ${report.seconds.toFixed(0)} s`);
if (warm.length > 1) print(`after warm-up${row(warm[0]!)} … ${row(warm.at(-1)!)}`);
print(
  `per 100      descriptors ${slopes.descriptors.toFixed(2)}, rss ${(slopes.rss / MiB).toFixed(2)} MiB, heap ${(slopes.heap / MiB).toFixed(2)} MiB`,
);
for (const wrong of report.violations) print(`WRONG: ${wrong}`);
print(report.violations.length === 0 ? 'nothing is wrong' : `${report.violations.length} wrong`);
process.exit(report.violations.length === 0 ? 0 : 1);
