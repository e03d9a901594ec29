/**
 * The supervisor that chaos happens to: a process of its own, told by IPC what to do. Its wall clock can be set, its disk
 * be full, its event loop be held up.
 */

import fs from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import { SupervisorError } from '../../src/errors.ts';
import type { PluginOptions, PluginStatus, SupervisorOptions } from '../../src/options.ts';
import { createSupervisor } from '../../src/supervisor.ts';
import type { Outcome } from '../support/accounts.ts';

export type Command = 'start' | 'stop' | 'restart' | 'reset' | 'remove' | 'add';

export type ToHost =
  | { readonly do: 'open'; readonly options: SupervisorOptions }
  | {
      readonly do: 'call';
      readonly plugin: string;
      readonly token: string;
      readonly tool: string;
      readonly more: object;
      readonly timeout: number;
    }
  | { readonly do: 'command'; readonly id: number; readonly command: Command; readonly plugin: string }
  | { readonly do: 'status'; readonly id: number }
  | { readonly do: 'close'; readonly id: number }
  /** Wall clock, in milliseconds off the true one. */
  | { readonly do: 'skew'; readonly by: number }
  /** Every write to the file system ends in ENOSPC. */
  | { readonly do: 'fill'; readonly full: boolean }
  | { readonly do: 'block'; readonly ms: number };

export type FromHost =
  | { readonly said: 'settled'; readonly token: string; readonly outcome: Outcome }
  | { readonly said: 'done'; readonly id: number; readonly value: unknown; readonly code: string | null }
  | { readonly said: 'state'; readonly plugin: string; readonly state: string; readonly generation: number }
  | { readonly said: 'complaint'; readonly text: string };

export function runHost(): void {
  const clock = createSkewedClock();
  const disk = createFullDisk();
  const tell = (message: FromHost) => {
    if (process.connected) process.send?.(message);
  };
  let open: ReturnType<typeof createSupervisor> | null = null;
  let plugins: SupervisorOptions['plugins'] = {};
  const opened = () => {
    if (open === null) throw new Error('not opened');
    return open;
  };

  function openUp(options: SupervisorOptions) {
    plugins = options.plugins;
    const complain = (fields: object, text: string) => {
      const { err, ...rest } = fields as { err?: Error };
      tell({ said: 'complaint', text: `${text} ${JSON.stringify(rest)} ${err?.stack ?? ''}` });
    };
    const logger = { debug() {}, info() {}, warn() {}, error: complain };
    open = createSupervisor({ ...options, env: process.env, logger });
    open.on('plugin:state', ({ plugin, state, generation }) => tell({ said: 'state', plugin, state, generation }));
  }

  async function call({ plugin, token, tool, more, timeout }: Extract<ToHost, { do: 'call' }>) {
    const limits = { timeout, startTimeout: 4 * timeout };
    try {
      const result = await opened().call(plugin, { tool, arguments: { token, ...more } }, limits);
      tell({ said: 'settled', token, outcome: { kind: 'answered', text: result.content?.[0]?.text ?? '' } });
    } catch (error) {
      if (!SupervisorError.is(error)) tell({ said: 'complaint', text: `a call failed with ${String(error)}` });
      const { code, data } = error as SupervisorError;
      const fate = (data?.fate as string | undefined) ?? null;
      tell({ said: 'settled', token, outcome: { kind: 'failed', code, fate } });
    }
  }

  const commands: Readonly<Record<Command, (plugin: string) => unknown>> = {
    start: (plugin) => opened().start(plugin),
    stop: (plugin) => opened().stop(plugin),
    restart: (plugin) => opened().restart(plugin),
    reset: (plugin) => opened().reset(plugin),
    remove: (plugin) => opened().remove(plugin),
    add: (plugin) => opened().add(plugin, plugins?.[plugin] as PluginOptions),
  };

  async function answer(id: number, work: () => unknown) {
    try {
      const value = (await work()) as PluginStatus | undefined;
      tell({ said: 'done', id, value: value ?? null, code: null });
    } catch (error) {
      const code = SupervisorError.is(error) ? error.code : `BUG ${String(error)}`;
      tell({ said: 'done', id, value: null, code });
    }
  }

  process.on('message', (message: ToHost) => {
    switch (message.do) {
      case 'open':
        return openUp(message.options);
      case 'call':
        return void call(message);
      case 'command':
        return void answer(message.id, () => commands[message.command](message.plugin));
      case 'status':
        return void answer(message.id, () => opened().status());
      case 'close':
        return void answer(message.id, () => opened().close());
      case 'skew':
        return clock.set(message.by);
      case 'fill':
        return disk.set(message.full);
      case 'block':
        for (const end = performance.now() + message.ms; performance.now() < end; );
    }
  });
  process.on('disconnect', () => process.exit());
  process.on('unhandledRejection', (error) => tell({ said: 'complaint', text: `unhandled: ${String(error)}` }));
}

/** `Date.now()` and `new Date()` go wrong; the monotonic clock doesn't. */
function createSkewedClock() {
  const True = Date;
  let skew = 0;
  class Skewed extends True {
    constructor(...given: [] | [number | string | Date]) {
      if (given.length === 0) super(True.now() + skew);
      else super(...(given as [number]));
    }
    static override now = () => True.now() + skew;
  }
  globalThis.Date = Skewed as DateConstructor;
  return {
    set(by: number) {
      skew = by;
    },
  };
}

/** What makes or fills a file fails; what frees one works. */
function createFullDisk() {
  let full = false;
  const refuse = () => {
    if (full) throw Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC', errno: -28 });
  };
  const names = ['writeFile', 'appendFile', 'mkdir', 'mkdtemp', 'cp', 'copyFile', 'symlink', 'link'] as const;
  for (const name of names) {
    const original = fs[name] as (...args: unknown[]) => Promise<unknown>;
    Object.assign(fs, {
      async [name](...args: unknown[]) {
        refuse();
        return original(...args);
      },
    });
  }
  const open = fs.open;
  Object.assign(fs, {
    async open(path: string, flags: string | number = 'r', mode?: number) {
      if (flags !== 'r') refuse();
      return open(path, flags, mode);
    },
  });
  syncBuiltinESMExports();
  return {
    set(now: boolean) {
      full = now;
    },
  };
}
