/** The public shapes of `createSupervisor`: what goes in and what comes out. Defaults stand at each option. */

import type { createActor, InspectionEvent } from 'xstate';
import type { Limits, Log, ServerRequest, ToolDescription } from '../actors/context.ts';
import type {
  EnvPolicy,
  Launcher,
  PluginSpec,
  RestartType,
  Timeouts,
  ToolFilter,
  Transport,
} from '../launchers/plan.ts';
import type { Failure, FailureCode } from '../machines/failure.ts';
import type { RestartPolicy, Timing } from '../machines/policy.ts';
import type { PluginState } from '../machines/states.ts';
import type { SupervisorMachine } from '../machines/supervisor.ts';
import type { LimitOptions, SandboxOptions } from './confinement.ts';

/** One plugin as its owner writes it; a plain string is `{ source }`. */
export interface PluginOptions {
  /**
   * Git URL, `owner/name`, folder (`./x`), archive (`./x.zip`, `https://…/x.mcpb`), `npm:name@1`, `pypi:name==1`, or a
   * command to run as it is (`-- node server.js`); what people paste (`npx -y name`, a page of GitHub) is read too. The
   * whole grammar: `src/source.ts`. Either it or `url` must be given.
   */
  readonly source?: string;
  /**
   * Address of an MCP server that runs elsewhere, `https://host/mcp`; it is neither cloned nor installed nor started. `${env:X}`,
   * `${file:/path}` and `${cmd:line}` may stand in it, as in `headers`. As a source: `mcp+https://host/mcp`.
   */
  readonly url?: string;
  /** Headers of every request to `url`; values are treated as secrets, references in them are resolved at each start. */
  readonly headers?: Readonly<Record<string, string>>;
  /** What client configurations call the transport of a `url`: `http` is `streamable-http`. `transport` wins. */
  readonly type?: 'stdio' | 'http' | 'sse' | 'streamable-http';
  /** Branch, tag or commit; of a package the version, of an archive `sha256=…`. Wins over the source's own `#ref`. */
  readonly ref?: string;
  /** Folder inside the source; wins over the source's own `#:subdir`. */
  readonly subdir?: string;
  /** Program to run, as one string split without a shell or as a list; beats every heuristic. */
  readonly command?: string | readonly string[];
  /** Arguments appended to the command, given or detected. */
  readonly args?: readonly string[];
  /** Environment of the plugin; values are treated as secrets. */
  readonly env?: Readonly<Record<string, string>>;
  /**
   * `minimal` (default): a short list and the settings that the plan wants; `inherit` (default of a source that is a bare
   * command): the whole environment; a list of names, or globs such as `AWS_*`, is added to minimal.
   */
  readonly envPolicy?: EnvPolicy;
  /**
   * What it may take of the machine; default: no limit. `memory` (bytes, or `512M`), `cpu` (share of the cores: 0.5, 2; only
   * where cgroups are delegated to us, else CONFIG_LIMIT), `cpuTime` (seconds that each process may compute), `processes`,
   * `files` (that each process may hold open). Who breaks one is ended with RUN_LIMIT. Without cgroups memory and processes
   * are looked at once a second.
   */
  readonly limits?: LimitOptions;
  /** User that it runs as: name, uid or uid:gid. Only root may, else CONFIG_USER. Default: ours. */
  readonly user?: string;
  /**
   * `true` (or `bubblewrap`, on Linux with bubblewrap installed, else CONFIG_SANDBOX): it sees the system and its own files
   * read-only, no home, a private /tmp, and writes to its data folder, which is its HOME. `{ network: 'off' }` takes the
   * network away (from a plugin that is reached over TCP: CONFIG_SANDBOX_NETWORK); `read` and `write` are paths that it sees
   * besides. Default false.
   */
  readonly sandbox?: SandboxOptions;
  /** Working folder below the project folder. */
  readonly cwd?: string;
  /** Default `auto`: found out at the first start. */
  readonly transport?: Transport | 'auto';
  /** Path of the endpoint of an HTTP plugin. */
  readonly endpoint?: string;
  /** Port that the plugin opens whatever it is told. */
  readonly port?: number;
  /** Default `auto`. */
  readonly protocol?: PluginSpec['protocol'];
  /**
   * The server may ask its clients (sampling, elicitation, roots); calls to one that talks over stdio are then made one
   * after the other, so that it is certain whom it asks; whoever leaves a question open keeps the others waiting (a client of
   * revision 2026-07-28 for at most 5 s). Default false: it is told that nobody can be asked. An object is what the one client
   * of a plugin that nobody else uses can be asked, in MCP's words (`{ sampling: {} }`); its calls run side by side.
   */
  readonly interactive?: boolean | Readonly<Record<string, unknown>>;
  /** Globs over its tools' names: what doesn't pass is neither listed nor callable. Default: all of them. */
  readonly tools?: ToolFilter;
  /**
   * `shared` (default): one process for everybody. `per-session`: one for each client session, at most 8, stopped 5 min after its
   * last call; `{ perSession: { max, idle } }` in numbers and milliseconds. `{ pool: N }`: N processes, the least busy is called.
   */
  readonly instances?: InstanceOptions;
  /** Install commands that replace the detected ones; [] installs nothing. */
  readonly install?: readonly (string | readonly string[])[];
  /** Build commands that replace the detected ones; [] builds nothing. */
  readonly build?: readonly (string | readonly string[])[];
  /**
   * Node packages whose install scripts run though npm (from 12), pnpm (from 10), Yarn (from 4.14) or Bun would hold them
   * back; true for all. Default: what the package manager does by itself.
   */
  readonly allowScripts?: true | readonly string[];
  /** Default `lazy`. */
  readonly activation?: PluginSpec['activation'];
  /** Default `transient`. */
  readonly restart?: RestartType;
  /** Milliseconds of quiet until it is stopped, `false` for never; default 5 min. */
  readonly idleStop?: number | false;
  /** Milliseconds between two health checks while it is in service, `false` for none; default 30 s. */
  readonly liveness?: number | false;
  readonly timeouts?: Timeouts;
}

export type InstanceOptions =
  | 'shared'
  | 'per-session'
  | { readonly pool: number }
  | { readonly perSession: { readonly max?: number; readonly idle?: number } };

/** Options for every plugin that doesn't say otherwise. */
export type Defaults = Omit<PluginOptions, 'source' | 'url' | 'ref' | 'subdir'>;

/** What `configure` did, by plugin. */
export interface Changes {
  readonly added: readonly string[];
  /** Another launch: drained and started anew, if it ran. */
  readonly restarted: readonly string[];
  /** Another policy alone. */
  readonly updated: readonly string[];
  readonly removed: readonly string[];
  readonly unchanged: readonly string[];
}

export interface SupervisorOptions {
  /** Home folder; default `$MCP_SUPERVISOR_HOME`, else `$XDG_DATA_HOME/mcp-supervisor`, else `~/.local/share/mcp-supervisor`. */
  readonly home?: string;
  readonly plugins?: Readonly<Record<string, string | PluginOptions>>;
  /** Options for every plugin that doesn't say otherwise. */
  readonly defaults?: Defaults;
  /** A pino logger, or anything with debug/info/warn/error(fields, message). Default: nothing is logged. */
  readonly logger?: Log;
  /** Further launchers, asked before the built-in ones. */
  readonly launchers?: readonly Launcher[];
  /** Send a CALL event through the machines for every call, also when ready (for the inspector and tests); default false. */
  readonly trace?: boolean;
  /** XState inspection events of the whole system. Payloads never appear in them. */
  readonly inspect?: (event: InspectionEvent) => void;
  readonly timing?: Partial<Timing>;
  readonly restartPolicy?: Partial<RestartPolicy>;
  readonly limits?: Partial<Limits>;
  /** Installs and launches at once; default: as many as the machine has cores. */
  readonly slots?: { readonly install?: number; readonly launch?: number };
  /**
   * Start from disk only: what was cloned and installed before runs; anything else ends in CLONE_OFFLINE or
   * INSTALL_OFFLINE, which says what is missing. Installers may still find all they need in their caches. The plugin's own
   * connections are its affair. Default false.
   */
  readonly offline?: boolean;
  /**
   * Write what each plugin prints, and the states it goes through, to `logs/<name>.log` in the home: three files of 5 MB,
   * rotated. Default true; nothing is created before the first line.
   */
  readonly logFiles?: boolean;
  /** Environment from which plugins and installers get theirs; default `process.env`. */
  readonly env?: Readonly<Record<string, string | undefined>>;
}

export interface CallOptions {
  /** Milliseconds from writing the request to its answer; default 60 000, restarted by progress, at most 10 min. */
  readonly timeout?: number;
  /** Milliseconds the call may wait for the plugin to be ready; default: as long as the stage it is in may last. */
  readonly startTimeout?: number;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: unknown) => void;
  /**
   * Answers what the server asks while it works on this call: sampling, elicitation, roots. Needs `interactive: true`. Resolves
   * with the `result`; a rejection with `{code, message, data}` is given to the server as the error.
   */
  readonly onRequest?: (request: ServerRequest) => Promise<unknown>;
  /** Notifications, progress aside, that provably belong to this call (HTTP: they came on its own response stream). */
  readonly onNotification?: (message: unknown) => void;
  /** Names the client session that calls: with `instances: 'per-session'` each has a process of its own. */
  readonly session?: string;
  /**
   * What the client of that session can be asked, as it declared it (`roots`, `sampling`, `elicitation`): told to a process of its
   * own when that is made, unless `interactive` is false.
   */
  readonly clientCapabilities?: Readonly<Record<string, unknown>>;
  /** Who calls, where that is no session: questions of the server never go from one caller to another. */
  readonly caller?: string;
  /** That instance (`Link.instance`, or of an event) and no other one; CONFIG_UNKNOWN_PLUGIN when it is gone. */
  readonly instance?: string;
}

/** `tools/call` by name. */
export interface ToolCall {
  readonly tool: string;
  readonly arguments?: Readonly<Record<string, unknown>>;
}
/** Any MCP method. */
export interface MethodCall {
  readonly method: string;
  readonly params?: Readonly<Record<string, unknown>>;
}
/** Result of a tool, verbatim. */
export interface ToolResult {
  readonly content?: readonly { readonly type: string; readonly text?: string; readonly [key: string]: unknown }[];
  readonly structuredContent?: unknown;
  readonly isError?: boolean;
  readonly [key: string]: unknown;
}

export interface PluginStatus {
  readonly name: string;
  readonly state: PluginState;
  /** `queued`, `cancelling`, `draining`, `waiting`, `parked` … or null. */
  readonly subState: string | null;
  /** ISO time at which the state was entered. */
  readonly since: string;
  /** Starts so far. */
  readonly generation: number;
  readonly pid: number | null;
  readonly transport: Transport | null;
  /** Era of the protocol that it speaks: `modern` from revision 2026-07-28 on; null while it doesn't run, and without MCP. */
  readonly era: 'legacy' | 'modern' | null;
  readonly url: string | null;
  readonly tools: number | null;
  /**
   * Lines on the stdout of a stdio server that were no messages, what they look like and what to do about it (null for a
   * few that nobody recognises); null where there were none. Past 100 it is also logged, as a warning.
   */
  readonly noise: { readonly lines: number; readonly cause: string | null; readonly hint: string | null } | null;
  /** The last failure; null once it is ready again. */
  readonly failure: Failure | null;
  /** ISO time of the next start: by itself after a crash; once parked, from when on a call may try. null: only `start` helps. */
  readonly retryAt: string | null;
  /** Calls waiting for it to be ready. */
  readonly held: number;
  readonly inFlight: number;
  /** Why it is in this state: one sentence or two, without secrets. */
  readonly why: string;
  /** What happens next by itself, or what its user must do: `It is tried again in 4 s.` */
  readonly next: string;
  /** ISO time of `next`, at the latest; null when no clock decides. */
  readonly nextAt: string | null;
  /** The source as it can be shown: never with a credential. */
  readonly source: string;
  /**
   * Each process of a plugin that is not simply shared, its first one first (`name`, `name#1` …); the rest of this status is then
   * that of the best of them, `held` and `inFlight` of all together. Left out for a shared one.
   */
  readonly instances?: readonly PluginStatus[];
}

/** What was counted of one plugin since it was added; all but `held`, `inFlight`, `state` and `since` only grow. */
export interface PluginMetrics {
  readonly plugin: string;
  readonly state: PluginState;
  /** ISO time at which the state was entered. */
  readonly since: string;
  /** Calls and requests by outcome; `toolErrors` were answered with `isError`, `failed` is by error code. */
  readonly calls: {
    readonly ok: number;
    readonly toolErrors: number;
    readonly failed: { readonly [Code in FailureCode]?: number };
  };
  readonly inFlight: number;
  /** Calls that wait for it to be ready now. */
  readonly held: number;
  /** Calls refused before anything was sent: it is stopped, parked, or too many wait. */
  readonly rejected: number;
  /**
   * Milliseconds from sending a request to its answer; waiting for a start is not in it. Each bucket counts what is at or
   * below `le`, the last one (Infinity) everything: p99 lies below the first bound whose count reaches 99 %.
   */
  readonly latency: {
    readonly buckets: readonly { readonly le: number; readonly count: number }[];
    readonly sum: number;
    readonly count: number;
  };
  /** Starts, those of the restart policy among them. */
  readonly starts: number;
  /** Starts that the restart policy made after a crash. */
  readonly restarts: number;
  /** Further attempts of a start, made in another way. */
  readonly relaunches: number;
  /** Programs that ran. */
  readonly spawns: number;
  readonly crashes: number;
  /** Lines on the stdout of a stdio server that are no messages. */
  readonly noiseLines: number;
  /** Answers that nobody waited for any more. */
  readonly lateReplies: number;
  /** Bytes written to its log file. */
  readonly logBytes: number;
}

/** One step of a plugin's life. */
export interface HistoryEntry {
  readonly at: string;
  readonly state: PluginState;
  readonly generation: number;
  readonly failure: Failure | null;
  /** What made it enter the state (`a call came`, `nobody called for 5 min`); null for what follows by itself. */
  readonly reason: string | null;
  /** `name#k`, where it was not the plugin's first instance. */
  readonly instance?: string;
}

export interface LogLine {
  readonly at: string;
  readonly stream: 'clone' | 'install' | 'stdout' | 'stderr';
  readonly text: string;
  /** `name#k`, where it was not the plugin's first instance. */
  readonly instance?: string;
}

export interface StateChange extends HistoryEntry {
  readonly plugin: string;
}

/** Public events: name → argument. */
export interface SupervisorEvents {
  /**
   * Any of the ten states was entered. `ready` and `idle` are told again, with the failure, when a health check turns bad and
   * calls wait from then on; and once more, without one, when all is well again.
   */
  'plugin:state': StateChange;
  'plugin:absent': StateChange;
  'plugin:cloning': StateChange;
  'plugin:detecting': StateChange;
  'plugin:installing': StateChange;
  'plugin:launching': StateChange;
  'plugin:probing': StateChange;
  'plugin:ready': StateChange;
  'plugin:idle': StateChange;
  'plugin:stopping': StateChange;
  'plugin:crashed': StateChange;
  'plugin:removed': { readonly plugin: string };
  /** It was added, or has other options now. */
  'plugin:configured': { readonly plugin: string };
  /** A notification of the server that belongs to no call: list_changed (told when `tools` is fresh), resources/updated, message. */
  'plugin:message': {
    readonly plugin: string;
    readonly generation: number;
    readonly method: string;
    readonly params: unknown;
    /** `name#k`, where it was not the plugin's first instance. */
    readonly instance?: string;
  };
  'plugin:log': LogLine & { readonly plugin: string };
  'supervisor:closed': undefined;
}

/** The one door to a plugin's session, valid for one generation. An open link keeps the plugin from idling. */
export interface Link {
  readonly plugin: string;
  /** The process that it leads to: the plugin's name, or `name#k`. */
  readonly instance: string;
  readonly generation: number;
  readonly transport: Transport;
  readonly protocolVersion: string | null;
  readonly server: Readonly<Record<string, unknown>>;
  readonly tools: readonly ToolDescription[];
  request(method: string, params?: unknown, options?: CallOptions): Promise<unknown>;
  notify(method: string, params?: unknown): void;
  onMessage(listener: (message: unknown) => void): () => void;
  /** From now on `notifications/resources/updated` is wanted for exactly these URIs. */
  follow(uris: readonly string[]): Promise<void>;
  /** Resolves with the reason when the generation ends; null when the link was closed by its owner. */
  readonly closed: Promise<Failure | null>;
  close(): void;
}

export interface Supervisor extends AsyncDisposable {
  /** Adds a plugin; CONFIG_INVALID, CONFIG_SOURCE, CONFIG_DUPLICATE. Nothing runs unless `activation` is `eager`. */
  add(name: string, plugin: string | PluginOptions): void;
  /** Stops it and forgets it. Its home entries stay. */
  remove(name: string): Promise<void>;
  /**
   * From now on these are the plugins, `defaults` as in the options. Checked as a whole first: when anything is wrong it
   * rejects (CONFIG_*) and everything stays as it was. Then only what differs is touched: new ones are added, missing ones
   * removed, and one whose launch differs (source, command, environment …) answers what it was asked and starts anew, while
   * restart policy, idle time and timeouts count at once. Resolves when the removed ones are gone.
   */
  configure(plugins: Readonly<Record<string, string | PluginOptions>>, defaults?: Defaults): Promise<Changes>;
  /** Resolves when it is ready, rejects with the failure when it can't be. Clears parking. */
  start(name: string, options?: Pick<CallOptions, 'signal' | 'startTimeout'>): Promise<PluginStatus>;
  /** Resolves when no process of it is left; calls don't start it again until `start`. */
  stop(name: string): Promise<void>;
  /** stop and start in one; not counted as a crash. */
  restart(name: string, options?: Pick<CallOptions, 'signal' | 'startTimeout'>): Promise<PluginStatus>;
  /** Clears a parked plugin's history; the next call starts it. */
  reset(name: string): Promise<void>;
  /** The result verbatim, `isError` included. Starts the plugin when needed. */
  call(name: string, payload: ToolCall, options?: CallOptions): Promise<ToolResult>;
  call(name: string, payload: MethodCall | Readonly<Record<string, unknown>>, options?: CallOptions): Promise<unknown>;
  /** One MCP request by method. */
  request(name: string, method: string, params?: unknown, options?: CallOptions): Promise<unknown>;
  /** The catalog, starting the plugin when needed; of a plain HTTP plugin its operations, else one tool that sends any request. */
  tools(name: string, options?: CallOptions): Promise<readonly ToolDescription[]>;
  open(name: string, options?: CallOptions): Promise<Link>;
  /**
   * Nobody calls for that session (`CallOptions.session`) any more: where it has processes of its own they end after `grace`
   * milliseconds (default 5 s), unless it calls again.
   */
  endSession(session: string, options?: { readonly grace?: number }): void;
  status(): readonly PluginStatus[];
  status(name: string): PluginStatus;
  /** The last 200 state changes, oldest first. */
  history(name: string): readonly HistoryEntry[];
  list(): readonly string[];
  /** The last 1000 lines that the plugin, its installer or git printed. */
  logs(name: string): readonly LogLine[];
  /** Path of its log file, which outlives the plugin; older ones are `<path>.1` and `<path>.2`. */
  logFile(name: string): string;
  /** Path of the file that keeps what it lists, for whoever asks while it sleeps. */
  catalogFile(name: string): string;
  /** Another word whenever its source, command, environment or choice of tools is another one; says nothing of them. */
  fingerprint(name: string): string;
  /** Counters of every plugin. */
  metrics(): readonly PluginMetrics[];
  on<Name extends keyof SupervisorEvents>(
    event: Name,
    listener: (argument: SupervisorEvents[Name]) => void,
  ): () => void;
  /** Resolves when the plugin enters the state; at once when it is there. */
  waitFor(name: string, state: PluginState, options?: { readonly signal?: AbortSignal }): Promise<PluginStatus>;
  /** Stops every plugin in parallel, at most 10 s, then by force; a second call forces at once. Resolves when all are gone. */
  close(): Promise<void>;
  /** The root actor, for `xstate` tools: snapshots, inspection. Send it nothing. */
  readonly actor: ReturnType<typeof createActor<SupervisorMachine>>;
}
