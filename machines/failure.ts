/**
 * The one table of failure codes. A failure is a value (plain JSON) that transitions carry; `src/errors` makes an Error
 * of it. Prefix = phase. `whose` decides the CLI's exit code (input 2, plugin 3, us 1); `permanent` failures park a
 * plugin at once because trying again can't help.
 */

export type Phase =
  | 'config'
  | 'clone'
  | 'detect'
  | 'install'
  | 'launch'
  | 'probe'
  | 'run'
  | 'call'
  | 'stop'
  | 'home'
  | 'internal';

interface Row {
  readonly whose: 'input' | 'plugin' | 'us';
  readonly permanent: boolean;
  /** When it is raised. */
  readonly when: string;
  /** Default advice; a failure may carry a more exact one. */
  readonly hint: string;
}

const row = (whose: Row['whose'], permanent: boolean, when: string, hint: string): Row => ({
  whose,
  permanent,
  when,
  hint,
});

/** Each code: whose it is, whether a retry can help, when it is raised, what to do next. */
export const FAILURES = {
  CONFIG_INVALID: row(
    'input',
    true,
    'A plugin spec or an option has a wrong type, name or value.',
    'Correct the named field.',
  ),
  CONFIG_SOURCE: row(
    'input',
    true,
    'The source is not a git URL, a folder or another form of the source grammar.',
    'Give a git URL (https, ssh, file), owner/name, or a folder such as ./plugin.',
  ),
  CONFIG_REFERENCE: row(
    'input',
    true,
    'A variable refers to another one, a file or a command (env:, file:, cmd:), and that gives no value.',
    'Correct the reference, or give the value itself.',
  ),
  CONFIG_UNKNOWN_PLUGIN: row(
    'input',
    true,
    'No plugin of that name was added.',
    'Check the name; `list` shows the known ones.',
  ),
  CONFIG_DUPLICATE: row(
    'input',
    true,
    'A plugin of that name exists already.',
    'Choose another name, or remove the first one.',
  ),
  CONFIG_UNSUPPORTED_PLATFORM: row(
    'input',
    true,
    'This operating system has no process groups (Windows).',
    'Run it inside WSL.',
  ),
  CONFIG_ADDRESS: row(
    'input',
    true,
    'The gateway can not listen there: the port is taken, or the address is none of this machine.',
    'Choose another one with --port and --host; --port 0 takes a free port.',
  ),
  CONFIG_LIMIT: row(
    'input',
    true,
    'This machine has no means to keep a limit that was asked for.',
    'Leave that limit out, or run where cgroups are delegated (systemd: Delegate=yes).',
  ),
  CONFIG_USER: row(
    'input',
    true,
    'The plugin can not be run as the user that was asked for.',
    'Name a user of this machine, and run the supervisor as root.',
  ),
  CONFIG_SANDBOX: row(
    'input',
    true,
    'The sandbox that was asked for can not be made on this machine.',
    'Install bubblewrap (apt install bubblewrap, dnf install bubblewrap, apk add bubblewrap), or leave the sandbox out.',
  ),
  CONFIG_SANDBOX_NETWORK: row(
    'input',
    true,
    'The plugin is reached over TCP, and its sandbox has no network.',
    'Allow it the network, or have it listen on a Unix socket.',
  ),
  CLONE_NOT_FOUND: row(
    'input',
    true,
    'The host says that there is no such repository, or the folder does not exist.',
    'Check the address for a typing error; a private repository needs a login.',
  ),
  CLONE_AUTH: row(
    'input',
    true,
    'The host wants a login that git could not find.',
    'Log in with your git credential helper, ssh-agent or ~/.netrc (for GitHub: `gh auth login`), then try again.',
  ),
  CLONE_REF_NOT_FOUND: row(
    'input',
    true,
    'The branch, tag or commit is not in the repository.',
    'Check the ref; `git ls-remote <url>` lists branches and tags.',
  ),
  CLONE_NOT_GIT: row(
    'input',
    true,
    'Something answered, but it is not a git repository.',
    'Give the address that `git clone` takes.',
  ),
  CLONE_SUBDIR_NOT_FOUND: row(
    'input',
    true,
    'The subfolder is not in the repository.',
    'Check the subfolder for a typing error.',
  ),
  CLONE_UNKNOWN_HOST: row(
    'input',
    false,
    'The name of the host can not be resolved.',
    'Check the host for a typing error, and the network.',
  ),
  CLONE_NETWORK: row(
    'plugin',
    false,
    'The host could not be reached, or the transfer broke.',
    'Check the host name and the network, then try again.',
  ),
  CLONE_NO_GIT: row(
    'plugin',
    true,
    'The source needs the git program (ssh, file), and it is not installed.',
    'Install git, or give an https URL.',
  ),
  CLONE_BAD_ARCHIVE: row(
    'input',
    true,
    'The archive is damaged, or what answers is no zip or tar.',
    'Check the address, or download it again; a web page about an archive is not the archive.',
  ),
  CLONE_CHECKSUM: row(
    'input',
    true,
    'The archive is not the one whose checksum was given.',
    'Do not use it before you know why it changed; then correct #sha256=.',
  ),
  CLONE_UNSAFE_ARCHIVE: row(
    'plugin',
    true,
    'The archive wants to write outside of its own folder, or holds devices or links that lead out.',
    'Do not trust it. If you do, unpack it yourself and give the folder.',
  ),
  CLONE_UNSAFE_TREE: row(
    'plugin',
    true,
    'The repository holds paths or submodules that git refuses to write, because they could be used to run programs.',
    'Do not trust it.',
  ),
  CLONE_TOO_LARGE: row(
    'plugin',
    true,
    'The source has more files or bytes than it may.',
    'Check that it is the right source; limits.maxFiles and limits.maxSource allow more.',
  ),
  CLONE_FAILED: row(
    'plugin',
    false,
    'The clone failed for another reason.',
    'Correct what the last lines of git name, then try again.',
  ),
  CLONE_TIMEOUT: row(
    'plugin',
    false,
    'The clone took longer than it may.',
    'Raise the clone timeout, or check the network.',
  ),
  CLONE_OFFLINE: row(
    'input',
    true,
    'Offline, and the source was never brought into the home.',
    'Start it once without --offline.',
  ),
  DETECT_NOT_A_SERVER: row(
    'plugin',
    true,
    'Nothing in the folder says how to run it as a server.',
    'Give the command with --command, or add an mcp-supervisor.yaml.',
  ),
  DETECT_BAD_MANIFEST: row(
    'plugin',
    true,
    'A manifest (package.json, pyproject.toml, our YAML) can not be parsed or is wrong.',
    'Correct the named file.',
  ),
  DETECT_UNSUPPORTED: row(
    'plugin',
    true,
    'The runtime or layout is known but not supported.',
    'Give the command with --command.',
  ),
  DETECT_AMBIGUOUS: row('input', true, 'The folder holds several servers.', 'Choose one with --subdir.'),
  DETECT_TIMEOUT: row(
    'plugin',
    false,
    'Looking through the folder took longer than it may.',
    'Choose a smaller folder with --subdir, or give the command with --command.',
  ),
  DETECT_MISSING_RUNTIME: row(
    'plugin',
    true,
    'A program that the plan needs is not installed, or too old.',
    'Install the named runtime.',
  ),
  INSTALL_NETWORK: row(
    'plugin',
    false,
    'The package registry could not be reached.',
    'Check the network, then try again.',
  ),
  INSTALL_AUTH: row(
    'input',
    true,
    'A package registry wants a login, or does not give a package to the one that it got.',
    'Give the package manager its login (~/.npmrc, pip.conf, ~/.netrc …).',
  ),
  INSTALL_OFFLINE: row(
    'input',
    true,
    'Offline, and what the plugin runs in is not installed: a runtime, or packages that no cache has.',
    'Start it once without --offline.',
  ),
  INSTALL_MISSING_PROGRAM: row(
    'plugin',
    true,
    'Install or build needs a program or a system library that this machine lacks.',
    'Install what the last lines name.',
  ),
  INSTALL_HELD_BACK: row(
    'plugin',
    true,
    'The package manager refused a dependency that its settings do not allow.',
    'Allow it in the settings of the package manager, if you trust it.',
  ),
  INSTALL_FAILED: row(
    'plugin',
    true,
    'The last rung of the install ladder failed.',
    'Correct what the last lines of the installer name.',
  ),
  INSTALL_BUILD_FAILED: row(
    'plugin',
    true,
    'A build step failed and wrote no entry.',
    'Correct what the last lines of the build name.',
  ),
  INSTALL_ENTRY_MISSING: row(
    'plugin',
    true,
    'Install and build succeeded, but no start candidate exists.',
    'Give the command with --command.',
  ),
  INSTALL_TIMEOUT: row('plugin', true, 'Install and build took longer than they may.', 'Raise the install timeout.'),
  LAUNCH_SPAWN: row(
    'plugin',
    true,
    'The program could not be executed (ENOENT, EACCES, exec format).',
    'Check the command and its permissions.',
  ),
  LAUNCH_EXITED: row(
    'plugin',
    false,
    'The program ended before it was ready.',
    'Correct what its last lines name, or start it another way with --command.',
  ),
  LAUNCH_NEEDS_SETTING: row(
    'plugin',
    true,
    'The program ended because a setting or an argument is missing.',
    'Pass it with --env NAME=value, or arguments after --.',
  ),
  LAUNCH_HELD_BACK: row(
    'plugin',
    true,
    'The program needs a module that is not built, because the package manager held its install script back.',
    'Allow the script with --allow-scripts, if you trust the package.',
  ),
  LAUNCH_MISSING_PROGRAM: row(
    'plugin',
    true,
    'The program needs another program, a browser or a system library that this machine lacks.',
    'Install what the last lines name.',
  ),
  LAUNCH_MISSING_SERVICE: row(
    'plugin',
    false,
    'The program needs a service (a database, an API) that it could not reach.',
    'Start the service, or name another place with --env.',
  ),
  LAUNCH_PORT_TAKEN: row(
    'plugin',
    false,
    'The port that the program was given was taken by another process.',
    'Try again.',
  ),
  LAUNCH_PORT_FIXED: row(
    'plugin',
    true,
    'The program insists on a port that another process holds.',
    'Stop the process that holds the port.',
  ),
  PROBE_TIMEOUT: row(
    'plugin',
    false,
    'The program ran but did not become ready in time.',
    'Is it an MCP server? Raise the start timeout, or name the transport with --transport.',
  ),
  PROBE_PROTOCOL: row(
    'plugin',
    true,
    'The program answered, but not as MCP demands.',
    'Try --transport, or report it to the server’s authors.',
  ),
  PROBE_NO_PORT: row(
    'plugin',
    false,
    'The program never opened a port, though its transport is HTTP.',
    'Name the right transport with --transport, or the command with --command.',
  ),
  PROBE_LOGIN: row(
    'input',
    true,
    'The server wants a login, or does not accept the one that it got.',
    'Give it what its documentation names as a header: --header "Authorization: Bearer …", or `headers`.',
  ),
  PROBE_UNREACHABLE: row(
    'plugin',
    false,
    'The server that runs elsewhere could not be reached.',
    'Check its address and the network; it is tried again.',
  ),
  RUN_EXITED: row('plugin', false, 'The program ended while it was in service.', 'Correct what its last lines name.'),
  RUN_DISCONNECTED: row(
    'plugin',
    false,
    'The program runs, but its connection is gone.',
    'Correct what its last lines name, or restart it.',
  ),
  RUN_UNRESPONSIVE: row(
    'plugin',
    false,
    'The program runs, but it does not answer any more.',
    'Correct what its last lines name, or report it to the server’s authors.',
  ),
  RUN_NOT_READY: row(
    'plugin',
    false,
    'The program answers, but its health endpoint says that it is not ready.',
    'Look at what it waits for; calls go on when it is ready again.',
  ),
  RUN_LIMIT: row(
    'plugin',
    false,
    'The program took more of the machine than its limits allow, and was ended.',
    'Raise the named limit if the plugin needs it.',
  ),
  CALL_STOPPED: row(
    'input',
    false,
    'The plugin was stopped on request and is not started by calls.',
    'Start it first.',
  ),
  CALL_QUEUE_FULL: row('plugin', false, 'Too many calls wait for this plugin.', 'Try again later.'),
  CALL_START_TIMEOUT: row(
    'plugin',
    false,
    'The plugin was not ready before the call gave up waiting.',
    'Try again, or raise startTimeout.',
  ),
  CALL_TIMEOUT: row('plugin', false, 'No answer in time; the request was cancelled.', 'Raise the call timeout.'),
  CALL_CANCELLED: row('input', false, 'The caller aborted the call.', 'None needed.'),
  CALL_INTERRUPTED: row(
    'plugin',
    false,
    'The plugin died or was stopped with the call in flight.',
    'The call may or may not have had its effect; check before repeating it.',
  ),
  CALL_TOO_LARGE: row(
    'input',
    false,
    'The request is larger than the plugin’s transport survives; nothing was sent.',
    'Send less, or raise maxMessage if the server can take it.',
  ),
  CALL_RESULT_TOO_LARGE: row('plugin', false, 'The answer is larger than allowed.', 'Ask for less.'),
  CALL_UNKNOWN_TOOL: row('input', false, 'The plugin has no tool of that name.', 'List its tools.'),
  CALL_NOT_JSON: row(
    'input',
    false,
    'The arguments or the payload are not JSON.',
    'Correct the JSON; in a shell, quote it as a whole.',
  ),
  CALL_BAD_ARGUMENTS: row(
    'input',
    false,
    'The arguments do not fit the tool’s schema, or can not be read.',
    'Correct the named argument.',
  ),
  CALL_PROTOCOL_ERROR: row('plugin', false, 'The plugin answered with a JSON-RPC error.', 'See its message.'),
  CALL_HTTP_ERROR: row('plugin', false, 'The plugin answered with an HTTP error status.', 'See its message.'),
  STOP_ABANDONED: row(
    'us',
    true,
    'Processes of the plugin outlived SIGKILL; no new start until they are gone.',
    'Look at the named pids.',
  ),
  HOME_UNUSABLE: row(
    'us',
    true,
    'The home folder can not be read or written.',
    'Check its permissions and free space.',
  ),
  HOME_NEWER: row(
    'us',
    true,
    'The home was written by a newer version.',
    'Update mcp-supervisor, or use another home.',
  ),
  HOME_DAEMON_RUNNING: row(
    'input',
    true,
    'A daemon runs on this home already.',
    'Use that one, stop it, or choose another home with MCP_SUPERVISOR_HOME.',
  ),
  HOME_NO_DAEMON: row(
    'input',
    true,
    'The command is for a running daemon, and none runs on this home.',
    'Start it with `mcp-supervisor serve`, or `mcp-supervisor serve --detach`.',
  ),
  HOME_DISK_FULL: row('us', false, 'The disk is full.', 'Free some space.'),
  INTERNAL_ERROR: row('us', false, 'A bug in mcp-supervisor.', 'Please report it.'),
  INTERNAL_CLOSED: row('input', false, 'The supervisor is closing or closed.', 'Create a new one.'),
} as const satisfies Record<string, Row>;

export type FailureCode = keyof typeof FAILURES;

export interface Exit {
  readonly code: number | null;
  readonly signal: string | null;
}

/** An expected failure: plain JSON, safe to print (no secret), the same shape in logs, errors, status and `--json`. */
export interface Failure {
  readonly code: FailureCode;
  readonly phase: Phase;
  /** What failed, what was expected, what was got; one sentence or two. */
  readonly message: string;
  /** What to do next. */
  readonly hint: string;
  /** Start that it belongs to; null before the first. */
  readonly generation: number | null;
  readonly exit: Exit | null;
  /** Last lines of stderr (or of the installer), oldest first, at most 20. */
  readonly stderrTail: readonly string[];
  readonly retryable: boolean;
  /** Further facts by name (`choices`, `pids`, `port` …). */
  readonly data: Readonly<Record<string, unknown>>;
}

export interface FailureDetails {
  readonly message?: string;
  readonly hint?: string | undefined;
  readonly generation?: number | null;
  readonly exit?: Exit | null;
  readonly stderrTail?: readonly string[];
  readonly data?: Readonly<Record<string, unknown>>;
}

const TAIL_LINES = 20;

/** Makes a failure of a code, with the table's words where no better ones are given. */
export function createFailure(code: FailureCode, details: FailureDetails = {}): Failure {
  const { when, hint, permanent } = FAILURES[code];
  return {
    code,
    phase: code.slice(0, code.indexOf('_')).toLowerCase() as Phase,
    message: details.message ?? when,
    hint: details.hint ?? hint,
    generation: details.generation ?? null,
    exit: details.exit ?? null,
    stderrTail: (details.stderrTail ?? []).slice(-TAIL_LINES),
    retryable: !permanent,
    data: details.data ?? {},
  };
}

/** True when trying again can't help: the plugin is parked at once. */
export const isPermanent = (failure: Failure): boolean => !failure.retryable;
