/**
 * Starts the plugin of argv[3] on the home of argv[2], calls it, stops it and closes, while `faults` breaks one of its
 * changes to the home. What fails for it is tried again; prints the codes of what failed, and how many changes there were.
 */

import { createSupervisor } from '../../../src/supervisor.ts';
import { changes } from '../faults.ts';

const [home = '', plugin = '{}'] = process.argv.slice(2);
const supervisor = createSupervisor({ home, plugins: { p: JSON.parse(plugin) } });
const failures: unknown[] = [];
let answer: unknown;
for (let round = 0; answer === undefined && round < 3; round += 1) {
  try {
    await supervisor.start('p');
    const { content } = await supervisor.call('p', { tool: 'echo', arguments: { message: 'well' } });
    answer = content?.[0]?.text;
  } catch (error) {
    const { code, message, stack } = error as { code?: string; message: string; stack?: string };
    failures.push({ code, message, stack });
  }
}
await supervisor
  .stop('p')
  .catch((error) => failures.push({ code: error.code, message: error.message, stack: error.stack }));
await supervisor
  .close()
  .catch((error) => failures.push({ code: error.code, message: error.message, stack: error.stack }));
console.log(JSON.stringify({ answer, failures, changes: changes() }));
