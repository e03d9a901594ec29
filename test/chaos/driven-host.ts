/** One supervisor process under our control, from its start to its end by whatever means. */

import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import type { SupervisorOptions } from '../../src/options.ts';
import type { FromHost, ToHost } from './host.ts';

export interface DrivenHost {
  readonly pid: number;
  readonly alive: () => boolean;
  tell(message: ToHost): void;
  /** Resolves with its answer; a code is its error's. `gone` when it died before it answered. */
  ask(message: Asked): Promise<Answer>;
  /** SIGKILL; with its guard, when only the next start can clean up. */
  kill(withGuard: boolean): Promise<void>;
  /** Lets it end. */
  release(): Promise<void>;
}

type Unnumbered<T> = T extends { readonly id: number } ? Omit<T, 'id'> : never;
export type Asked = Unnumbered<ToHost>;
export type Answer = { readonly value: unknown; readonly code: string | null } | 'gone';

export function startHost(
  program: string,
  options: SupervisorOptions,
  env: NodeJS.ProcessEnv,
  hear: (message: FromHost) => void,
): DrivenHost {
  const child: ChildProcess = fork(program, ['--host'], { env, stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  const asked = new Map<number, (answer: Answer) => void>();
  let last = 0;
  let alive = true;
  const exited = once(child, 'exit').then(() => {
    alive = false;
    for (const [, answer] of asked) answer('gone');
    asked.clear();
  });
  child.on('message', (message: FromHost) => {
    if (message.said !== 'done') return hear(message);
    asked.get(message.id)?.({ value: message.value, code: message.code });
    asked.delete(message.id);
  });
  child.on('error', () => undefined);
  const tell = (message: ToHost) => {
    if (alive && child.connected) child.send(message, () => undefined);
  };
  tell({ do: 'open', options });
  return {
    pid: child.pid!,
    alive: () => alive,
    tell,
    ask: (message) =>
      new Promise((resolve) => {
        if (!alive) return resolve('gone');
        last += 1;
        asked.set(last, resolve);
        tell({ ...message, id: last } as ToHost);
      }),
    async kill(withGuard) {
      const guards = withGuard ? guardsOf(child.pid!) : [];
      child.kill('SIGKILL');
      for (const pid of guards) process.kill(pid, 'SIGKILL');
      await exited;
    },
    async release() {
      if (child.connected) child.disconnect();
      await exited;
    },
  };
}

/** The guard is the one child that runs the shell under this name. */
function guardsOf(parent: number): readonly number[] {
  return readdirSync('/proc').flatMap((name) => {
    if (!/^\d+$/.test(name)) return [];
    try {
      if (!readFileSync(`/proc/${name}/cmdline`, 'latin1').includes('mcp-supervisor-guard')) return [];
      const stat = readFileSync(`/proc/${name}/stat`, 'latin1');
      return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]) === parent ? [Number(name)] : [];
    } catch {
      return [];
    }
  });
}
