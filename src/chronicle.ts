/** Follows what happens to each plugin, and keeps it for people: history with reasons, logs in memory and on disk, counters. */

import type { ActorRefFrom } from 'xstate';
import type { Instance, OutputLine } from '../actors/context.ts';
import { pluginOf } from '../actors/instance-name.ts';
import type { FileLine, LogFiles } from '../actors/store/log-files.ts';
import type { SupervisorCommand, SupervisorEmitted } from '../machines/events.ts';
import type { pluginMachine } from '../machines/plugin.ts';
import { stateName } from '../machines/states.ts';
import { memberOf, type SupervisorContext } from '../machines/supervisor/context.ts';
import { type Explanation, explainStatus } from './explain-status.ts';
import { createMeter, type Meter } from './meter.ts';
import { createObserver, instanceIn } from './observe.ts';
import type { HistoryEntry, LogLine, PluginMetrics } from './options.ts';
import { type Asked, beginsStart, reasonOf } from './reasons.ts';
import { createSteps } from './steps.ts';

export interface ChronicleParts {
  /** The plugin's actor; undefined while there is none. */
  readonly actorOf: (plugin: string) => ActorRefFrom<typeof pluginMachine> | undefined;
  readonly root: () => SupervisorContext;
  readonly instances: ReadonlyMap<string, Instance>;
  /** A link to it is open. */
  readonly isHeld: (plugin: string) => boolean;
  /** null: nothing is written to the disk. */
  readonly files: LogFiles | null;
  /** Epoch milliseconds; default Date.now. */
  readonly now?: () => number;
}

export interface Chronicle {
  readonly meter: Meter;
  /** Before a command goes out. */
  asked(command: SupervisorCommand): void;
  /** What the supervisor machine emitted; the entry that it makes in the history. */
  entered(event: Extract<SupervisorEmitted, { type: 'plugin.entered' }>): HistoryEntry;
  printed(line: OutputLine): LogLine;
  /** An instance is gone; with `last` its plugin, too. */
  removed(instance: string, last: boolean): void;
  history(plugin: string): readonly HistoryEntry[];
  log(plugin: string): readonly LogLine[];
  /** ISO time at which its state was entered. */
  since(plugin: string): string;
  explain(plugin: string): Explanation;
  /** Of all its instances together; the state is that of `status`. */
  metrics(
    plugin: string,
    now: Pick<PluginMetrics, 'state' | 'since' | 'inFlight' | 'held'>,
    instances: readonly string[],
  ): PluginMetrics;
}

export function createChronicle(parts: ChronicleParts): Chronicle {
  const { actorOf, root, instances, isHeld, files, now = Date.now } = parts;
  const createdAt = new Date(now()).toISOString();
  const observer = createObserver(now);
  const meter = createMeter();
  const steps = createSteps(now);
  /** The last command to each plugin that has had no effect yet. */
  const commands = new Map<string, Asked>();
  /** Epoch milliseconds of the last UPDATE. */
  const updates = new Map<string, number>();
  let closing = false;

  const snapshotOf = (plugin: string) => actorOf(plugin)?.getSnapshot();
  const since = (plugin: string) => observer.since(plugin) ?? createdAt;

  /** How many are served, or will be, before it. */
  function aheadOf(plugin: string): number {
    const kind = snapshotOf(plugin)?.context.slot?.kind;
    const queue = kind && root().queues[kind];
    const own = queue?.waiting.find((each) => each.plugin === plugin);
    if (queue === undefined || own === undefined) return 0;
    const place = queue.waiting.indexOf(own);
    const before = queue.waiting.filter(({ urgent }, at) => (own.urgent ? urgent && at < place : urgent || at < place));
    return queue.holders.length + before.length;
  }

  /** All instances of a plugin write to one file, by one writer; each line of the others names its own. */
  function write(instance: string, line: FileLine): void {
    const plugin = pluginOf(instance);
    const text = instance === plugin ? line.text : `[${instance.slice(plugin.length)}] ${line.text}`;
    files?.write(plugin, { ...line, text });
  }

  function tellFile(plugin: string, { at, state, generation, failure, reason }: HistoryEntry): void {
    // Nothing has happened to a plugin that was only added.
    if (state === 'absent' && generation === 0 && reason === null) return;
    const pid = state === 'probing' ? ` · pid ${instances.get(plugin)?.process.pid ?? '?'}` : '';
    const why = failure === null ? (reason ?? '') : `${failure.code} ${failure.message}`;
    const text = `${state} · generation ${generation}${pid}${why === '' ? '' : ` · ${why}`}`;
    write(plugin, { at, source: 'state', text });
  }

  return {
    meter,
    asked(command) {
      if (command.type === 'CLOSE' || command.type === 'KILL') closing = true;
      else if (command.type !== 'ADD' && command.type !== 'CALL' && command.type !== 'traffic') {
        if (command.type === 'UPDATE') updates.set(command.plugin, now());
        const snapshot = snapshotOf(command.plugin);
        const rests = snapshot === undefined || stateName(snapshot.value) === 'absent';
        // Of a plugin at rest only a start makes anything of it.
        if (!rests || command.type === 'START' || command.type === 'RESTART')
          commands.set(command.plugin, command.type);
      }
    },
    entered({ plugin, state, generation, failure }) {
      const actor = actorOf(plugin);
      steps.follow(plugin, actor);
      const context = actor?.getSnapshot().context;
      const before = observer.last(plugin);
      const asked = commands.get(plugin) ?? null;
      const reason = reasonOf({ state, failure, before, context, asked, closing });
      const begins = beginsStart({ state, before });
      const retried = before?.state === 'crashed' && asked === null;
      meter.entered(plugin, state, { begins, retried, relaunches: context?.relaunches ?? 0 });
      if (begins || state === 'absent' || state === 'crashed') commands.delete(plugin);
      const entry = { at: new Date(now()).toISOString(), state, generation, failure, reason, ...instanceIn(plugin) };
      observer.changed(plugin, entry);
      tellFile(plugin, entry);
      return entry;
    },
    printed(line) {
      const { plugin, stream } = line;
      const entry = observer.printed(line);
      if (stream === 'stdout' && instances.get(plugin)?.noise != null) meter.noise(pluginOf(plugin));
      write(plugin, { at: entry.at, source: stream, text: entry.text });
      return entry;
    },
    removed(instance, last) {
      write(instance, { at: new Date(now()).toISOString(), source: 'state', text: 'removed' });
      observer.forgetInstance(instance);
      meter.forgetInstance(instance);
      steps.forget(instance);
      commands.delete(instance);
      updates.delete(instance);
      if (!last) return;
      const plugin = pluginOf(instance);
      files?.forget(plugin);
      observer.forget(plugin);
      meter.forget(plugin);
    },
    history: observer.history,
    log: observer.log,
    since,
    explain(plugin) {
      const entered = Date.parse(since(plugin));
      return explainStatus({
        snapshot: snapshotOf(plugin),
        now: now(),
        since: entered,
        stepSince: Math.max(entered, steps.since(plugin) ?? entered),
        idleSince: Math.max(entered, updates.get(plugin) ?? entered),
        linked: isHeld(plugin),
        reason: observer.last(plugin)?.reason ?? null,
        ahead: aheadOf(plugin),
        broken: memberOf(root(), plugin)?.broken ?? null,
        closing,
      });
    },
    metrics(plugin, { state, since, inFlight, held }, all) {
      const counted = meter.read(plugin);
      const late = all.reduce((sum, id) => sum + (instances.get(id)?.session?.lateReplies?.() ?? 0), 0);
      return {
        plugin,
        state,
        since,
        inFlight,
        held,
        ...counted,
        lateReplies: counted.lateReplies + late,
        logBytes: files?.bytes(plugin) ?? 0,
      };
    },
  };
}
