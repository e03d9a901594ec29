/** Programs among the sources: classes with a main method, most likely the server first. */

import { basename, join, withoutExtension } from '../paths.ts';
import type { FileView } from '../plan.ts';

export interface MainClass {
  /** As the JVM takes it: `com.acme.WeatherServer`, `com.acme.MainKt`. */
  readonly name: string;
  readonly file: string;
  readonly line: number;
  /** Its own file speaks MCP or starts an application framework. */
  readonly serves: boolean;
}

/** Enough for the largest servers seen. */
const MAX_FILES = 400;

/** A module's own sources, not those of the modules below it; which source sets are tried out or for other machines. */
const SOURCES = /^src\/(?!(?:test|it|jmh|\w*Test|testFixtures|androidMain|jsMain|wasm\w*|native\w*|ios\w*)\/)/;

/** Java and Kotlin files that are compiled into the program, nearest to the root first. */
export function jvmSources(view: FileView, dir: string): string[] {
  const prefix = dir === '' ? '' : `${dir}/`;
  return view.files
    .filter((file) => file.startsWith(prefix) && /\.(java|kt)$/.test(file) && SOURCES.test(file.slice(prefix.length)))
    .sort((a, b) => a.split('/').length - b.split('/').length || (a < b ? -1 : 1))
    .slice(0, MAX_FILES);
}

const FRAMEWORK = /@(SpringBootApplication|QuarkusMain|MicronautApplication)\b|\bMicronaut\.(run|build)\(/;
const SERVER =
  /\bMcp(Sync|Async|Stateless\w*)?Server\b|\bMcpServers?\b|StdioServerTransport|StdioTransport\b|["']tools\/list["']|\bmcp\s*\{|\bembeddedServer\(/;
const CLIENT = /\bMcp(Sync|Async)?Client\b|StdioClientTransport|\bClient\(\s*(clientInfo|Implementation)/;
const HELPER =
  /(^|[a-z])(Client|Test|Tests|Example|Demo|Benchmark|Generator|Migration|Setup|Installer|Inspector)(Kt)?$/;

/** True for text that starts or is a server. */
export const looksLikeServer = (text: string | undefined): boolean =>
  text !== undefined && (FRAMEWORK.test(text) || SERVER.test(text));

export function findMainClasses(view: FileView, dir: string): MainClass[] {
  const found: (MainClass & { readonly score: number })[] = [];
  for (const file of jvmSources(view, dir)) {
    const text = view.read(file);
    if (text === undefined || !/\bmain\s*\(/.test(text)) continue;
    const main = file.endsWith('.kt') ? kotlinMain(file, text) : javaMain(file, text);
    if (main === null) continue;
    const serves = looksLikeServer(text);
    const simple = main.name.slice(main.name.lastIndexOf('.') + 1);
    const score =
      (FRAMEWORK.test(text) ? 60 : 0) +
      (SERVER.test(text) ? 30 : 0) -
      (CLIENT.test(text) ? 40 : 0) -
      (HELPER.test(simple) ? 50 : 0) +
      (/stdio/i.test(simple) ? 10 : 0) +
      (/mcp/i.test(simple) ? 6 : 0) +
      (/server/i.test(simple) ? 4 : 0) +
      (/^(Main|App|Application)(Kt)?$/.test(simple) ? 3 : 0) -
      (/sse|http|streamable/i.test(simple) ? 2 : 0);
    found.push({ ...main, file, serves, score });
  }
  return found.sort((a, b) => b.score - a.score).map(({ score: _, ...main }) => main);
}

const packageOf = (text: string): string => /^\s*package\s+([\w.]+)/m.exec(text)?.[1] ?? '';
const qualified = (text: string, name: string): string =>
  [packageOf(text), name].filter((part) => part !== '').join('.');
const lineAt = (text: string, index: number): number => text.slice(0, index).split('\n').length;

function javaMain(file: string, text: string): { name: string; line: number } | null {
  const match =
    /(?:^|[{};])[ \t]*(?:(?:public|final|protected)\s+)*static\s+(?:final\s+|public\s+)*void\s+main\s*\(/m.exec(text) ??
    // Java 25: `void main()` of a class or of a file without one.
    /^[ \t]*(?:public\s+)?void\s+main\s*\(\s*(?:String\b[^)]*)?\)/m.exec(text);
  if (match === null) return null;
  return { name: qualified(text, withoutExtension(basename(file))), line: lineAt(text, match.index) };
}

function kotlinMain(file: string, text: string): { name: string; line: number } | null {
  const top = /^(?:(?:public|internal)\s+)?(?:suspend\s+)?fun\s+main\s*\(/m.exec(text);
  if (top !== null) {
    const named = /@file\s*:\s*JvmName\(\s*"(\w+)"\s*\)/.exec(text)?.[1];
    const stem = withoutExtension(basename(file)).replaceAll(/\W/g, '_');
    const name = named ?? `${stem.charAt(0).toUpperCase()}${stem.slice(1)}Kt`;
    return { name: qualified(text, name), line: lineAt(text, top.index) };
  }
  const inside = /@JvmStatic[\s\S]{0,80}?\bfun\s+main\s*\(/.exec(text);
  if (inside === null) return null;
  const owner = [...text.slice(0, inside.index).matchAll(/^(?:\w+\s+)*(?:object|class)\s+(\w+)/gm)].at(-1)?.[1];
  return owner === undefined ? null : { name: qualified(text, owner), line: lineAt(text, inside.index) };
}

/** True when something among the sources speaks MCP, in whatever way. */
export const anySpeaksMcp = (view: FileView, dir: string): boolean =>
  jvmSources(view, dir).some((file) =>
    /["']tools\/list["']|@McpTool\b|\bMcp\w*Server\b|StdioServerTransport/.test(view.read(file) ?? ''),
  );

/** `com.acme.Main` → its class file below `root`. */
export const classFile = (root: string, name: string): string => join(root, `${name.replaceAll('.', '/')}.class`);
