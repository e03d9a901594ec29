/** A supervisor with one plugin, `source command…`, in a home; says the plugin's pid and then the answer of the tools it is told to call. */
import { createSupervisor } from '../../../src/supervisor.ts';

const [home = '', source = '', calls = '[]', ...command] = process.argv.slice(2);
const supervisor = createSupervisor({ home });
supervisor.add('p', { source, ...(command.length > 0 && { command, install: [], build: [] }) });
const { pid } = await supervisor.start('p');
console.log(pid);
for (const call of JSON.parse(calls)) console.log((await supervisor.call('p', call)).content?.[0]?.text);
console.log('up');
