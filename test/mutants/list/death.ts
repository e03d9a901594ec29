import type { Mutant } from '../mutants.ts';

export const death: readonly Mutant[] = [
  {
    name: 'the guard is not told',
    file: 'actors/process/life.ts',
    find: 'context.guard.watch(pid, cookie);',
    replace: '',
    caughtBy: 'R52',
  },
  {
    name: 'intent not written',
    file: 'actors/process/life.ts',
    find: 'await ledger.intend(',
    replace: 'void (',
    caughtBy: 'R52',
  },
  {
    name: 'the pid alone is trusted',
    file: 'actors/groups.ts',
    find: 'return row !== null && isLive(row) && row.startTime === earlier.startTime;',
    replace: 'return row !== null && isLive(row);',
    caughtBy: 'R52',
  },
  {
    name: 'a zombie counts as alive',
    file: 'actors/groups.ts',
    find: "const isLive = (row: ProcessRow) => row.state !== 'Z' && row.state !== 'X';",
    replace: "const isLive = (row: ProcessRow) => row.state !== '';",
    caughtBy: 'R52',
  },
  {
    name: 'a living supervisor swept',
    file: 'actors/store/owner.ts',
    find: "return hasEnded(Number(pid), (its) => its === startTime) ? 'dead' : 'living';",
    replace: "return 'dead';",
    caughtBy: 'R53',
  },
  {
    name: 'the lock is not taken',
    file: 'actors/store/locks.ts',
    find: 'const unlock = await lockFile(path, signal);',
    replace: 'const unlock = () => {};',
    caughtBy: 'R53',
  },
  {
    name: 'stops begin in the order of the starts',
    file: 'machines/supervisor/setup.ts',
    find: 'Object.entries(plugins).sort(([, a], [, b]) => b.launched - a.launched);',
    replace: 'Object.entries(plugins).sort(([, a], [, b]) => a.launched - b.launched);',
    caughtBy: 'R54',
  },
  {
    name: 'close has no deadline of its own',
    file: 'machines/supervisor.ts',
    find: "after: { close: { actions: 'killAll' } },",
    replace: '',
    caughtBy: 'R54',
  },
  {
    name: 'a file is written in place',
    file: 'actors/store/atomic-write.ts',
    find: "const file = await open(temp, 'wx', 0o600);",
    replace: "const file = await open(path, 'w', 0o600);",
    caughtBy: 'R55',
  },
];
