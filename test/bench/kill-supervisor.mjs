/**
 * How long after `kill -9` of a supervisor until nothing of its 20 plugins (a child in the group, a stubborn one, a
 * stubborn escapee each) is left: by its guard, and by the next start when the guard was killed as well.
 * `npm run build && node test/bench/kill-supervisor.mjs`
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { createStore } from '../../dist/actors/store/create-store.js';
import { createSupervisor } from '../../dist/src/index.js';

const PLUGINS = 20;
const source = fileURLToPath(new URL('../../fixtures/plugins/puppet', import.meta.url));

if (process.argv[2] === 'supervise') await supervise(process.argv[3]);
else {
  console.log(`zero left after kill -9 of a supervisor with ${PLUGINS} plugins (${PLUGINS * 4} processes):`);
  console.log(`  by its guard       ${await measure(false)} ms`);
  console.log(`  by the next start  ${await measure(true)} ms`);
}

async function supervise(home) {
  const names = Array.from({ length: PLUGINS }, (_, at) => `p${at}`);
  const supervisor = createSupervisor({ home, plugins: Object.fromEntries(names.map((name) => [name, { source }])) });
  const pids = await Promise.all(
    names.map(async (name) => {
      const { pid } = await supervisor.start(name);
      const kinds = [{}, { stubborn: true }, { stubborn: true, escaped: true }];
      const children = kinds.map((given) => supervisor.call(name, { tool: 'child', arguments: given }));
      return [pid, ...(await Promise.all(children)).map(({ content }) => Number(content[0].text))];
    }),
  );
  console.log(JSON.stringify(pids.flat()));
}

async function measure(withoutGuard) {
  const home = mkdtempSync(join(tmpdir(), 'mcps-bench-'));
  const child = spawn(process.execPath, [fileURLToPath(import.meta.url), 'supervise', home], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let said = '';
  for await (const chunk of child.stdout) {
    said += chunk;
    if (said.includes('\n')) break;
  }
  const pids = JSON.parse(said);
  if (withoutGuard) {
    // Stopped first, or it would start another guard.
    child.kill('SIGSTOP');
    for (const guard of guardsOf(child.pid)) process.kill(guard, 'SIGKILL');
  }
  child.kill('SIGKILL');
  await once(child, 'exit');
  const start = performance.now();
  if (withoutGuard) await createStore({ home }).ledger.reap();
  while (pids.some(lives)) await delay(5);
  const taken = Math.round(performance.now() - start);
  rmSync(home, { recursive: true, force: true });
  return taken;
}

function guardsOf(parent) {
  const children = readFileSync(`/proc/${parent}/task/${parent}/children`, 'utf8').split(' ').filter(Boolean);
  return children.map(Number).filter((pid) => readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('-guard'));
}

/** A zombie is dead. */
function lives(pid) {
  try {
    return !/\) [ZX] /.test(readFileSync(`/proc/${pid}/stat`, 'latin1'));
  } catch {
    return false;
  }
}
