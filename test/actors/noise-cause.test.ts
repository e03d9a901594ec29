import { expect, it } from 'vitest';
import { printsCause, recognisedCause } from '../../actors/probe/noise-cause.ts';
import { createNoiseMeter } from '../../actors/probe/noise-meter.ts';

/** Lines as these tools print them. */
const BANNERS: readonly (readonly [lines: string, tells: RegExp, advises: RegExp])[] = [
  ['> fixture@1.0.0 start\n> node server.js', /npm or pnpm/, /--silent/],
  ['> @scope/server@0.3.1 start /home/me/server', /npm or pnpm/, /--command/],
  ['yarn run v1.22.22\n$ node dist/index.js', /Yarn/, /--silent/],
  ['[nodemon] 3.1.9\n[nodemon] watching path(s): *.*', /nodemon/, /without nodemon/],
  ['[dotenv@17.2.3] injecting env (2) from .env -- tip: ⚙️  suppress all logs with { quiet: true }', /dotenv/, /QUIET/],
  ['(node:4711) ExperimentalWarning: SQLite is an experimental feature', /warnings/, /NODE_NO_WARNINGS/],
  [
    "  '  |____| .__|_| |_|_| |_\\__, | / / / /\n :: Spring Boot ::                (v3.5.6)",
    /Spring/,
    /banner-mode=off/,
  ],
  [
    '2026-11-22T10:11:12.123Z  INFO 4711 --- [demo] [           main] c.e.demo.Application : Started Application',
    /Spring/,
    /logging\.pattern\.console/,
  ],
  ['2026-11-22 10:11:12,123 INFO  [io.quarkus] (main) demo 1.0 on JVM (powered by Quarkus 3.28)', /Quarkus/, /stderr/],
  ['╭──────────────────────────────╮\n│         FastMCP 2.12.4       │', /FastMCP/, /show_banner=False/],
  ['INFO:     Started server process [4711]\nINFO:     Waiting for application startup.', /Uvicorn/, /--transport/],
  ['INFO:     Uvicorn running on http://127.0.0.1:8000 (Press CTRL+C to quit)', /Uvicorn/, /stdio/],
  ['2026-11-22 10:11:12,123 - server - INFO - Starting', /logging/, /stream=sys\.stderr/],
  ['INFO:mcp.server.lowlevel.server:Processing request', /logging/, /stream=sys\.stderr/],
  ['10:11:12.123 [main] DEBUG io.netty.util - Using SLF4J', /Logback/, /System\.err/],
  ['info: Microsoft.Hosting.Lifetime[0]\n      Application started.', /\.NET/, /LogToStandardErrorThreshold/],
  [
    '\u001b[2m2026-11-22T10:11:12.123456Z\u001b[0m \u001b[32m INFO\u001b[0m server: listening',
    /tracing/,
    /with_writer/,
  ],
  ['[GIN-debug] [WARNING] Running in "debug" mode.', /Gin/, /GIN_MODE/],
  ['I, [2026-11-22T10:11:12.123456 #4711]  INFO -- : Starting', /Ruby/, /\$stderr/],
  ['PHP Warning:  Undefined variable $x in /srv/server.php on line 3', /PHP/, /display_errors/],
  ['{"level":30,"time":1763806272123,"pid":1,"msg":"listening"}', /JSON/, /pino/],
  ['Requirement already satisfied: mcp in ./.venv/lib', /installer/, /install/],
  ['Usage: server [OPTIONS] COMMAND', /usage/, /after --/],
];

it.each(BANNERS)('recognises %j', (lines, tells, advises) => {
  const cause = recognisedCause(lines.split('\n'));
  expect(cause?.detail).toMatch(tells);
  expect(cause?.hint).toMatch(advises);
  expect(cause?.hint).toMatch(/\.$/);
});

it('makes nothing of lines that many programs print', () => {
  for (const line of ['Server running on stdio', 'hello', '> quoted', '$ 5', 'INFO: fine', '{"a":1}', '']) {
    expect(recognisedCause([line])).toBe(null);
  }
});

it('advises by the language where it sees print statements alone', () => {
  expect(printsCause('python').hint).toContain('sys.stderr');
  expect(printsCause('node').hint).toContain('console.error');
  expect(printsCause('anything').hint).toBe('Print and log to stderr.');
});

it('counts every line, keeps the first twenty without secrets, and says it once', () => {
  const told: number[] = [];
  const redact = (line: string) => line.replaceAll('secret', '[redacted]');
  const meter = createNoiseMeter({ runtime: 'node', redact, tooMuch: ({ lines }) => told.push(lines) });
  meter.confirm();
  meter.count('  \r');
  for (let line = 1; line <= 100; line += 1) meter.count(`a secret ${line}`);
  expect(meter).toMatchObject({ lines: 100, alone: true, cause: null });
  expect(told).toEqual([]);
  for (let line = 0; line < 100; line += 1) meter.count('more');
  expect(told).toEqual([101]);
  expect(meter.cause?.hint).toContain('console.error');
  expect(meter.first).toEqual(Array.from({ length: 20 }, (_, at) => `a [redacted] ${at + 1}`));
});

it('waits with its warning until it is known that the program speaks by its stdout', () => {
  const told: number[] = [];
  const meter = createNoiseMeter({ runtime: 'node', redact: (line) => line, tooMuch: ({ lines }) => told.push(lines) });
  for (let line = 0; line < 150; line += 1) meter.count('GET / 200');
  expect(told).toEqual([]);
  meter.answered();
  meter.answered();
  expect(told).toEqual([150]);
  expect(meter.alone).toBe(false);
});
