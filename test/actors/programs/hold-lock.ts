/** Takes the lock that argv names on a home, says so and keeps it; with `count` it adds 1 to a file under it, 20 times. */
import { readFileSync, writeFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { createStore } from '../../../actors/store/create-store.ts';

const [home = '', name = '', count] = process.argv.slice(2);
const store = createStore({ home });
const forever = new AbortController().signal;
if (count === undefined) {
  await store.withLock(name, forever, async () => {
    console.log('held');
    await new Promise(() => setInterval(() => {}, 1000));
  });
}
for (let turn = 0; turn < 20; turn += 1) {
  await store.withLock(name, forever, async () => {
    const value = Number(readFileSync(count!, 'utf8'));
    await delay(1);
    writeFileSync(count!, String(value + 1));
  });
}
