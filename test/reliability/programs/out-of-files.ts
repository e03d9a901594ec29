/**
 * A supervisor that runs out of open files, of all or of all but three (`argv[3]`), then gets some back: prints with what
 * two starts fail (one has to install first), what comes of them, and what becomes of a third plugin meanwhile. Run it
 * under a low `ulimit -n`.
 */
import { closeSync, openSync } from 'node:fs';
import { createSupervisor } from '../../../src/supervisor.ts';

const [home = '', left = '0', source = ''] = process.argv.slice(2);
const plugin = (mark: string) => ({ source, install: [['true', mark]] });
const supervisor = createSupervisor({ home, plugins: { ran: plugin('1'), fresh: plugin('2'), busy: plugin('3') } });
// Once everything is loaded, and the one that is not fresh is installed.
await supervisor.start('busy');
await supervisor.start('ran');
await supervisor.stop('ran');

const files: number[] = [];
try {
  for (;;) files.push(openSync('/dev/null', 'r'));
} catch {
  // None is left.
}
for (let count = 0; count < Number(left); count += 1) closeSync(files.pop()!);
const names = ['ran', 'fresh'];
for (const name of names) supervisor.start(name).catch(() => {});
const failed = await Promise.all(names.map((name) => supervisor.waitFor(name, 'crashed')));
const echo = await supervisor.call('busy', { tool: 'echo', arguments: { message: 'well' } });

for (const file of files) closeSync(file);
await Promise.all(names.map((name) => supervisor.waitFor(name, 'ready')));
const told = failed.map(({ subState, failure }) => ({ subState, code: failure?.code, retryable: failure?.retryable }));
console.log(
  JSON.stringify({ failed: told, echo: echo.content?.[0]?.text, busy: supervisor.status('busy').generation }),
);
await supervisor.close();
