import type { Mutant } from '../mutants.ts';

export const starts: readonly Mutant[] = [
  {
    name: 'a program for another system is spawned all the same',
    file: 'actors/process/prepare.ts',
    find: 'if (await isForeignBinary(command.program)) {',
    replace: 'if (false) {',
    caughtBy: 'R2',
  },
  {
    name: 'a checksum is not checked',
    file: 'actors/clone/archive.ts',
    find: 'if (source.sha256 !== null) requireChecksum(',
    replace: 'if (false) requireChecksum(',
    caughtBy: 'R10',
  },
  {
    name: 'an exit overtakes the probe that asked for it',
    file: 'actors/process/life.ts',
    find: 'await nextTurn();',
    replace: 'void nextTurn;',
    caughtBy: 'R12',
  },
  {
    name: 'a start has no deadline',
    file: 'machines/plugin/alive.ts',
    find: ", 'startClock'",
    replace: '',
    caughtBy: 'R51',
  },
  {
    name: 'a limit is not watched',
    file: 'actors/process/life.ts',
    find: 'confined.watch(family, breached);',
    replace: '',
    caughtBy: 'R21',
  },
  {
    name: 'the limit of processor time kills before it names itself',
    file: 'actors/confinement/limits.ts',
    find: 'seconds + XCPU_GRACE',
    replace: 'seconds',
    caughtBy: 'R21',
  },
];
