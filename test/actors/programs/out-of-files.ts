/** Looks for a process with no file left to look with, then again with some; run it under a low `ulimit -n`. */
import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { endPids, signalFamily, untilGone } from '../../../actors/groups.ts';

const child = spawn('sleep', ['300'], { detached: true, stdio: 'ignore' });
const family = { groups: [child.pid!], cookies: ['of-nobody.'] };
const files: number[] = [];
try {
  for (;;) files.push(openSync('/dev/null', 'r'));
} catch {
  // None is left.
}
signalFamily(family, 'SIGCONT');
const whenBlind = await untilGone(family, { timeout: 100 });
for (const file of files) closeSync(file);
await endPids(family, { grace: 0 });
console.log(JSON.stringify({ whenBlind, whenSeeing: await untilGone(family) }));
