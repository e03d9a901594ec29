import { EventEmitter } from 'node:events';
import { describe, expect, it } from 'vitest';
import { runGuarded, type Shutdown } from '../../src/cli/shutdown.ts';

/** The parts of a process that a guarded command touches. */
function setUp() {
  const process = Object.assign(new EventEmitter(), {
    stdout: new EventEmitter(),
    stderr: new EventEmitter(),
    exits: [] as number[],
    exit(code: number) {
      process.exits.push(code);
    },
  });
  const heard: string[] = [];
  const start = (work: (shutdown: Shutdown) => Promise<number>) =>
    runGuarded(process as unknown as NodeJS.Process, work, {
      async failed(error) {
        heard.push(`failed: ${(error as Error).message}`);
        return 3;
      },
      async interrupted(signal) {
        heard.push(`interrupted: ${signal}`);
      },
    });
  return { process, heard, start };
}

const forever = () => new Promise<never>(() => {});
const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

describe('everything that is owned is closed before the code comes', () => {
  it('after a result', async () => {
    const { start, heard, process } = setUp();
    const code = await start(async ({ own }) => {
      own(async () => void heard.push('closed'));
      return 4;
    });
    expect(code).toBe(4);
    expect(heard).toEqual(['closed']);
    expect(process.eventNames()).toEqual([]);
  });

  it('after a failure, which is told first', async () => {
    const { start, heard } = setUp();
    const code = await start(async ({ own }) => {
      own(async () => void heard.push('closed'));
      throw new Error('no');
    });
    expect(code).toBe(3);
    expect(heard).toEqual(['failed: no', 'closed']);
  });

  it.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
    ['SIGHUP', 129],
  ])('after %s, whatever the work still does', async (signal, expected) => {
    const { start, heard, process } = setUp();
    const ended = start(({ own, signal: aborted }) => {
      own(async () => void heard.push(`closed, aborted: ${aborted.aborted}`));
      return forever();
    });
    process.emit(signal, signal);
    expect(await ended).toBe(expected);
    expect(heard).toEqual([`interrupted: ${signal}`, 'closed, aborted: true']);
  });

  it.each(['uncaughtException', 'unhandledRejection'])('after an %s', async (event) => {
    const { start, heard, process } = setUp();
    const ended = start(({ own }) => {
      own(async () => void heard.push('closed'));
      return forever();
    });
    process.emit(event, new Error('bug'));
    expect(await ended).toBe(3);
    expect(heard).toEqual(['failed: bug', 'closed']);
  });

  it('quietly when the reader of stdout has gone', async () => {
    const { start, heard, process } = setUp();
    const ended = start(({ own }) => {
      own(async () => void heard.push('closed'));
      return forever();
    });
    process.stdout.emit('error', Object.assign(new Error('write EPIPE'), { code: 'EPIPE' }));
    expect(await ended).toBe(0);
    expect(heard).toEqual(['closed']);
  });
});

it('a second signal asks again to close, a third one leaves', async () => {
  const { start, heard, process } = setUp();
  let release = () => {};
  const closed = new Promise<void>((resolve) => {
    release = resolve;
  });
  const ended = start(({ own }) => {
    own(() => {
      heard.push('close');
      return closed;
    });
    return forever();
  });
  process.emit('SIGINT', 'SIGINT');
  await turn();
  process.emit('SIGTERM', 'SIGTERM');
  expect(heard).toEqual(['interrupted: SIGINT', 'close', 'close']);
  process.emit('SIGTERM', 'SIGTERM');
  expect(process.exits).toEqual([143]);
  release();
  expect(await ended).toBe(143);
});

it('a failure to close is told, and fails a command that had gone well', async () => {
  const { start, heard } = setUp();
  const code = await start(async ({ own }) => {
    own(() => Promise.reject(new Error('still there')));
    return 0;
  });
  expect(code).toBe(3);
  expect(heard).toEqual(['failed: still there']);
});

describe('a command that is meant to be ended', () => {
  it('ends with 0 on a signal, and nothing is said', async () => {
    const { start, heard, process } = setUp();
    const code = start(async ({ own, mayBeEnded, signal }) => {
      own(async () => void heard.push('closed'));
      mayBeEnded();
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
      return 0;
    });
    await turn();
    process.emit('SIGTERM', 'SIGTERM');
    expect(await code).toBe(0);
    expect(heard).toEqual(['closed']);
  });

  it('hears SIGHUP as a word, until it ends', async () => {
    const { start, heard, process } = setUp();
    const code = start(async ({ onHangup, signal }) => {
      onHangup(() => heard.push('read again'));
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
      return 0;
    });
    await turn();
    process.emit('SIGHUP', 'SIGHUP');
    process.emit('SIGHUP', 'SIGHUP');
    expect(heard).toEqual(['read again', 'read again']);
    process.emit('SIGTERM', 'SIGTERM');
    expect(await code).toBe(143);
  });
});
