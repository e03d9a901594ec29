import { describe, expect, it } from 'vitest';
import { json, line, planOf, refusalOf, rungs, SDK, starts, toolOf } from './plan-of.ts';

const MOD = 'module github.com/acme/weather\n\ngo 1.26.4\n\nrequire github.com/modelcontextprotocol/go-sdk v1.7.0\n';
const module = (path: string) => `module ${path}\n\ngo 1.25.0\n`;
const program = (...imports: readonly string[]) =>
  `package main\n\nimport (\n${imports.map((path) => `\t"${path}"\n`).join('')})\n\nfunc main() {}\n`;
const SERVER = program('context', 'github.com/modelcontextprotocol/go-sdk/mcp');
const LOCKED = { 'go.mod': MOD, 'go.sum': '' };

const bin = (name: string) => `.mcp-supervisor/bin/${name}`;
/** What the first rung builds, `./cmd/weather`. */
const built = (files: Readonly<Record<string, string>>, given = {}) =>
  planOf(files, given).install[0]?.steps.at(-1)?.args.at(-1);
const lost = (files: Readonly<Record<string, string>>, given = {}) =>
  planOf(files, given).passedOver.map(({ file, why }) => `${file}: ${why}`);

describe('a Go module', () => {
  it('is built without C, and started as what was built', () => {
    const plan = planOf({ ...LOCKED, 'main.go': SERVER });
    expect(plan).toMatchObject({ launcher: 'go', runtime: 'go', confidence: 'high', transport: 'auto', build: [] });
    expect(starts(plan)).toEqual([bin('weather')]);
    expect(plan.start[0]).toMatchObject({ id: 'bin:weather', entry: bin('weather') });
    const [build, ...more] = plan.install[0]?.steps ?? [];
    expect(more).toEqual([]);
    expect(build && line({ command: build })).toBe(`go build -trimpath -ldflags=-s -w -o ${bin('weather')} .`);
    expect(build?.env).toEqual({ CGO_ENABLED: '0' });
  });

  it('takes any Go that can fetch the one it asks for, and says which that is', () => {
    const plan = planOf({ ...LOCKED, 'main.go': SERVER });
    expect(toolOf(plan, 'go')).toEqual({ name: 'go', version: '>=1.21' });
    expect(plan.evidence).toContainEqual({ file: 'go.mod', line: 3, says: 'wants Go 1.26.4' });
    expect(plan.evidence).toContainEqual({
      file: 'go.mod',
      line: 5,
      says: 'requires github.com/modelcontextprotocol/go-sdk',
    });
  });

  it('in a subfolder is built where its go.mod lies', () => {
    const plan = planOf({ 'README.md': '', 'server/go.mod': MOD, 'server/go.sum': '', 'server/main.go': SERVER });
    expect(plan.install[0]?.steps[0]).toMatchObject({ cwd: 'server' });
    expect(starts(plan)).toEqual([`server/${bin('weather')} @ server`]);
  });

  it('wins over wrapper packages for npm and Python beside it', () => {
    const wrapper = json({ name: 'weather', bin: { weather: 'npm/run.js' }, scripts: { build: 'goreleaser build' } });
    const files = { ...LOCKED, 'main.go': SERVER, 'package.json': wrapper, 'npm/run.js': '', 'pyproject.toml': '' };
    expect(planOf(files).launcher).toBe('go');
    const own = { 'go.mod': module('x/weather-mcp'), 'cmd/weather-mcp/main.go': program('x/weather-mcp/rpc') };
    expect(planOf({ ...own, 'package.json': wrapper, 'npm/run.js': '' }).launcher).toBe('go');
  });

  it('that says nothing of MCP gives way to a server of another language', () => {
    const node = json({ name: 'weather', bin: 'server.js', dependencies: SDK });
    const files = { 'go.mod': module('x/app'), 'main.go': program('net/http'), 'package.json': node, 'server.js': '' };
    expect(planOf(files).launcher).toBe('node');
  });

  it('that is a library is refused, and says so', () => {
    const refusal = refusalOf({ ...LOCKED, 'mcp.go': 'package weather\n', 'examples/a/main.go': SERVER });
    expect(refusal.code).toBe('DETECT_NOT_A_SERVER');
    expect(refusal.hint).toContain('--subdir examples/a');
    expect(refusal.evidence.map(({ says }) => says).join('; ')).toContain('may be a library');
  });
});

describe('of several programs', () => {
  const cmd = (...names: readonly string[]) => Object.fromEntries(names.map((name) => [`cmd/${name}/main.go`, SERVER]));

  // Trap 23 of the detection rules: `cmd/` with several mains.
  it.each<[string, Record<string, string>, string]>([
    ['the one in the root', { 'main.go': SERVER, ...cmd('weather', 'weather-mcp') }, '.'],
    ['the one named like the repository', cmd('admin', 'loadtest', 'weather'), './cmd/weather'],
    ['the only one that is no helper', cmd('linters', 'loadtest', 'forecast'), './cmd/forecast'],
    ['the only one named mcp', cmd('api', 'mcp', 'worker'), './cmd/mcp'],
    ['the one named mcp beside the program for people', cmd('weather', 'mcp-server'), './cmd/mcp-server'],
    ['the only one named server', cmd('agent', 'server', 'worker'), './cmd/server'],
    ['the one with mcp-server in its name', cmd('agent', 'acme-mcp-server', 'worker'), './cmd/acme-mcp-server'],
    ['the only one, whatever its name', { 'app/run/main.go': SERVER }, './app/run'],
    [
      'the only one that speaks MCP',
      { ...cmd('daemon'), 'main.go': program('net/http'), 'cmd/weather/main.go': program('fmt') },
      './cmd/daemon',
    ],
    [
      'the one that speaks it through packages of its own',
      {
        'cmd/b/main.go': program('github.com/acme/weather/internal/app'),
        'internal/app/app.go': 'package app\nimport "github.com/acme/weather/internal/tools"\n',
        'internal/tools/tools.go': 'package tools\nimport "github.com/modelcontextprotocol/go-sdk/mcp"\n',
        'cmd/a/main.go': program('fmt'),
      },
      './cmd/b',
    ],
    [
      'the one that speaks it by hand',
      { 'cmd/a/main.go': program('fmt'), 'cmd/b/main.go': `${program('bufio')}var m = "tools/list"\n` },
      './cmd/b',
    ],
    [
      'the one that its Dockerfile builds',
      { ...cmd('alpha', 'beta'), Dockerfile: 'FROM golang\nRUN go build -o /x ./cmd/beta\n' },
      './cmd/beta',
    ],
  ])('%s is taken', (_, files, expected) => {
    expect(built({ ...LOCKED, ...files })).toBe(expected);
  });

  it.each([
    ['tests', 'cmd/weather/main_test.go', SERVER],
    ['examples', 'examples/demo/main.go', SERVER],
    ['vendored modules', 'vendor/x/cmd/main.go', SERVER],
    ['test data', 'testdata/p/main.go', SERVER],
    ['tools of its own', 'internal/tools/docs/main.go', SERVER],
    ['generators', 'gen.go', `//go:build ignore\n\n${SERVER}`],
    ['generators of the older form', 'gen.go', `// +build ignore\n\n${SERVER}`],
    ['another system', 'cmd/weather-tray/main.go', `//go:build windows && !cgo\n\n${SERVER}`],
    ['another system by its file name', 'cmd/weather-tray/main_windows.go', SERVER],
    ['packages without a main', 'cmd/weather-lib/lib.go', 'package main\n'],
  ])('those of %s do not count', (_, file, text) => {
    expect(built({ ...LOCKED, 'cmd/forecast/main.go': SERVER, [file]: text })).toBe('./cmd/forecast');
  });

  it('those for systems like ours do', () => {
    const unix = `//go:build (linux || darwin) && !windows\n\n${SERVER}`;
    expect(built({ ...LOCKED, 'cmd/forecast/main.go': unix })).toBe('./cmd/forecast');
  });

  it('each that lost is noted with the reason', () => {
    const files = {
      ...LOCKED,
      ...cmd('weather', 'loadtest'),
      'cmd/web/main.go': program('fmt'),
      'hack/x/main.go': SERVER,
    };
    expect(lost(files)).toEqual([
      'hack/x/main.go: lies among tools, tests, examples or internals',
      'cmd/web/main.go: does not speak MCP',
      'cmd/loadtest/main.go: weather is named like the project',
    ]);
  });

  it('equals are listed to choose from, and each can be chosen', () => {
    const files = { ...LOCKED, ...cmd('alpha', 'beta') };
    expect(refusalOf(files)).toMatchObject({ code: 'DETECT_AMBIGUOUS', choices: ['cmd/alpha', 'cmd/beta'] });
    const plan = planOf(files, { subdir: 'cmd/beta' });
    expect(plan.install[0]?.steps[0]).toMatchObject({ cwd: '' });
    expect(plan.install[0]?.steps[0]?.args.at(-1)).toBe('./cmd/beta');
    expect(starts(plan)).toEqual([`cmd/beta/${bin('beta')} @ cmd/beta`]);
  });

  it('a main in cmd itself is named like the module', () => {
    expect(starts(planOf({ ...LOCKED, 'cmd/main.go': SERVER }))).toEqual([bin('weather')]);
  });
});

describe('a workspace of modules', () => {
  const WORK = {
    'go.work': 'go 1.25\n\nuse (\n\t./core\n\t./server // the program\n)\n',
    'core/go.mod': module('github.com/acme/core'),
    'core/core.go': 'package core\nimport "github.com/modelcontextprotocol/go-sdk/mcp"\n',
    'server/go.mod': `${module('github.com/acme/server')}\nrequire github.com/acme/core v0.0.0\n`,
    'server/go.sum': '',
    'server/main.go': program('github.com/acme/core'),
  };

  it('is built in the member that holds the program', () => {
    const plan = planOf(WORK);
    expect(plan.install[0]?.steps[0]).toMatchObject({ cwd: 'server' });
    expect(plan.install[0]?.steps[0]?.args).toContain(`../${bin('server')}`);
    expect(plan.confidence, 'what the member builds on speaks MCP').toBe('high');
  });

  it('is built without the workspace when that is broken, and where -mod is given', () => {
    const { install } = planOf(WORK);
    expect(install.find(({ id }) => id === 'go-build-without-workspace')).toMatchObject({ cures: ['entry-missing'] });
    expect(install.find(({ id }) => id === 'go-build-mod')?.steps[0]?.env).toMatchObject({ GOWORK: 'off' });
  });

  it('a program in a module of its own is found below a library', () => {
    const plan = planOf({
      'go.mod': module('github.com/acme/lib'),
      'lib.go': 'package lib\n',
      'cmd/acme-mcp/go.mod': module('github.com/acme/lib/cmd/acme-mcp'),
      'cmd/acme-mcp/main.go': SERVER,
    });
    expect(plan.install[0]?.steps[0]).toMatchObject({ cwd: 'cmd/acme-mcp' });
  });
});

describe('the ladder', () => {
  it('goes on with C, without the lock, and with the Go that is here', () => {
    expect(rungs(planOf({ ...LOCKED, 'main.go': SERVER }))).toEqual([
      'go-build',
      'go-build-with-cgo',
      'go-build-mod',
      'go-build-mod-with-cgo',
      'go-build-local-toolchain',
    ]);
  });

  it.each([
    ['requires a binding', { 'go.mod': `${MOD}require github.com/mattn/go-sqlite3 v1.14.0 // indirect\n` }],
    ['calls C', { 'main.go': `${SERVER}\nimport "C"\n` }],
    ['imports a binding', { 'main.go': program('github.com/tree-sitter/go-tree-sitter') }],
  ])('begins with C for one that %s', (_, files) => {
    const { install } = planOf({ ...LOCKED, 'main.go': SERVER, ...files });
    expect(install[0]?.steps[0]?.env).toEqual({ CGO_ENABLED: '1' });
    expect(install[1]).toMatchObject({ id: 'go-build-without-cgo' });
  });

  it('writes a missing go.sum anew, and has no need of it where modules are vendored', () => {
    const words = (files: Record<string, string>) => planOf({ 'go.mod': MOD, 'main.go': SERVER, ...files }).install[0];
    expect(words({})?.steps[0]?.args).toContain('-mod=mod');
    expect(words({ 'vendor/modules.txt': '' })?.steps[0]?.args).not.toContain('-mod=mod');
    expect(words({ 'go.sum': '' })?.steps[0]?.args).not.toContain('-mod=mod');
  });

  it('makes a go.mod where there is none, named so that its own packages are found', () => {
    const plan = planOf({ 'main.go': SERVER }, { name: 'forecast' });
    expect(plan.install[0]?.steps.map((command) => line({ command }))).toEqual([
      'go mod init git.example/someone/forecast',
      expect.stringContaining('go build -mod=mod'),
    ]);
    expect(plan.install[1]?.steps).toHaveLength(1);
  });

  describe('for what is embedded and not there', () => {
    const EMBEDS = { 'main.go': `${SERVER}\n//go:embed all:web/dist\nvar web embed.FS\n` };

    it('builds the page first, and does without it next', () => {
      const page = { 'web/package.json': json({ scripts: { build: 'vite build' } }), 'web/package-lock.json': '{}' };
      const plan = planOf({ ...LOCKED, ...EMBEDS, ...page });
      expect(rungs(plan).slice(0, 2)).toEqual(['go-build-with-pages', 'go-build-without-pages']);
      expect(plan.install[0]?.steps.map((command) => line({ command })).slice(0, 2)).toEqual([
        'npm ci @ web',
        'npm run build @ web',
      ]);
      expect(toolOf(plan, 'npm')).toBeDefined();
      expect(plan.evidence).toContainEqual({
        file: 'main.go',
        line: 10,
        says: 'embeds web/dist, which the repository lacks',
      });
    });

    it('puts an empty file in its place where nothing is known to build it', () => {
      const [first] = planOf({ ...LOCKED, ...EMBEDS }).install;
      expect(first?.id).toBe('go-build-without-pages');
      expect(first?.steps.map((command) => line({ command })).slice(0, 2)).toEqual([
        'mkdir -p web/dist',
        'touch web/dist/index.html',
      ]);
    });

    it.each([
      ['a file', 'schema.json', 'schema.json'],
      ['a folder', 'web', 'web/index.html'],
      ['names in a folder', 'web/*.html', 'web/.placeholder.html'],
      ['several', 'a.txt "b c.txt"', 'a.txt', 'b c.txt'],
      ['everything of a folder', 'all:web', 'web/.keep'],
    ])('%s that is there needs nothing', (_, pattern, ...files) => {
      const there = Object.fromEntries(files.map((file) => [file, '']));
      const embeds = { 'main.go': `${SERVER}\n//go:embed ${pattern}\nvar x embed.FS\n` };
      expect(rungs(planOf({ ...LOCKED, ...embeds, ...there }))[0]).toBe('go-build');
    });
  });

  it('runs the generators when sources are missing', () => {
    const generates = { 'main.go': `${SERVER}\n//go:generate go run ./gen\n` };
    expect(rungs(planOf({ ...LOCKED, ...generates })).at(-1)).toBe('go-generate');
    const embeds = { 'main.go': `${generates['main.go']}//go:embed api.json\nvar api []byte\n` };
    expect(rungs(planOf({ ...LOCKED, ...embeds }))[0]).toBe('go-generate');
  });
});

describe('the words that a Go program wants', () => {
  const cobra = (...commands: readonly string[]) => `package main
import (
	"github.com/modelcontextprotocol/go-sdk/mcp"
	"github.com/spf13/cobra"
)
${commands.join('\n')}
func main() { rootCmd.Execute() }
`;
  const root = (fields: string) => `var rootCmd = &cobra.Command{\n\tUse: "weather",\n\t${fields}\n}`;
  const command = (name: string, fields = 'RunE: func(cmd *cobra.Command, args []string) error { return serve() },') =>
    `var ${name}Cmd = &cobra.Command{\n\tUse:   "${name} [flags]",\n\tShort: "x {y",\n\t${fields}\n}`;
  const RUNS = 'Run: func(cmd *cobra.Command, args []string) {\n\t\tserve()\n\t},';
  const HELPS = 'Run: func(cmd *cobra.Command, args []string) {\n\t\tcmd.Help()\n\t},';
  const first = (files: Readonly<Record<string, string>>, given = {}) =>
    starts(planOf({ ...LOCKED, ...files }, given))[0]?.slice(bin('').length);

  // Trap 24 of the detection rules: a subcommand is required.
  it.each<[string, string, string]>([
    ['the subcommand that serves', cobra(root('Short: "x",'), command('stdio'), command('http')), 'weather stdio'],
    ['the one named mcp', cobra(root(''), command('login'), command('mcp')), 'weather mcp'],
    ['none, where the program itself serves', cobra(root(RUNS), command('stdio')), 'weather'],
    ['one, where the program itself shows its help', cobra(root(HELPS), command('serve')), 'weather serve'],
    ['mcp, where the program is for people', cobra(root(RUNS), command('mcp')), 'weather mcp'],
    [
      'two, where one holds the other',
      cobra(root(''), command('mcp', 'Short: "y",'), command('serve')),
      'weather mcp serve',
    ],
    ['none, where nothing is named to serve', cobra(root(''), command('login')), 'weather'],
    ['none that may start anything else', cobra(root(''), command('start')), 'weather'],
  ])('are read from commands of cobra: %s', (_, text, expected) => {
    expect(first({ 'main.go': text })).toBe(expected);
  });

  it('are read from commands of urfave/cli', () => {
    const app = (action: string) => `package main
import (
	"github.com/mark3labs/mcp-go/server"
	"github.com/urfave/cli/v2"
)
func main() {
	app := &cli.App{
		Name: "weather",
		Flags: []cli.Flag{&cli.StringFlag{Name: "start"}},
		${action}
		Commands: []*cli.Command{
			{
				Name: "server",
				Action: func(c *cli.Context) error { return nil },
			},
		},
	}
}
`;
    expect(first({ 'main.go': app('') })).toBe('weather server');
    expect(first({ 'main.go': app('Action: serve,') })).toBe('weather');
  });

  it('are read from fields of kong and from a switch by hand', () => {
    const kong = (tag: string) =>
      `${program('github.com/alecthomas/kong')}\ntype CLI struct {\n\tServe ServeCmd \`${tag}\`\n\tLogin LoginCmd \`cmd:""\`\n}\n`;
    expect(first({ 'main.go': kong('cmd:"" help:"Serve"') })).toBe('weather serve');
    expect(first({ 'main.go': kong('cmd:"" default:"1"') })).toBe('weather');
    const byHand = (text: string) =>
      `${SERVER}func x() {\n\tif len(os.Args) < 2 {\n\t\t${text}\n\t}\n\tswitch os.Args[1] {\n\tcase "mcp":\n\t}\n}\n`;
    expect(first({ 'main.go': byHand('usage()\n\t\tos.Exit(1)') })).toBe('weather mcp');
    expect(first({ 'main.go': byHand('runStdio()\n\t\treturn') })).toBe('weather');
  });

  it.each<[string, string, string]>([
    ['flag', 'flag.String("transport", "sse", "stdio or sse")', 'weather --transport stdio'],
    ['flag by pointer', 'flag.StringVar(&t, "t", "http", "Transport type (stdio, http)")', 'weather -t stdio'],
    ['pflag', 'cmd.Flags().StringVarP(&cfg.t, "mode", "m", "streamable-http", "stdio|http")', 'weather --mode stdio'],
    [
      'urfave/cli',
      '&cli.StringFlag{Name: "transport", Value: "http", Usage: "stdio or http"}',
      'weather --transport stdio',
    ],
    ['a switch', 'flag.Bool("stdio", false, "serve over stdio")', 'weather --stdio'],
    ['a default that is stdio', 'flag.String("transport", "stdio", "stdio or sse")', 'weather'],
    ['one without stdio', 'flag.String("transport", "sse", "sse or http")', 'weather'],
    ['another matter', 'flag.String("mode", "fast", "fast or slow")', 'weather'],
  ])('choose stdio by a flag: %s', (_, definition, expected) => {
    expect(first({ 'main.go': `${SERVER}var x = ${definition}\n` })).toBe(expected);
  });

  it('leave the plain program as the next choice when only its source says so', () => {
    expect(starts(planOf({ ...LOCKED, 'main.go': cobra(root(''), command('stdio')) }))).toEqual([
      `${bin('weather')} stdio`,
      bin('weather'),
    ]);
  });

  it('are those of the README where it has some, also where the command is the program', () => {
    const source = { 'main.go': cobra(root(''), command('stdio'), command('serve')) };
    const readme = (block: object) => ({ ...source, 'README.md': `# Weather\n\n\`\`\`json\n${json(block)}\n\`\`\`\n` });
    expect(first(readme({ command: '/path/to/weather', args: ['serve', '--config', 'x.yaml'] }))).toBe('weather serve');
    expect(first(readme({ args: ['stdio'], command: 'C:\\bin\\weather.exe' }))).toBe('weather stdio');
    expect(first(readme({ command: 'go', args: ['run', 'github.com/acme/weather@v1.2.0', 'serve'] }))).toBe(
      'weather serve',
    );
    expect(first(readme({ command: 'weather', args: [] }))).toBe('weather');
  });

  it('are those of the Dockerfile where the README only starts its image', () => {
    const files = {
      'main.go': cobra(root(RUNS), command('stdio')),
      'README.md': json({ command: 'docker', args: ['run', '-i', '--rm', 'acme/weather:latest'] }),
      Dockerfile:
        'FROM golang AS build\nRUN go build -o /server .\nFROM scratch\nCOPY --from=build /server /server\nENTRYPOINT ["/server"]\nCMD ["stdio"]\n',
    };
    expect(first(files)).toBe('weather stdio');
    expect(planOf({ ...LOCKED, ...files }).evidence).toContainEqual({
      file: 'Dockerfile',
      line: 6,
      says: 'is started with stdio',
    });
    expect(first({ ...files, Dockerfile: 'FROM scratch\nENTRYPOINT ["/weather", "--transport", "sse"]\n' })).toBe(
      'weather',
    );
  });

  it('go before options and paths of the caller’s own, and give way to a word', () => {
    const files = { 'main.go': cobra(root(''), command('mcp')) };
    const args = (...given: readonly string[]) => first(files, { overrides: { args: given } });
    expect(args('--tools', 'a.yaml')).toBe('weather mcp --tools a.yaml');
    expect(args('./data')).toBe('weather mcp ./data');
    expect(args('mcp', '--tools', 'a.yaml')).toBe('weather mcp --tools a.yaml');
    expect(args('daemon')).toBe('weather daemon');
  });
});

describe('a port', () => {
  const port = (definition: string) => planOf({ ...LOCKED, 'main.go': `${SERVER}var x = ${definition}\n` }).port;

  it.each<[string, string, readonly string[]]>([
    ['a number', 'flag.Int("port", 8080, "port to listen on")', ['--port', '{port}']],
    ['a number by pointer', 'fs.IntVar(&cfg.port, "http-port", 8080, "x")', ['--http-port', '{port}']],
    ['a text of pflag', 'cmd.Flags().StringP("port", "p", "8080", "x")', ['--port', '{port}']],
    ['a number of urfave/cli', '&cli.IntFlag{Name: "port", Value: 8080}', ['--port', '{port}']],
    ['an address', 'flag.String("addr", ":8080", "x")', ['--addr', '{host}:{port}']],
    ['an address that is put together', 'flag.String("addr", ":"+port, "x")', ['--addr', '{host}:{port}']],
    ['an address with its host', 'flag.String("listen", "localhost:3000", "x")', ['--listen', '{host}:{port}']],
    ['an address that turns HTTP on', 'flag.String("http", "", "serve HTTP there")', []],
    ['another port', 'flag.Int("db-port", 5432, "x")', []],
    ['another one’s port', 'flag.Int("port", 3306, "MySQL port")', []],
  ])('is handed over by the flag that takes it: %s', (_, definition, expected) => {
    expect(port(definition).args).toEqual(expected);
  });

  it('is handed over by the variable that the source reads', () => {
    expect(port('os.Getenv("ACME_MCP_PORT")').env).toContain('ACME_MCP_PORT');
    expect(port('os.Getenv("MYSQL_PORT")').env).not.toContain('MYSQL_PORT');
  });
});

describe('settings of a Go program', () => {
  it('are those that its source reads, whatever reads them', () => {
    const text = `${SERVER}
var a = os.Getenv("ACME_TOKEN")
var b, ok = os.LookupEnv("ACME_HOST")
var c = getEnvOrDefault("ACME_REGION", "eu")
var d = struct {
	URL string \`env:"ACME_URL,required"\`
	Key string \`envconfig:"ACME_KEY" required:"true"\`
}{}
var e = viper.BindEnv("level", "ACME_LEVEL")
var f = &cli.StringFlag{EnvVars: []string{"ACME_MODE"}}
`;
    const plan = planOf({
      ...LOCKED,
      'main.go': text,
      'main_test.go': 'os.Getenv("ONLY_TESTS")',
      'vendor/x/x.go': 'os.Getenv("VENDORED")',
    });
    expect(plan.wants.map(({ name }) => name)).toEqual([
      'ACME_HOST',
      'ACME_KEY',
      'ACME_LEVEL',
      'ACME_MODE',
      'ACME_REGION',
      'ACME_TOKEN',
      'ACME_URL',
    ]);
    expect(plan.wants.find(({ name }) => name === 'ACME_TOKEN')).toMatchObject({ secret: true });
  });

  it('are those that its libraries read, and those that they give a prefix', () => {
    const text = `${SERVER}
func init() {
	viper.SetEnvPrefix("acme")
	viper.AutomaticEnv()
	token = viper.GetString("api-token")
	port = viper.GetInt("port")
	envconfig.Process("app", &cfg)
}
var cfg struct { Region string \`envconfig:"REGION"\` }
`;
    const plan = planOf({ 'go.mod': `${MOD}require k8s.io/client-go v0.34.0\n`, 'go.sum': '', 'main.go': text });
    const names = plan.wants.map(({ name }) => name);
    expect(names).toEqual(expect.arrayContaining(['ACME_API_TOKEN', 'APP_REGION', 'KUBECONFIG']));
    expect(names).not.toContain('ACME_PORT');
  });

  it('may be wanted in a .env that git does not hold: then it is there, and empty', () => {
    const ends = 'if err := godotenv.Load(); err != nil {\n\t\tlog.Fatal("Error loading .env file")\n\t}';
    const warns = 'if err := godotenv.Load(); err != nil {\n\t\tlog.Println("no .env")\n\t}';
    const steps = (body: string, more = {}) =>
      planOf({ ...LOCKED, 'main.go': `${SERVER}func x() {\n\t${body}\n}\n`, ...more }).install.map(({ steps }) =>
        steps.map(({ program, args }) => [program, args[0]].join(' ')),
      );
    expect(steps(ends).slice(0, 2)).toEqual([['touch .env', 'go build'], ['go build']]);
    expect(steps(warns)[0]).toEqual(['go build']);
    expect(steps(ends, { '.env': 'A=1' })[0]).toEqual(['go build']);
  });
});
