#!/usr/bin/env node
/**
 * `npm run mutants`: makes each breakage of `mutants.ts` in a copy of the tree and runs the scenario that must notice it.
 * A line for each as it ends, then all of them as a Markdown table. Options: `--list`, `--only <name>` (repeatable, part of
 * a name). Exit code 1 when one survives, when no test has its number yet, or when the runner itself can't tell (it doesn't
 * apply, its scenario fails without it).
 */

import { spawn } from 'node:child_process';
import { cp, mkdir, mkdtemp, readdir, readFile, readlink, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { rolldown } from 'rolldown';

const root = fileURLToPath(new URL('../../', import.meta.url));
/** Copies of the tree, each with one breakage at a time. */
const AT_ONCE = 2;
/** Milliseconds: one test, as without a breakage; and all tests of a number. Who takes longer hangs, and is caught. */
const TEST_TIMEOUT = 120_000;
const RUN_TIMEOUT = 600_000;

const { values: options } = parseArgs({
  options: { list: { type: 'boolean' }, only: { type: 'string', multiple: true } },
});
const { mutants: all } = await load('test/mutants/mutants.ts');
const mutants = all.filter(({ name }) => options.only?.some((part) => name.includes(part)) ?? true);
if (options.list) {
  for (const { name, file, caughtBy } of mutants) console.log(`${caughtBy.padEnd(4)} ${name.padEnd(60)} ${file}`);
  process.exit(0);
}

// A short path: Unix sockets below it must fit into 100 bytes.
const base = await mkdtemp(join(tmpdir(), 'mut-'));
const queue = [...mutants];
for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, async () => {
    queue.length = 0;
    await tidy();
    process.exit(130);
  });
}
let code = 1;
try {
  const files = await git('ls-files', '-z', '--cached', '--others', '--exclude-standard');
  const copies = await Promise.all(Array.from({ length: AT_ONCE }, (_, at) => copyTree(join(base, String(at)), files)));
  const { filesByScenario } = await load('test/mutants/scenarios.ts');
  const scenarios = await filesByScenario(root);
  /** Number → verdict without any breakage; asked once. */
  const baselines = new Map();
  const results = new Map();
  await Promise.all(
    copies.map(async (copy) => {
      for (let mutant = queue.shift(); mutant !== undefined; mutant = queue.shift()) {
        const result = await judge(mutant, copy, scenarios, baselines);
        results.set(mutant, { ...mutant, ...result });
        console.log(line({ ...mutant, ...result }));
      }
    }),
  );
  const inOrder = mutants.map((mutant) => results.get(mutant));
  console.log(`\n${table(inOrder)}\n`);
  const failed = inOrder.filter(({ verdict }) => verdict !== 'caught');
  console.log(`${inOrder.length - failed.length} of ${inOrder.length} caught`);
  for (const result of failed) console.log(line(result));
  code = failed.length === 0 && inOrder.length > 0 ? 0 : 1;
} finally {
  await tidy();
}
process.exit(code);

async function judge({ file, find, replace, caughtBy }, copy, scenarios, baselines) {
  const tests = scenarios.get(caughtBy);
  if (tests === undefined) return { verdict: 'waits', detail: `no test has ${caughtBy}` };
  const path = join(copy, file);
  const source = await readFile(path, 'utf8').catch(() => null);
  const places = source === null ? 0 : source.split(find).length - 1;
  if (places !== 1) return { verdict: 'error', detail: `what it replaces occurs ${places} times` };
  if (!baselines.has(caughtBy)) baselines.set(caughtBy, runTests(copy, tests, caughtBy));
  const without = await baselines.get(caughtBy);
  if (without.passed === 0 || !without.ok) {
    return { verdict: 'error', detail: `fails without it: ${without.first || 'nothing ran'}` };
  }
  // Not `replace` with a text: it would take `$` for a pattern.
  await writeFile(path, source.split(find).join(replace));
  try {
    const run = await runTests(copy, tests, caughtBy);
    if (run.ended && run.failed === 0 && !run.ok) return { verdict: 'error', detail: `does not load: ${run.first}` };
    return run.ok ? { verdict: 'survived', detail: '' } : { verdict: 'caught', detail: run.first };
  } finally {
    await writeFile(path, source);
  }
}

/** The tests whose title has that number, in these files. */
async function runTests(copy, tests, number) {
  const folder = await mkdtemp(join(base, 'r'));
  const output = join(folder, 'result.json');
  const temp = join(folder, 't');
  await mkdir(temp);
  const vitest = join(root, 'node_modules/vitest/vitest.mjs');
  const limits = [`--testTimeout=${TEST_TIMEOUT}`, `--hookTimeout=${TEST_TIMEOUT}`, '--bail=1', '--maxWorkers=1'];
  const wanted = ['-t', `\\b${number}\\b`, '--reporter=json', `--outputFile=${output}`];
  const child = spawn(process.execPath, [vitest, 'run', ...tests, ...wanted, ...limits], {
    cwd: copy,
    // Its own home and temp folder, by which everything is found that a breakage leaves running.
    env: { ...process.env, TMPDIR: temp, MCP_SUPERVISOR_HOME: join(temp, 'h'), CI: '' },
    stdio: 'ignore',
    detached: true,
  });
  const timer = setTimeout(() => process.kill(-child.pid, 'SIGKILL'), RUN_TIMEOUT);
  await new Promise((resolve) => child.once('exit', resolve));
  clearTimeout(timer);
  await endAll(folder);
  const text = await readFile(output, 'utf8').catch(() => null);
  await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  if (text === null) return { ended: false, ok: false, passed: 0, failed: 0, first: 'it hangs' };
  const { success, numPassedTests, numFailedTests, testResults } = JSON.parse(text);
  const broken = testResults
    .flatMap(({ assertionResults }) => assertionResults)
    .find(({ status }) => status === 'failed');
  const unloaded = testResults.find(({ status, message }) => status === 'failed' && message);
  const first = broken?.title ?? unloaded?.message ?? '';
  return { ended: true, ok: success, passed: numPassedTests, failed: numFailedTests, first: first.split('\n')[0] };
}

async function tidy() {
  await endAll(base);
  await rm(base, { recursive: true, force: true, maxRetries: 5 });
}

/** Kills what has this folder in its environment, command line or working folder. Linux only; elsewhere guards do. */
async function endAll(folder) {
  for (const pid of (await readdir('/proc').catch(() => [])).filter((name) => /^\d+$/.test(name))) {
    if (Number(pid) === process.pid) continue;
    const read = (name) => readFile(`/proc/${pid}/${name}`, 'latin1').catch(() => '');
    const texts = [await read('environ'), await read('cmdline'), await readlink(`/proc/${pid}/cwd`).catch(() => '')];
    if (!texts.some((text) => text.includes(folder))) continue;
    try {
      process.kill(Number(pid), 'SIGKILL');
    } catch {
      // It has ended by itself.
    }
  }
}

/** The tree as it stands, with packages linked one by one: caches in `node_modules` belong to one copy. */
async function copyTree(target, files) {
  await mkdir(join(target, 'node_modules'), { recursive: true });
  for (const file of files.split('\0').filter((name) => name !== '')) {
    await mkdir(dirname(join(target, file)), { recursive: true });
    // Listed but removed since.
    await cp(join(root, file), join(target, file), { verbatimSymlinks: true }).catch(() => undefined);
  }
  for (const name of await readdir(join(root, 'node_modules'))) {
    if (name.startsWith('.') && name !== '.bin') continue;
    await symlink(join(root, 'node_modules', name), join(target, 'node_modules', name));
  }
  return target;
}

/** A TypeScript module of the tests; bundled, since Node 20 does not read it. */
async function load(path) {
  const file = join(
    root,
    'node_modules/.cache/mcp-supervisor-tests',
    `${path.replace(/\W+/g, '-')}-${process.pid}.mjs`,
  );
  const bundle = await rolldown({ input: join(root, path), platform: 'node', logLevel: 'silent' });
  await bundle.write({ file, format: 'esm' });
  await bundle.close();
  const loaded = await import(pathToFileURL(file).href);
  await rm(file);
  return loaded;
}

function git(...args) {
  return new Promise((resolve, reject) => {
    const child = spawn('git', args, { cwd: root, stdio: ['ignore', 'pipe', 'inherit'] });
    let text = '';
    child.stdout.setEncoding('utf8').on('data', (chunk) => {
      text += chunk;
    });
    child.once('error', reject);
    child.once('close', (status) => (status === 0 ? resolve(text) : reject(new Error(`git ${args[0]} failed`))));
  });
}

function line({ name, caughtBy, verdict, detail }) {
  return `${verdict.padEnd(9)} ${caughtBy.padEnd(4)} ${name.padEnd(58)} ${detail}`;
}

/** For a report: what was broken where, and which scenario told. */
function table(results) {
  const rows = results.map(
    ({ name, file, caughtBy, verdict }) => `| ${name} | \`${file}\` | ${caughtBy} | ${verdict} |`,
  );
  return ['| breakage | file | scenario | verdict |', '| --- | --- | --- | --- |', ...rows].join('\n');
}
