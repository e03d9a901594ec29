import type { Mutant } from '../mutants.ts';

export const ports: readonly Mutant[] = [
  {
    name: 'a taken port counts as a crash',
    file: 'actors/probe/port-taken.ts',
    find: "retry: { port: 'lease' },",
    replace: 'retry: null,',
    caughtBy: 'R46',
  },
  {
    name: 'a stranger’s port is accepted',
    file: 'actors/ports/proc-sockets.ts',
    find: '.filter(({ inode }) => owned.some((sockets) => sockets.has(inode)))',
    replace: '.filter(() => owned.length > 0)',
    caughtBy: 'R46',
  },
  {
    name: 'one port for all',
    file: 'actors/ports.ts',
    find: 'let port = await pick();',
    replace: 'let port = [...resting.keys()][0] ?? (await pick());\n      if (resting.has(port)) return port;',
    caughtBy: 'R49',
  },
  {
    name: 'a program open to the network is not named',
    file: 'actors/probe/network.ts',
    find: 'for (const socket of sockets.filter(isExposed)) search.exposed(socket);',
    replace: '',
    caughtBy: 'R48',
  },
];
