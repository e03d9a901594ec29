/** A supervisor that dies: with a temp folder, a child in its ledger (`recorded`, or `intended` alone), and a bystander. */
import { spawn } from 'node:child_process';
import { setTimeout as delay } from 'node:timers/promises';
import { createCookie } from '../../../actors/cookie.ts';
import { COOKIE_VARIABLE, pidsWithCookie, processIdentity } from '../../../actors/groups.ts';
import { createStore } from '../../../actors/store/create-store.ts';

const [home = '', how = ''] = process.argv.slice(2);
const store = createStore({ home });
const cookie = createCookie({ home, plugin: 'orphan', generation: 1 });
await store.makeTemp('orphan');
await store.ledger.intend({ plugin: 'orphan', generation: 1, cookie });
// The shell's child leaves the group, as daemons do.
const child = spawn('sh', ['-c', 'setsid sleep 300 & sleep 300'], {
  detached: true,
  stdio: 'ignore',
  env: { ...process.env, [COOKIE_VARIABLE]: cookie },
});
const bystander = spawn('sleep', ['300'], { detached: true, stdio: 'ignore' });
if (how === 'recorded') await store.ledger.record(cookie, processIdentity(child.pid!)!);
// Each of the three forks and then becomes another program, which hides its environment for a moment.
for (let seen = 0; seen < 3; ) {
  seen = pidsWithCookie(cookie).length === 3 ? seen + 1 : 0;
  await delay(20);
}
console.log(JSON.stringify({ cookie, child: child.pid, bystander: bystander.pid }));
setInterval(() => {}, 1000);
