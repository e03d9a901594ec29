/** Names of the variables that a plugin reads: from its registry manifests, its example files, its README and its source. */

import { variablesOfClients } from './client-config.ts';
import { springSettings } from './java/spring.ts';
import { asFields, asString, type Fields, readManifest } from './parse.ts';
import { basename, extname, isBelow, join, relative, upwards } from './paths.ts';
import type { FileView, Setting } from './plan.ts';

/** Enough for the largest servers seen; reading is the only cost of `detect`. */
const MAX_SETTINGS = 80;
const MAX_SOURCES = 150;

const SECRET =
  /KEY|TOKEN|SECRET|PASS(WORD|WD|PHRASE)?|CREDENTIAL|AUTH|COOKIE|PRIVATE|PAT$|DSN|CONNECTION_STRING|(DATABASE|MONGO\w*|REDIS|POSTGRES\w*)_UR[IL]/i;

/**
 * Variables that are no setting of the plugin: what every process gets, what only installers or test runners mean, and
 * ports and hosts, which are handed out by the supervisor (a stdio server that sees a PORT may turn to HTTP).
 */
const IGNORED =
  /^(HOME|LOGNAME|PATH|SHELL|TERM|USER(NAME|PROFILE)?|LANG(UAGE)?|LC_\w+|TZ|TMPDIR|TE?MP|PWD|APPDATA|LOCALAPPDATA|PROGRAM(FILES|DATA)\w*|SYSTEMROOT|COMSPEC|NODE_ENV|NODE_OPTIONS|NODE_PATH|CI|VITEST\w*|JEST\w*|npm_\w+|PYTHON\w*|VIRTUAL_ENV|CONDA_\w+|BUNDLE_\w+|COMPOSER_\w+|PORT|HOST(NAME)?|(\w+_)?(MCP|SERVER|HTTP|HTTPS|SSE|APP|LISTEN|BIND|UVICORN|FASTMCP|RUN|WEB|GATEWAY)_(PORT|HOST)|JAVA_HOME|JDK_HOME|(DOTNET|ASPNETCORE)_\w+|GO(PATH|ROOT|PROXY|OS|ARCH|FLAGS|BIN|CACHE|MODCACHE)|FORCE_COLOR|NO_COLOR|COLORTERM|COLUMNS|LINES|XDG_\w+|DISPLAY|WAYLAND_DISPLAY|EDITOR|HTTPS?_PROXY|NO_PROXY|ALL_PROXY)$/i;

/** Every setting that the project in `dir` is known to read, sorted by name; required ones as far as a manifest says so. */
export function findSettings(view: FileView, dir: string): Setting[] {
  const found = new Map<string, Setting>();
  const add = (name: string, more: Partial<Setting> = {}) => {
    if (!/^[A-Za-z_]\w+$/.test(name) || IGNORED.test(name)) return;
    const before = found.get(name);
    const description = more.description ?? before?.description;
    found.set(name, {
      name,
      required: (more.required ?? false) || (before?.required ?? false),
      secret: (more.secret ?? false) || (before?.secret ?? SECRET.test(name)),
      ...(description === undefined ? {} : { description }),
    });
  };
  for (const folder of upwards(dir)) {
    for (const place of [folder, join(folder, '.mcp')]) fromServerJson(view, place, add);
    fromSmithery(view, folder, add);
    fromBundle(view, folder, add);
    // A workspace root speaks for all its members, the member's own files for it alone.
    fromExamples(view, folder, add);
    if (folder === dir) {
      fromReadme(view, folder, add);
      for (const name of variablesOfClients(view, folder, packageNames(view, folder))) add(name);
    }
  }
  fromSource(view, dir, add);
  for (const { name, required } of springSettings(view, dir)) add(name, { required });
  return [...found.values()]
    .sort((a, b) => Number(b.required) - Number(a.required) || (a.name < b.name ? -1 : 1))
    .slice(0, MAX_SETTINGS)
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** Port variables of the plugin's own (`ACME_MCP_PORT`) that its source reads; the usual ones are known anyway. */
export function findPortVariables(view: FileView, dir: string): string[] {
  const names = new Set<string>();
  for (const file of sourceFiles(view, dir)) {
    for (const name of namesIn(view.read(file) ?? '')) if (/^[A-Z][A-Z0-9_]*_PORT$/.test(name)) names.add(name);
  }
  // A database's port is not ours to choose.
  return [...names]
    .filter((name) => !/DB|SQL|MONGO|REDIS|POSTGRES|SMTP|IMAP|SSH|PROXY|REMOTE|DEBUG|CDP|CHROME/.test(name))
    .sort();
}

/** What the project calls itself. */
const packageNames = (view: FileView, dir: string): string[] =>
  [
    asString(read(view, join(dir, 'package.json')).name),
    asString(asFields(read(view, join(dir, 'pyproject.toml')).project).name),
    /^module\s+\S*?([^/\s]+)$/m.exec(view.read(join(dir, 'go.mod')) ?? '')?.[1] ?? null,
    basename(dir),
  ].filter((name) => name !== null && name !== '') as string[];

type Add = (name: string, more?: Partial<Setting>) => void;

const read = (view: FileView, file: string): Fields => {
  const parsed = readManifest(view, file);
  return parsed?.ok ? parsed.fields : {};
};

function fromServerJson(view: FileView, dir: string, add: Add): void {
  const { packages } = read(view, join(dir, 'server.json'));
  for (const each of Array.isArray(packages) ? packages : []) {
    const { environmentVariables, environment_variables } = asFields(each);
    const variables = environmentVariables ?? environment_variables;
    for (const variable of Array.isArray(variables) ? variables : []) {
      const { name, description, isRequired, is_required, isSecret, is_secret } = asFields(variable);
      if (typeof name !== 'string') continue;
      add(name, {
        required: (isRequired ?? is_required) === true,
        ...((isSecret ?? is_secret) === true ? { secret: true } : {}),
        ...(typeof description === 'string' ? { description } : {}),
      });
    }
  }
}

/** `commandFunction` maps the schema's properties to variables: `API_KEY: config.apiKey`. Read as text, never run. */
function fromSmithery(view: FileView, dir: string, add: Add): void {
  const { startCommand } = read(view, join(dir, 'smithery.yaml'));
  const { configSchema, commandFunction } = asFields(startCommand);
  const { required, properties } = asFields(configSchema);
  const needed = Array.isArray(required) ? required : [];
  for (const [, name = '', key = ''] of (asString(commandFunction) ?? '').matchAll(
    /["']?([A-Z][A-Z0-9_]+)["']?\s*:\s*(?:String\()?config\.(\w+)/g,
  )) {
    const description = asString(asFields(asFields(properties)[key]).description);
    add(name, { required: needed.includes(key), ...(description === null ? {} : { description }) });
  }
}

/** MCPB: `"env": {"API_KEY": "${user_config.api_key}"}`. */
function fromBundle(view: FileView, dir: string, add: Add): void {
  const { server, user_config, manifest_version, dxt_version } = read(view, join(dir, 'manifest.json'));
  // A browser extension's manifest has a number there.
  if (typeof (manifest_version ?? dxt_version) !== 'string') return;
  const { env } = asFields(asFields(server).mcp_config);
  for (const [name, value] of Object.entries(asFields(env))) {
    const key = /\$\{user_config\.(\w+)\}/.exec(String(value))?.[1];
    const { required, sensitive, description } = key === undefined ? {} : asFields(asFields(user_config)[key]);
    add(name, {
      required: required === true,
      ...(sensitive === true ? { secret: true } : {}),
      ...(typeof description === 'string' ? { description } : {}),
    });
  }
}

const EXAMPLES = [
  '.env.example',
  '.env.sample',
  '.env.template',
  '.env.dist',
  'env.example',
  'example.env',
  '.env.local.example',
];

function fromExamples(view: FileView, dir: string, add: Add): void {
  for (const file of EXAMPLES) {
    for (const [, name = ''] of (view.read(join(dir, file)) ?? '').matchAll(
      /^[ \t]*#?[ \t]*(?:export[ \t]+)?([A-Za-z_]\w*)=/gm,
    ))
      add(name);
  }
}

/** Blocks for clients' configuration: `"env": { "API_KEY": "…" }`, and `-e API_KEY` of docker lines. */
function fromReadme(view: FileView, dir: string, add: Add): void {
  const text = view.read(join(dir, 'README.md')) ?? '';
  for (const [, block = ''] of text.matchAll(/["']env["']\s*:\s*\{([^{}]*)\}/g)) {
    for (const [, name = ''] of block.matchAll(/["']([A-Za-z_]\w*)["']\s*:/g)) add(name);
  }
  for (const [, name = ''] of text.matchAll(/["'\s](?:-e|--env)["']?[\s,=]+["']?([A-Z][A-Z0-9_]+)\b/g)) add(name);
}

function fromSource(view: FileView, dir: string, add: Add): void {
  for (const file of sourceFiles(view, dir)) for (const name of namesIn(view.read(file) ?? '')) add(name);
}

const READS: readonly RegExp[] = [
  /\b(?:process|Bun|import\.meta)\.env(?:\?)?\.([A-Za-z_]\w*)/g,
  /\b(?:process|Bun|import\.meta)\.env\[\s*["'`]([A-Za-z_]\w*)["'`]\s*\]/g,
  /\b(?:os\.)?environ(?:\.get|\.pop|\.setdefault)?\s*[[(]\s*["']([A-Za-z_]\w*)["']/g,
  /\bgetenv\(\s*["']([A-Za-z_]\w*)["']/g,
  /\bDeno\.env\.get\(\s*["'`]([A-Za-z_]\w*)["'`]/g,
  // Ruby, then PHP.
  /\bENV(?:\.fetch)?\s*[[(]\s*["']([A-Za-z_]\w*)["']/g,
  /\$_ENV\[\s*["']([A-Za-z_]\w*)["']\s*\]/g,
  /(?<![\w.$>])env\(\s*["']([A-Z]\w+)["']/g,
  // Java and Kotlin (`System.getenv` is like Python's), then .NET.
  /\bgetenv\(\)\s*(?:\.\s*(?:get|getOrDefault)\s*\(|\[)\s*"([A-Za-z_]\w*)"/g,
  /\bdotenv\s*(?:\.get\(|\[)\s*"([A-Za-z_]\w*)"/g,
  /\bGetEnvironmentVariable\(\s*"([A-Za-z_]\w*)"/g,
  /\benvvar\s*=\s*["']([A-Za-z_]\w*)["']/g,
  // Go: os.Getenv and helpers named like it, struct tags, viper and urfave/cli.
  /\b\w*(?:Getenv|LookupEnv|[gG]et(?:String|Int|Bool|Required)?Env\w*|[mM]ustEnv|[rR]equireEnv|envOr\w*|BindEnv)\(\s*(?:"[\w.-]+"\s*,\s*)?["`]([A-Z]\w+)["`]/g,
  /`[^`\n]*\b(?:env|envconfig):"([A-Z]\w+)[",]/g,
  /\bEnvVars?(?::\s*\[\]string\{|\()\s*"([A-Z]\w+)"/g,
  // Rust: std::env and helpers named for it, constants that hold a name, clap's `env = "X"`.
  /\b(?:env::var(?:_os)?|dotenvy::var|(?:get|read|require|parse|load)_env\w*|env_(?:or|var|get|flag|bool|string|str|opt|required)\w*)(?:::<\w+>)?\(\s*&?"([A-Z]\w+)"/g,
  /\bconst\s+\w*ENV\w*\s*:\s*&(?:'static\s+)?str\s*=\s*"([A-Z]\w+)"/g,
  /#\[(?:arg|clap|structopt)\([^\]]*\benv\s*=\s*"([A-Z]\w+)"/g,
];

/** clap's bare `env` takes the name of the field in capitals. */
const FIELD_READ =
  /#\[(?:arg|clap)\((?:[^\]]*,\s*)?env\s*(?:,[^\]]*)?\)\]\s*(?:(?:\/\/[^\n]*|#\[[^\]]*\])\s*)*(?:pub(?:\([^)]*\))?\s+)?(\w+)\s*:/g;

/** Every variable that a source text reads. */
function namesIn(text: string): string[] {
  if (!/env/i.test(text)) return [];
  const direct = READS.flatMap((pattern) => [...text.matchAll(pattern)].map((match) => match[1] ?? ''));
  const taken = [...text.matchAll(/\{([^{}]*)\}\s*=\s*process\.env\b/g)].flatMap((match) =>
    (match[1] ?? '').split(',').map((part) => part.split(/[:=]/)[0]?.trim() ?? ''),
  );
  const fields = [...text.matchAll(FIELD_READ)].map(([, field = '']) => field.toUpperCase());
  return [...direct, ...taken, ...fields].filter((name) => /^\w+$/.test(name));
}

const SOURCE = new Set([
  '.ts',
  '.mts',
  '.cts',
  '.js',
  '.mjs',
  '.cjs',
  '.py',
  '.go',
  '.rs',
  '.rb',
  '.php',
  '.java',
  '.kt',
  '.cs',
]);
const ASIDE =
  /(^|\/)(tests?|__tests__|spec|examples?|docs?|benchmarks?|e2e|fixtures|testdata|vendor|\.[^/]+)(\/|$)|_test\.go$|_(?:test|spec)\.rb$|Test\.php$|(^|\/)(benches\/|build\.rs$)|\.(test|spec|config|d)\.[cm]?[jt]s$|(^|\/)(test_\w+|conftest|setup)\.py$/;

/** Java's packages are folders too, and `com.example` is a favourite among them. */
const withoutPackage = (file: string): string =>
  file.replace(/^((?:.*\/)?src\/(?:main|jvmMain|commonMain)\/)(?:\w+\/).*\//, '$1');

/** The project's own source, nearest to its root first. */
export function sourceFiles(view: FileView, dir: string): string[] {
  return view.files
    .filter(
      (file) =>
        SOURCE.has(extname(file)) &&
        isBelow(file, dir) &&
        !ASIDE.test(withoutPackage(relative(dir, file))) &&
        !/\.min\.js$/.test(basename(file)),
    )
    .sort((a, b) => a.split('/').length - b.split('/').length || (a < b ? -1 : 1))
    .slice(0, MAX_SOURCES);
}
