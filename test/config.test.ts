import { describe, expect, it } from 'vitest';
import { checkOptions, toSpec } from '../src/config.ts';
import { SupervisorError } from '../src/errors.ts';

const thrownBy = (work: () => unknown): SupervisorError => {
  try {
    work();
  } catch (error) {
    if (SupervisorError.is(error)) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
};

describe('options of the supervisor', () => {
  it.each([
    ['plugin', {}, "no option 'plugin'"],
    ['constructor', {}, "no option 'constructor'"],
    ['home', '', 'a path'],
    ['plugins', [], 'plugins by name'],
    ['defaults', 'x', 'plugin options'],
    ['logger', { info() {} }, 'debug, info, warn, error'],
    ['logger', null, 'debug, info, warn, error'],
    ['launchers', {}, 'a list'],
    ['trace', 'yes', 'true or false'],
    ['inspect', {}, 'a function'],
    ['timing', { start: '1s' }, 'an object of numbers'],
    ['timing', { stert: 1 }, 'start'],
    ['restartPolicy', { minDelay: Number.NaN }, 'minDelay'],
    ['limits', { maxMessage: 0 }, 'maxMessage'],
    ['slots', { install: 1.5 }, 'install'],
    ['env', 'PATH=x', 'variables'],
  ])('refuses %s %j', (name, value, words) => {
    const error = thrownBy(() => checkOptions({ [name]: value }));
    expect(error).toMatchObject({ code: 'CONFIG_INVALID', whose: 'input' });
    expect(error.message).toContain(words);
  });

  it('takes every one that is right, and those left undefined', () => {
    const log = () => {};
    checkOptions({
      home: '/x',
      plugins: {},
      defaults: {},
      logger: { debug: log, info: log, warn: log, error: log },
      launchers: [],
      trace: true,
      inspect: log,
      timing: { start: 1, close: Number.POSITIVE_INFINITY, idleStop: null },
      restartPolicy: { minDelay: 0 },
      limits: { maxResult: 1 },
      slots: { launch: 1 },
      env: { PATH: undefined },
    });
    checkOptions({ home: undefined } as never);
  });
});

describe('options of a plugin', () => {
  it.each([
    [{}, "'source' is missing"],
    [null, 'a source or an object'],
    [{ source: './x', sauce: 1 }, "unknown option 'sauce'"],
    [{ source: './x', toString: 1 }, "unknown option 'toString'"],
    [{ source: 7 }, 'a string'],
    [{ source: './x', env: { A: 1 } }, 'an object of strings'],
    [{ source: './x', timeouts: { call: -1 } }, 'milliseconds'],
    [{ source: './x', idleStop: 0 }, 'milliseconds or false'],
    [{ source: './x', port: 65_536 }, 'a port number'],
    [{ source: './x', allowScripts: false }, 'true or a list of package names'],
    [{ source: './x', allowScripts: ['--unsafe'] }, 'true or a list of package names'],
    [{ source: './x', restart: 'always' }, "'permanent'"],
    [{ source: './x', command: [] }, 'a command line'],
    [{ source: './x', command: 'node "x' }, 'command'],
    [{ source: './x', envPolicy: 'all' }, "'minimal', 'inherit'"],
    [{ source: './x', envPolicy: ['A-B'] }, 'a list of names'],
    [{ source: './x', limits: { memory: '512 elephants' } }, "'512M'"],
    [{ source: './x', limits: { memory: 512 } }, 'memory'],
    [{ source: './x', limits: { memroy: '1G' } }, 'memory'],
    [{ source: './x', limits: { processes: 1.5 } }, 'processes'],
    [{ source: './x', limits: { files: 3 } }, 'files'],
    [{ source: './x', limits: { cpu: 0 } }, 'cpu'],
    [{ source: './x', user: 'a b' }, 'uid:gid'],
    [{ source: './x', user: '--reuid=0' }, 'uid:gid'],
    [{ source: './x', sandbox: 'docker' }, "'bubblewrap'"],
    [{ source: './x', sandbox: { network: false } }, "network ('on', 'off')"],
    [{ source: './x', sandbox: { read: ['relative'] } }, 'absolute'],
    [{ source: './x', sandbox: { reads: [] } }, 'read and write'],
  ])('refuses %j', (options, words) => {
    const error = thrownBy(() => toSpec('p', options as never));
    expect(error.code).toBe('CONFIG_INVALID');
    expect(error.message).toContain(words);
  });

  it.each(['__proto__', '', '-x', 'a/b', 'a b', 'x'.repeat(101), '..'])('refuses the name %j', (name) => {
    expect(thrownBy(() => toSpec(name, './x')).code).toBe('CONFIG_INVALID');
  });

  it('reads limits and sandbox in each of their forms, apart from what makes an install stale', () => {
    const spec = (options: object, defaults = {}) => toSpec('p', { source: './x', ...options }, defaults);
    expect(spec({})).not.toHaveProperty('limits');
    expect(spec({ limits: { memory: '1.5G', cpu: 2 } }).limits).toEqual({ memory: 1.5 * 1024 ** 3, cpu: 2 });
    expect(spec({ limits: { memory: '64MiB' } }, { limits: { files: 99 } }).limits).toEqual({
      memory: 2 ** 26,
      files: 99,
    });
    const all = { network: 'on', read: [], write: [] };
    expect(spec({ sandbox: true }).sandbox).toEqual(all);
    expect(spec({ sandbox: 'bubblewrap' }).sandbox).toEqual(all);
    expect(spec({ sandbox: { network: 'off', read: ['~/x'] } }).sandbox).toEqual({
      ...all,
      network: 'off',
      read: ['~/x'],
    });
    expect(spec({ sandbox: false }, { sandbox: true })).not.toHaveProperty('sandbox');
    expect(spec({ limits: { files: 9 }, sandbox: true, user: 'me', envPolicy: ['A'] }).overrides).toEqual({});
  });

  it('never quotes a value of env', () => {
    expect(thrownBy(() => toSpec('p', { source: './x', env: ['hunter2'] as never })).message).not.toContain('hunter2');
  });
});
