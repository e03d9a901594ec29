/** What every actor factory takes: its collaborators, nothing global. Built once per supervisor by `src/compose`. */

import type { Dispatcher } from 'undici';
import type { Launcher, Transport } from '../launchers/plan.ts';
import type { Health } from '../machines/contracts.ts';
import type { Exit, Failure } from '../machines/failure.ts';
import type { Guard } from './guard.ts';
import type { Runtimes } from './runtimes.ts';
import type { Store } from './store/store.ts';

/** The part of pino's interface that actors use. */
export interface Log {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

export interface ActorContext {
  readonly store: Store;
  readonly log: Log;
  /** The ordered table, loaded at first need: a warm start never parses YAML or TOML. */
  readonly launchers: () => Promise<readonly Launcher[]>;
  readonly runtimes: Runtimes;
  readonly guard: Guard;
  /** Live processes and sessions, by plugin instance; process and probe actors write, the broker reads. */
  readonly instances: Map<string, Instance>;
  /** Every line that a plugin, an installer or git prints, for logs and progress; already stripped of its newline. */
  readonly output: (line: OutputLine) => void;
  /** Environment of the caller, of which plugins and jobs get a part (`actors/env`). */
  readonly callerEnv: Readonly<Record<string, string | undefined>>;
  readonly limits: Limits;
  /** Nothing of our own asks the network, and installers are told not to; default false. */
  readonly offline?: boolean;
}

export interface OutputLine {
  readonly plugin: string;
  readonly stream: 'clone' | 'install' | 'stdout' | 'stderr';
  readonly text: string;
}

export interface Limits {
  /** Bytes of one message to a stdio plugin with its newline; default 10 MiB − 1 KiB: SDK servers die above 10 MiB. */
  readonly maxMessage: number;
  /** Bytes of one inbound message; default 16 MiB. */
  readonly maxResult: number;
  /** Files of a source, links and folders of an archive included; default 200 000: more than any plugin has. */
  readonly maxFiles: number;
  /** Bytes of a source's files, and of an archive that is downloaded; default 1 GiB. */
  readonly maxSource: number;
}

/** One generation of a plugin, from spawn to group.empty. */
export interface Instance {
  readonly generation: number;
  /** Folder of the environment that it runs in (`Store.environmentDir`). */
  readonly environment?: string;
  readonly process: ProcessHandle;
  /** Set by the probe actor when ready. */
  session: Session | null;
  /** Set by the probe actor while stdout may carry messages; null where it carries none. */
  noise: Noise | null;
}

/** Lines of stdout that were no messages, of one generation. */
export interface Noise {
  readonly lines: number;
  /** No message has come yet. */
  readonly alone: boolean;
  /** The first 20, without secrets. */
  readonly first: readonly string[];
  /** What they look like and how to get rid of them; null for a few lines that nobody recognises. */
  readonly cause: { readonly detail: string; readonly hint: string } | null;
}

/** The live process as the probe and the sessions see it; only the process actor signals or ends it. */
export interface ProcessHandle {
  readonly plugin: string;
  readonly generation: number;
  /** null for a server that runs elsewhere. */
  readonly pid: number | null;
  /** Port handed to it; null when none was leased. */
  readonly leasedPort: number | null;
  /** Unix socket path handed to it; null for TCP and stdio. */
  readonly socketPath: string | null;
  /**
   * Writes to stdin; false when the pipe is gone (nothing was written). Never throws. `failed` is called when the pipe
   * breaks before it has taken all of it: no program has read it to its end.
   */
  write(data: string | Uint8Array, failed?: () => void): boolean;
  /** Bytes accepted by `write` that the pipe has not taken yet. */
  readonly writeBacklog: () => number;
  /**
   * The one reader of stdout; chunks that came before (at most 1 MiB) are replayed. Drained into nothing without one.
   * `ended` is called once, after the last chunk, when stdout is closed.
   */
  readStdout(reader: (chunk: Buffer) => void, ended?: () => void): void;
  /** Logs a line of stdout that its reader found to be no message, though it looks like one. */
  printed(line: string): void;
  /** Called for every line of stderr, and of stdout as far as it is not protocol. */
  onLine(listener: (line: string) => void): () => void;
  /** Last lines of stderr, oldest first. */
  stderrTail(): readonly string[];
  /** Takes its secrets out of text that it wrote, before anyone but its caller sees it. */
  readonly redact: (text: string) => string;
  /** Live pids of its group and of everything with its cookie. */
  pids(): readonly number[];
  /** TCP and Unix sockets on which those pids listen; null when the system can't tell (no `/proc`, no `lsof`). */
  listening(): Promise<readonly ListenSocket[] | null>;
  /** Resolves when the leader has exited; never rejects. */
  readonly exited: Promise<Exit>;
  /** How it is reached, of a server that runs elsewhere; absent for every other. */
  readonly remote?: Remote;
}

/** What we need of undici's. */
export interface HttpDispatcher extends Pick<Dispatcher, 'dispatch'> {
  /** Cuts every connection. */
  destroy(): Promise<void>;
}

/** The way to a server that runs elsewhere. */
export interface Remote {
  /** With its secrets. */
  readonly url: URL;
  /** Of every request. */
  readonly headers: Readonly<Record<string, string>>;
  /** Whether another start may find other headers: what they refer to is looked up anew. */
  readonly refreshes: boolean;
  /** Connections by the caller's proxy, trusting the caller's certificates; the asker's to destroy. */
  connect(): Promise<HttpDispatcher>;
  /** Ours is no more: it has been stopped. */
  readonly ended: Promise<void>;
}

export interface ListenSocket {
  /** `127.0.0.1`, `0.0.0.0`, `::1`, `::`; '' for a Unix socket. */
  readonly host: string;
  readonly port: number;
  readonly path: string | null;
}

// ---- sessions (actors/mcp) ----

export type JsonRpcId = string | number;
export interface JsonRpcMessage {
  readonly jsonrpc: '2.0';
  readonly id?: JsonRpcId;
  readonly method?: string;
  readonly params?: unknown;
  readonly result?: unknown;
  readonly error?: { readonly code: number; readonly message: string; readonly data?: unknown };
}

/** Whether a request had its effect: `not-sent` provably not, `sent-unknown` nobody knows. */
export type Fate = 'not-sent' | 'sent-unknown';

export interface RequestOptions {
  /** Aborting sends `notifications/cancelled` (or closes the HTTP response) and rejects. */
  readonly signal?: AbortSignal | undefined;
  /** Milliseconds from writing the frame; each progress notification restarts it. */
  readonly timeout?: number | undefined;
  /** Milliseconds that no progress can extend. */
  readonly hardTimeout?: number | undefined;
  readonly onProgress?: ((progress: unknown) => void) | undefined;
  /**
   * Answers what the server asks its client while it works on this request (sampling, elicitation, roots); only an
   * interactive session asks. Resolves with the `result`; a rejection with `{code, message, data}` becomes the error.
   * Who is asked: over HTTP the request on whose stream it came; else the one request in flight that could have caused it,
   * and with several nobody (-32603).
   */
  readonly onRequest?: ((request: ServerRequest) => Promise<unknown>) | undefined;
  /** Who asks, where there are several (the client session); what one gave up is never another one's question. */
  readonly caller?: string | undefined;
  /** Notifications, progress aside, that provably belong to this request: they came on its own response stream. */
  readonly onNotification?: ((message: JsonRpcMessage) => void) | undefined;
}

/** What a server asks its client. */
export interface ServerRequest {
  readonly method: string;
  readonly params: unknown;
  /** Aborted when the server takes it back, or the request that it belongs to is over. */
  readonly signal: AbortSignal;
}

/** One tool as the server described it, untouched. */
export interface ToolDescription {
  readonly name: string;
  readonly description?: string;
  readonly inputSchema?: Readonly<Record<string, unknown>>;
  readonly annotations?: Readonly<Record<string, unknown>>;
  readonly [key: string]: unknown;
}

/** An open connection to one generation of a plugin. Rejections are `SessionError`s (`actors/mcp/session-error.ts`). */
export interface Session {
  readonly generation: number;
  readonly transport: Transport;
  /** null: a plain HTTP service without MCP. */
  readonly era: 'legacy' | 'modern' | null;
  readonly protocolVersion: string | null;
  /** `serverInfo`, `capabilities`, `instructions` verbatim from the handshake; {} for plain HTTP. */
  readonly server: Readonly<Record<string, unknown>>;
  /** Base URL of an HTTP plugin, for people. */
  readonly url: string | null;
  /**
   * Tools fetched before ready, refreshed on list_changed. Of a plain HTTP service: one for each operation that its OpenAPI
   * document describes, else the one that sends any request.
   */
  readonly tools: readonly ToolDescription[];
  /** One MCP request; resolves with the verbatim `result`. */
  request(method: string, params: unknown, options?: RequestOptions): Promise<unknown>;
  notify(method: string, params: unknown): void;
  /**
   * Notifications of the server that belong to no request (`RequestOptions.onNotification`), and its requests, already
   * answered or given to whoever they belong to.
   */
  onMessage(listener: (message: JsonRpcMessage) => void): () => void;
  /**
   * From now on `notifications/resources/updated` is wanted for exactly these URIs (legacy: resources/subscribe and
   * unsubscribe; modern: a new subscriptions/listen). Rejects with the server's refusal.
   */
  follow(uris: readonly string[]): Promise<void>;
  /** Plain HTTP: POSTs the payload (or `{path, method, query, headers, body}`) and resolves with the parsed answer. */
  post(payload: unknown, options?: RequestOptions): Promise<unknown>;
  /**
   * Asks the server whether it still answers; settles with the signal at the latest. Not asked while calls are in flight:
   * a server that works on one may well be unable to answer; unless one was given up without a word from it since.
   * `again`: the last check was not answered, so ask what it has answered before.
   */
  check(signal: AbortSignal, again: boolean): Promise<Health>;
  /** Requests in flight. */
  readonly inFlight: () => number;
  /** Answers to nothing that was asked, or no longer waited for; absent where answers can't go astray (plain HTTP). */
  readonly lateReplies?: () => number;
  /** Resolves once when it can carry nothing more; null when we closed it. */
  readonly closed: Promise<Failure | null>;
  /** Settles everything in flight with its fate, ends the session politely. Idempotent. */
  close(reason: Failure): void;
}
