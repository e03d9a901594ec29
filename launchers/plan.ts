/**
 * What every floor shares: what a plugin is (PluginSpec), how one would run it (LaunchPlan), and why one can't
 * (Refusal, Cause). Types only, plain JSON: a plan is printed by `detect`, kept on disk and compared byte by byte.
 */

export type Transport = 'stdio' | 'streamable-http' | 'sse' | 'http';

/** Where a plugin comes from, parsed from the one source grammar (`src/source.ts`). Never holds a credential. */
export type Source =
  | {
      readonly kind: 'git';
      /** Clone URL without a login: `https://host/o/n.git`, `ssh://git@host/o/n.git`, `git@host:o/n.git`, `file:///…`. */
      readonly url: string;
      /** Branch, tag or commit; null is the remote's HEAD. */
      readonly ref: string | null;
      /** Folder inside the repository, '' is its root. */
      readonly subdir: string;
    }
  | {
      readonly kind: 'folder';
      /** Absolute path. It is copied into the home and never written to. May be one single script. */
      readonly path: string;
      readonly subdir: string;
    }
  | {
      readonly kind: 'archive';
      /** Absolute path, or http(s) URL without a login, of a zip (also .mcpb, .dxt) or a tar, gzipped or not. */
      readonly location: string;
      /** Checksum of the file, 64 hexadecimal digits; null takes whatever is there. */
      readonly sha256: string | null;
      readonly subdir: string;
    }
  | {
      readonly kind: 'package';
      readonly registry: 'npm' | 'pypi';
      /** `@scope/name`; for PyPI also with extras, `name[cli]`. */
      readonly name: string;
      /** Version, tag (npm) or range; null takes the newest. */
      readonly version: string | null;
      readonly subdir: '';
    }
  | {
      readonly kind: 'command';
      /** Program and arguments as the user typed them; neither cloned nor installed, run where the user is. */
      readonly argv: readonly string[];
      /** Absolute path of the folder in which it runs. */
      readonly cwd: string;
      readonly subdir: '';
    }
  | {
      readonly kind: 'remote';
      /**
       * Address of a server that runs elsewhere, with its query, without a login; secret values in the query are
       * `[redacted]`, and `PluginSpec.address` has all of it.
       */
      readonly url: string;
      readonly subdir: '';
    };

export type SourceOf<Kind extends Source['kind']> = Extract<Source, { readonly kind: Kind }>;

/** A secret that shows as `[redacted]` in every print, log, snapshot and JSON; only `reveal` gives it away. */
export interface Credential {
  readonly username: string;
  reveal(): string;
  toJSON(): string;
}

/** Variables whose values show as `[redacted]` in every print, log, snapshot and JSON; only `reveal` gives them away. */
export interface Secrets {
  reveal(): Readonly<Record<string, string>>;
  toJSON(): Readonly<Record<string, string>>;
}

/** What the caller may say over every heuristic; all optional. */
export interface Overrides {
  /** Program and arguments, already split; relative programs are looked up in the plugin's folder, then on PATH. */
  readonly command?: readonly string[];
  /** Arguments appended to whatever command was found. */
  readonly args?: readonly string[];
  /** Working folder below the project folder. */
  readonly cwd?: string;
  readonly transport?: Transport | 'auto';
  /** Path (or absolute URL path with query) of the endpoint of an HTTP plugin, e.g. `/mcp`. */
  readonly endpoint?: string;
  /** A port that the plugin is known to open whatever it is told. */
  readonly port?: number;
  /** Commands that replace the detected install steps, each already split; [] installs nothing. */
  readonly install?: readonly (readonly string[])[];
  /** Commands that replace the detected build steps, each already split; [] builds nothing. */
  readonly build?: readonly (readonly string[])[];
  /**
   * Dependencies whose install scripts run though the package manager would hold them back; true: all of them. Left out:
   * what the package manager does by itself.
   */
  readonly allowScripts?: true | readonly string[];
}

export type RestartType = 'permanent' | 'transient' | 'temporary';

/** Durations in milliseconds. Defaults and their sources: `machines/policy.ts`. */
export interface Timeouts {
  readonly clone?: number;
  readonly install?: number;
  /** From spawn to ready. */
  readonly start?: number;
  /** From writing a call's frame to its answer. */
  readonly call?: number;
}

/** What one plugin, with all its processes, may take of the machine. What is left out is not limited. */
export interface ResourceLimits {
  /** Bytes of its processes together. */
  readonly memory?: number;
  /** Share of the cores: 0.5 is half of one, 2 are two. Needs cgroups. */
  readonly cpu?: number;
  /** Seconds that each of its processes may compute. */
  readonly cpuTime?: number;
  /** Its processes together. */
  readonly processes?: number;
  /** Files that each of its processes may hold open. */
  readonly files?: number;
}

/** What a plugin sees from inside its sandbox, besides the system, its own environment and its data folder. */
export interface Sandbox {
  readonly network: 'on' | 'off';
  /** Absolute paths that it may read. */
  readonly read: readonly string[];
  /** Absolute paths that it may also write to. */
  readonly write: readonly string[];
}

/** `minimal`, `inherit`, or names (globs such as `AWS_*`) that are added to minimal. */
export type EnvPolicy = 'minimal' | 'inherit' | readonly string[];

/** One plugin as its owner describes it (the child spec of a supervisor). Secrets are only ever in `env`. */
export interface PluginSpec {
  readonly source: Source;
  /** Login that stood in the source's URL, for the clone alone. */
  readonly credential?: Credential;
  /** The whole `url` of a remote server, where the source leaves a secret of it out. */
  readonly address?: Secrets;
  /** Headers of every request to a remote server. */
  readonly headers?: Secrets;
  readonly overrides: Overrides;
  /** Environment for the plugin itself, added to what the policy passes on. Values are secrets. */
  readonly env: Secrets;
  /**
   * `minimal` (default) passes HOME, PATH, locale, proxy and the settings that the plan wants; names add to that; `inherit`
   * passes everything.
   */
  readonly envPolicy: EnvPolicy;
  /** Default: none. */
  readonly limits?: ResourceLimits;
  /** User (name, uid or uid:gid) that it runs as; default: ours. */
  readonly user?: string;
  /** Default: none. */
  readonly sandbox?: Sandbox;
  /** `transient` (default): restarted after a crash; `permanent`: also after a clean exit; `temporary`: never. */
  readonly restart: RestartType;
  /** `lazy` (default): the first call starts it; `eager`: started when added; `manual`: only by `start`. */
  readonly activation: 'lazy' | 'eager' | 'manual';
  /** Milliseconds of quiet after which it is stopped; null never stops it. */
  readonly idleStop: number | null;
  /** Milliseconds between two health checks of a plugin in service; null never checks. Default: the supervisor's. */
  readonly liveness?: number | null;
  /** Protocol era: `auto` tries `initialize` first, then `server/discover`. */
  readonly protocol: 'auto' | 'legacy' | 'modern';
  /**
   * Whether we tell the server that its clients can be asked (sampling, elicitation, roots). Default false: what many
   * clients share can't be told which of them to ask without taking their calls one after the other.
   */
  readonly interactive?: boolean;
  /**
   * What the server is told instead that its client can be asked: an instance of one client session declares that client's
   * own capabilities, as it gave them. Any value makes the session interactive.
   */
  readonly clientCapabilities?: Readonly<Record<string, unknown>>;
  /** Which of its tools exist for anyone; default: all. */
  readonly tools?: ToolFilter;
  /** Default `shared`. */
  readonly instances?: Instances;
  readonly timeouts: Timeouts;
}

/** Globs (`*` alone is special) over tool names. A tool passes when one of `allow` matches and none of `deny`. */
export interface ToolFilter {
  /** Absent: everything. */
  readonly allow?: readonly string[];
  readonly deny?: readonly string[];
}

/** How many processes serve a plugin's callers. Each is an instance, `name#k`, with a life of its own. */
export type Instances =
  | { readonly kind: 'shared' }
  /** One for each client session, at most `max` (default 8), stopped `idle` milliseconds after its last call (default 5 min). */
  | { readonly kind: 'per-session'; readonly max: number; readonly idle: number }
  /** So many, calls go to the one with the fewest in flight. */
  | { readonly kind: 'pool'; readonly size: number };

/** Root-relative view of a folder ('/' separators). Launchers see nothing else. */
export interface FileView {
  /** Every file below the root, sorted; leaves out `.git`, `node_modules` and the like (`actors/detect`). */
  readonly files: readonly string[];
  /** True when the path names a file or folder below the root, also where `files` leaves it out. */
  has(path: string): boolean;
  /** Text of a file of at most 1 MiB; undefined when absent, larger or not a file. */
  read(path: string): string | undefined;
}

/** A command as data: run without a shell, in `cwd` below the tree. */
export interface Command {
  /**
   * A bare name (`node`, `uv`, `npm`) is resolved by `actors/runtimes`, then on PATH; a name with a slash is a path below
   * the tree (`.venv/bin/python`), or absolute.
   */
  readonly program: string;
  /** `{port}`, `{host}` and `{socket}` are filled in at launch; a word that needs a missing one drops the candidate. */
  readonly args: readonly string[];
  /** Below the tree; '' is its root. Absolute only for a command that the user typed (`Source` of kind `command`). */
  readonly cwd: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** Why an install, a build or a start failed, as far as its output tells. */
export type CauseKind =
  | 'lock-out-of-date'
  | 'version-not-found'
  | 'install-script-failed'
  | 'held-back'
  | 'network'
  | 'needs-login'
  | 'engine-mismatch'
  | 'missing-program'
  | 'missing-browser'
  | 'missing-library'
  | 'missing-service'
  | 'missing-module'
  | 'incompatible-dependency'
  | 'build-failed'
  | 'entry-missing'
  | 'missing-setting'
  | 'missing-argument'
  | 'port-taken'
  | 'runtime-too-old'
  | 'not-a-server'
  | 'out-of-disk'
  | 'unknown';

export interface Cause {
  readonly kind: CauseKind;
  /** One sentence for a person: what the output says. */
  readonly detail: string;
  /** What to do next, one sentence. */
  readonly hint: string;
}

/** One rung of the install ladder; tried in order, each only when the last one that failed did so for a cause that it cures. */
export interface Rung {
  /** e.g. `npm-ci`, `npm-install`, `uv-sync-frozen`. */
  readonly id: string;
  readonly steps: readonly Command[];
  /** Causes of the last failed rung that this one can cure; `'any'` for all. The first rung is always taken. */
  readonly cures: readonly CauseKind[] | 'any';
  /** Causes of a build that failed on what an earlier rung installed, and that this one can cure. */
  readonly curesBuild?: readonly CauseKind[];
  /** Run after the steps; each is of use by itself, so one that fails is noted and left. */
  readonly afterwards?: readonly Command[];
  /** Installs what a lock names, whatever was released since: resolving as of a date changes nothing. */
  readonly frozen?: true;
  /**
   * Resolves as of the commit's date: taken when today's releases broke the build or the start, if the commit has a date.
   * In its steps `{date}` (ISO), `{minutes}` and `{seconds}` (its age) are filled in.
   */
  readonly asOfCommit?: true;
}

/** One way to start the plugin. The first whose `entry` exists after install is launched; the next ones are fallbacks. */
export interface Candidate {
  /** Where it was found, e.g. `bin:mcp-server-time`, `script:start`, `manifest`, `override`. */
  readonly id: string;
  readonly command: Command;
  /** File (below the tree) that must exist before this candidate can run; null when the command needs none. */
  readonly entry: string | null;
}

/** A variable that the plugin reads or needs. */
export interface Setting {
  readonly name: string;
  readonly required: boolean;
  readonly secret: boolean;
  readonly description?: string;
}

/** A program that must be there before anything of the plan runs. */
export interface Tool {
  /** `node`, `npm`, `pnpm`, `yarn`, `bun`, `python`, `uv`, `poetry` … */
  readonly name: string;
  /** Semver range (or PEP 440 specifier for python); null takes any. */
  readonly version: string | null;
  /** Of several on this machine that fit, one in this range is taken first; it need not be there. */
  readonly prefers?: string;
}

export interface Evidence {
  /** File that says so, '' for what the caller said. */
  readonly file: string;
  /** Line of that file, from 1; left out where the file as a whole says it. */
  readonly line?: number;
  readonly says: string;
}

/** A way to run the plugin that was seen and not taken. */
export interface PassedOver {
  readonly file: string;
  readonly line?: number;
  /** e.g. `scripts.start: nodemon src/index.ts`, `bin: acme-setup`, `cmd/loadtest`. */
  readonly what: string;
  /** Why not, e.g. `is a watcher for development`. */
  readonly why: string;
}

/** How to install, build and start a plugin: everything `actors` need, decided before any of its code runs. */
export interface LaunchPlan {
  /** Launcher that made it. */
  readonly launcher: string;
  /** Language runtime, shown to people: `node`, `python`, `binary` … */
  readonly runtime: string;
  /** Folder of the project below the tree, '' is the root. */
  readonly projectDir: string;
  readonly tools: readonly Tool[];
  /** In place of the tools of the same name, once install or start has said that its runtime is too old. */
  readonly newerTools?: readonly Tool[];
  readonly install: readonly Rung[];
  /**
   * Run in order when the first candidate's entry does not exist after install: a lower one that was committed (a `main`
   * that is the library) must not keep the right one from being built.
   */
  readonly build: readonly Command[];
  /** Run in order when the first candidate's entry is still not there after `build`: a plainer way to make it. */
  readonly buildOtherwise?: readonly Command[];
  /** Builds although the entry is there: what was committed is older than its source, or only loads what is built. */
  readonly rebuild?: true;
  readonly start: readonly Candidate[];
  readonly transport: Transport | 'auto';
  /** How a leased port reaches the plugin: environment variables, arguments appended (`--port`, `{port}`). */
  readonly port: { readonly env: readonly string[]; readonly args: readonly string[]; readonly fixed: number | null };
  /** HTTP over a Unix socket: how its path reaches the plugin; null for TCP. */
  readonly socket: { readonly env: readonly string[]; readonly args: readonly string[] } | null;
  /** Path of the MCP or plain HTTP endpoint; null probes the usual ones. */
  readonly endpoint: string | null;
  /** Path that answers 2xx when ready; null for none. */
  readonly health: string | null;
  /** Path of the OpenAPI document (JSON, 3.x) of a plain HTTP plugin; left out: the usual ones are tried. */
  readonly openapi?: string;
  /** Regular expression (no flags) on a line of output that says it is listening; null for the usual ones. */
  readonly readyPattern: string | null;
  /** The caller's own arguments, already in every candidate; for those that `resolve` adds. */
  readonly args?: readonly string[];
  /** Environment of the plugin that the plan itself fixes (`PYTHONUNBUFFERED=1`); the caller's `env` wins. */
  readonly env: Readonly<Record<string, string>>;
  readonly wants: readonly Setting[];
  readonly confidence: 'high' | 'medium' | 'low';
  readonly evidence: readonly Evidence[];
  /** Candidates that lost, and why. */
  readonly passedOver: readonly PassedOver[];
  /** What the checkout itself lacks (`actors/clone/gaps`): Git LFS pointers in place of files, empty submodules. */
  readonly gaps?: readonly Evidence[];
}

/** A launcher's "this is mine, but it can't run", or the table's "nobody's"; `actors/detect` makes it a failure. */
export interface Refusal {
  readonly code: 'DETECT_NOT_A_SERVER' | 'DETECT_BAD_MANIFEST' | 'DETECT_UNSUPPORTED' | 'DETECT_AMBIGUOUS';
  readonly message: string;
  readonly hint: string;
  /** What was looked for and found, for the explanation. */
  readonly evidence: readonly Evidence[];
  /** Subfolders to choose from (`DETECT_AMBIGUOUS`). */
  readonly choices?: readonly string[];
}

/** One file per runtime: what is in this folder, and how would one run it. Pure and synchronous. */
export interface Launcher {
  readonly id: string;
  /** True when this folder (`dir` below the view's root) is this launcher's to plan. Cheap. */
  detect(view: FileView, dir: string): boolean;
  plan(view: FileView, dir: string, spec: PluginSpec): LaunchPlan | Refusal;
  /**
   * Runs again after install (the view then shows the built tree, `.venv/bin`, `*.dist-info/entry_points.txt`): completes
   * or reorders `start`. Must be a no-op where nothing more is known.
   */
  resolve(view: FileView, plan: LaunchPlan): LaunchPlan;
  /** Why a step or a start of this runtime failed. */
  explain(stderr: string, exit: { readonly code: number | null; readonly signal: string | null }): Cause;
}

export const isRefusal = (made: LaunchPlan | Refusal): made is Refusal => 'code' in made;
