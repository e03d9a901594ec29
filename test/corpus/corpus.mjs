#!/usr/bin/env node
/**
 * Runs the product over a set of real repositories and prints how far each one came:
 *
 *   MCP_CORPUS=<folder> npm run corpus -- [--index FILE] [--id a,b] [--language go,rust] [--args FILE] [--home DIR] [--json FILE]
 *
 * `MCP_CORPUS` is the folder that holds `dev.json` and `serve-git.mjs`. Each entry gets a home of its own (unless `--home`
 * names one for all), its repository over loopback git, the dummy values of its `env`, and no other setting. It is ready
 * when it has at least `expectTools` tools, and answers a second `tools/list`. `--args` names a JSON object from an entry's
 * id to the arguments it needs: such an entry counts when it first ends in LAUNCH_NEEDS_SETTING and is ready with them.
 */

import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { createSupervisor } from '../../dist/src/index.js';

const { values: flags } = parseArgs({
  options: {
    index: { type: 'string' },
    id: { type: 'string' },
    language: { type: 'string' },
    args: { type: 'string' },
    home: { type: 'string' },
    json: { type: 'string' },
    timeout: { type: 'string', default: '600' },
  },
});

const folder = process.env.MCP_CORPUS;
if (folder === undefined) {
  console.error('MCP_CORPUS is not set: it names the folder with dev.json and serve-git.mjs.');
  process.exit(2);
}
const readJson = async (file) => JSON.parse(await readFile(file, 'utf8'));
const entries = await readJson(flags.index ?? join(folder, 'dev.json'));
const argumentsOf = flags.args === undefined ? {} : await readJson(flags.args);
const chosen = (list, value) => list === undefined || list.split(',').includes(value);
const { listen } = await import(pathToFileURL(resolve(folder, 'serve-git.mjs')).href);
const git = await listen({ allow: (repository) => entries.some(({ repo }) => repo === repository) });

let current = null;
for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, async () => {
    await current?.close();
    process.exit(130);
  });
}

/** One start from nothing (or from what `home` has); what it reached, what it found, why it failed. */
async function attempt(entry, home, args) {
  const limit = Number(flags.timeout) * 1000;
  const supervisor = createSupervisor({
    home,
    env: { ...process.env, ...entry.env },
    defaults: { timeouts: { clone: limit, install: limit } },
  });
  current = supervisor;
  let stage = 'absent';
  supervisor.on('plugin:state', ({ state }) => {
    if (!['stopping', 'crashed', 'absent'].includes(state)) stage = state;
  });
  const begun = performance.now();
  const seconds = () => Math.round((performance.now() - begun) / 100) / 10;
  try {
    supervisor.add(entry.id, {
      source: `${git.url}/${entry.repo}.git`,
      ...(entry.subdir ? { subdir: entry.subdir } : {}),
      ...(args === undefined ? {} : { args }),
    });
    const tools = (await supervisor.tools(entry.id)).map(({ name }) => name);
    const took = seconds();
    const again = await supervisor.request(entry.id, 'tools/list');
    if (tools.length > 0 && again.tools.length === 0) throw new Error('its second tools/list was empty');
    const known = entry.tools ?? [];
    const hits = known.length === 0 || tools.some((name) => known.includes(name));
    const enough = tools.length >= (entry.expectTools ?? 1) && hits;
    const reason = enough ? '' : `${tools.length} tools where ${entry.expectTools ?? 1} are expected`;
    return { ready: enough, stage, seconds: took, tools: tools.length, reason, code: null };
  } catch (error) {
    const reason = `${error.code ?? 'unexpected'}: ${error.message} → ${error.hint ?? ''}`;
    return { ready: false, stage, seconds: seconds(), tools: 0, reason, code: error.code ?? null };
  } finally {
    await supervisor.close();
    current = null;
  }
}

async function measure(entry) {
  const home = flags.home ?? (await mkdtemp(join(tmpdir(), 'corpus-')));
  await mkdir(home, { recursive: true });
  try {
    const first = await attempt(entry, home);
    const args = argumentsOf[entry.id];
    if (first.code !== 'LAUNCH_NEEDS_SETTING' || args === undefined) return first;
    const second = await attempt(entry, home, args);
    return { ...second, reason: second.ready ? `after -- ${args.join(' ')}; first ${first.reason}` : second.reason };
  } finally {
    if (flags.home === undefined) await rm(home, { recursive: true, force: true, maxRetries: 3 });
  }
}

const row = (id, language, result, seconds, tools, reason) =>
  [id.padEnd(28), language.padEnd(11), result.padEnd(11), seconds.padStart(8), tools.padStart(6), ` ${reason}`].join(
    ' ',
  );

console.log(row('id', 'language', 'stage', 'seconds', 'tools', 'why not, or what it needed'));
const results = [];
for (const entry of entries.filter(({ id, language }) => chosen(flags.id, id) && chosen(flags.language, language))) {
  const result = await measure(entry);
  results.push({ id: entry.id, language: entry.language, excluded: entry.excludedReason ?? null, ...result });
  const stage = result.ready ? 'ready' : result.stage;
  const reason = [entry.excludedReason ? '(excluded)' : '', result.reason.replaceAll(/\s+/g, ' ')].join(' ').trim();
  console.log(row(entry.id, entry.language, stage, result.seconds.toFixed(1), String(result.tools), reason));
  if (flags.json !== undefined) await writeFile(flags.json, `${JSON.stringify(results, null, 2)}\n`);
}

const counted = results.filter(({ excluded }) => excluded === null);
const share = (list) => `${list.filter(({ ready }) => ready).length} of ${list.length}`;
console.log('');
for (const language of [...new Set(counted.map((each) => each.language))]) {
  console.log(`${language.padEnd(12)} ${share(counted.filter((each) => each.language === language))} ready`);
}
console.log(`${'all'.padEnd(12)} ${share(counted)} ready; ${results.length - counted.length} more are excluded`);
git.server.close();
git.server.closeAllConnections();
