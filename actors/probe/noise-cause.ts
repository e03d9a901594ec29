/** What a program may have printed on its stdout, by the banners and log formats of real tools. Pure. */

export interface NoiseCause {
  /** One sentence: what the lines look like. */
  readonly detail: string;
  /** One sentence: how to keep them off stdout. */
  readonly hint: string;
}

type Known = readonly [pattern: RegExp, detail: string, hint: string];

/** The first that fits wins: what names a tool comes before what many tools do. */
const KNOWN: readonly Known[] = [
  [
    /^> (?:@[\w.-]+\/)?[\w.-]+@\d\S* \S+/,
    'npm or pnpm prints the header of a script.',
    'Run the script with --silent (`npm run --silent start`), or start the program itself with --command.',
  ],
  [
    /^yarn run v\d|^\$ (?:node|tsx|ts-node|bun|deno|python)\b|^Done in [\d.]+s\.$/,
    'Yarn prints the header of a script.',
    'Run the script with `yarn --silent`, or start the program itself with --command.',
  ],
  [/^\[nodemon\]/, 'nodemon prints what it does.', 'Start the program without nodemon, with --command.'],
  [
    /^\[dotenv@\d[\d.]*\]/,
    'dotenv prints what it loaded, and tips.',
    'Set DOTENV_CONFIG_QUIET=true, or call config({ quiet: true }).',
  ],
  [
    /^\(node:\d+\) \S*Warning:|^\(Use `node --trace-/,
    'Node’s warnings are sent to stdout, as by 2>&1.',
    'Do not join stderr to stdout, or set NODE_NO_WARNINGS=1.',
  ],
  [
    /:: Spring Boot ::|\\\/ {2}___\)\||^\S+\s+(?:TRACE|DEBUG|INFO|WARN|ERROR) \d+ --- \[/,
    'Spring Boot prints its banner and log.',
    'Set spring.main.banner-mode=off and logging.pattern.console= (empty), or log to System.err.',
  ],
  [
    /Powered by Quarkus|\(io\.quarkus\]|\[io\.quarkus\]/,
    'Quarkus prints its banner and log.',
    'Set quarkus.banner.enabled=false and quarkus.log.console.stderr=true.',
  ],
  [
    /^[\s│|╭╰─*]*(?:Fast ?MCP \d|🖥|FastMCP\b)/u,
    'FastMCP prints its banner.',
    'Call mcp.run(show_banner=False), or update fastmcp: newer ones print it on stderr.',
  ],
  [
    /^(?:INFO|WARNING|ERROR):\s+(?:Started server process|Uvicorn running|Waiting for application|Application startup|\d+\.\d+\.\d+\.\d+:\d+ - ")/,
    'Uvicorn prints its log: the program serves HTTP.',
    'Name its transport, with --transport streamable-http for instance, or make it serve stdio.',
  ],
  [
    /^\d{4}-\d\d-\d\d[ T][\d:]+,\d{3} - \S+ - [A-Z]+|^(?:DEBUG|INFO|WARNING|ERROR|CRITICAL):[\w.]+:/,
    'Python’s logging writes to stdout.',
    'Give its handler stderr: logging.basicConfig(stream=sys.stderr).',
  ],
  [
    /^\d\d:\d\d:\d\d[.,]\d{3} \[[^\]]+\] (?:TRACE|DEBUG|INFO|WARN|ERROR)\b/,
    'Logback or Log4j writes to stdout.',
    'Give its console appender the target System.err.',
  ],
  [
    /^(?:trce|dbug|info|warn|fail|crit): [\w.]+\[\d+\]/,
    'The console logger of .NET writes to stdout.',
    'Set LogToStandardErrorThreshold = LogLevel.Trace in AddConsole.',
  ],
  [
    /^(?:\x1b\[\d+m)*\d{4}-\d\d-\d\dT[\d:.]+Z(?:\x1b\[\d+m|\s)+(?:TRACE|DEBUG|INFO|WARN|ERROR)\b/,
    'The tracing subscriber writes to stdout.',
    'Give it stderr: tracing_subscriber::fmt().with_writer(std::io::stderr).',
  ],
  [/^\[GIN(?:-debug)?\]/, 'Gin prints its log.', 'Set gin.DefaultWriter = os.Stderr, or GIN_MODE=release.'],
  [/^[DIWEF], \[\d{4}-\d\d-\d\dT/, 'Ruby’s Logger writes to stdout.', 'Give it stderr: Logger.new($stderr).'],
  [
    /^(?:PHP )?(?:Warning|Notice|Deprecated|Fatal error): .* in .* on line \d+/,
    'PHP prints its errors on stdout.',
    'Run it with -d display_errors=stderr.',
  ],
  [
    /^\{.*"(?:level|severity|levelname)"\s*:/,
    'A logger writes JSON to stdout.',
    'Give it stderr: pino(pino.destination(2)), or stderrLevels of winston’s console.',
  ],
  [
    /^(?:Collecting \S+|Requirement already satisfied:|added \d+ packages?|up to date, audited)/,
    'An installer runs at each start.',
    'Install first, with the option `install`, and start the program itself.',
  ],
  [/^usage: /i, 'The program prints its usage.', 'Give it the arguments that it wants, after --.'],
];

const BY_RUNTIME: Readonly<Record<string, string>> = {
  node: 'Print with console.error instead of console.log.',
  deno: 'Print with console.error instead of console.log.',
  bun: 'Print with console.error instead of console.log.',
  python: 'Print with print(…, file=sys.stderr), and log to stderr.',
  java: 'Print with System.err instead of System.out, and log to stderr.',
  ruby: 'Print with warn instead of puts, and log to stderr.',
  go: 'Print with fmt.Fprintln(os.Stderr, …), and log to stderr.',
  rust: 'Print with eprintln! instead of println!.',
  dotnet: 'Print with Console.Error instead of Console.Out.',
  php: 'Print with fwrite(STDERR, …) instead of echo.',
};

/** What the lines are by their looks; null when no tool is recognised. */
export function recognisedCause(lines: readonly string[]): NoiseCause | null {
  for (const [pattern, detail, hint] of KNOWN) {
    if (lines.some((line) => pattern.test(line))) return { detail, hint };
  }
  return null;
}

/** The program's own print statements, for want of a better cause. */
export const printsCause = (runtime: string): NoiseCause => ({
  detail: 'The program prints on its standard output, where only messages belong.',
  hint: BY_RUNTIME[runtime] ?? 'Print and log to stderr.',
});
