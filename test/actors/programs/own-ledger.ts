/** A supervisor that dies: with a temp folder, a child in its ledger (`recorded`, or `intended` alone), and a bystander. */
import { spawn } from 'node:child_process';
import { createCookie } from '../../../actors/cookie.ts';
import { COOKIE_VARIABLE, processIdentity } from '../../../actors/groups.ts';
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
console.log(JSON.stringify({ cookie, child: child.pid, bystander: bystander.pid }));
setInterval(() => {}, 1000);
