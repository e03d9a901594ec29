import type { PluginStatus } from '../../options.ts';
import type { Flags } from '../options.ts';
import { createLineProgress, type Progress, silentProgress } from '../progress.ts';
import type { Terminal } from '../terminal.ts';
import type { DaemonClient } from './client.ts';

/** Milliseconds: what takes less is not worth a line. */
const PATIENCE = 300;

/** Shows a plugin of the daemon on its way, to a person: nothing is asked for anyone else, or for what is there at once. */
export function followPlugin(
  daemon: DaemonClient,
  name: string,
  flags: Pick<Flags, 'json'>,
  { stderr }: Terminal,
  signal: AbortSignal,
): Progress {
  if (!stderr.isTerminal || flags.json === true) return silentProgress;
  let status: Pick<PluginStatus, 'state' | 'subState'> = { state: 'absent', subState: null };
  let shown: Progress | null = null;
  let activity: string | null = null;
  let ended = false;
  const look = async () => {
    const next = (await daemon.request('GET', `/plugins/${encodeURIComponent(name)}`)) as PluginStatus;
    if (ended) return;
    const isNew = next.state !== status.state;
    status = next;
    shown ??= createLineProgress({ output: stderr, label: name, status: () => status });
    if (isNew && (shown !== null || next.state !== 'ready')) {
      const { state, since, generation, failure } = next;
      shown.state({ plugin: name, at: since, state, generation, failure, reason: null });
    }
    if (activity !== null && (next.state === 'ready' || next.state === 'idle')) shown.activity(activity);
  };
  const timer = setInterval(() => void look().catch(() => {}), PATIENCE).unref();
  const end = () => {
    ended = true;
    clearInterval(timer);
    shown?.end();
  };
  signal.addEventListener('abort', end, { once: true });
  return {
    state() {},
    log() {},
    activity(text) {
      activity = text;
    },
    end,
  };
}
