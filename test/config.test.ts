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
  ])('refuses %j', (options, words) => {
    const error = thrownBy(() => toSpec('p', options as never));
    expect(error.code).toBe('CONFIG_INVALID');
    expect(error.message).toContain(words);
  });

  it.each(['__proto__', '', '-x', 'a/b', 'a b', 'x'.repeat(101), '..'])('refuses the name %j', (name) => {
    expect(thrownBy(() => toSpec(name, './x')).code).toBe('CONFIG_INVALID');
  });

  it('never quotes a value of env', () => {
    expect(thrownBy(() => toSpec('p', { source: './x', env: ['hunter2'] as never })).message).not.toContain('hunter2');
  });
});
