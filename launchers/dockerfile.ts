/**
 * A Dockerfile as evidence: what its image starts, listens on and reads. Its last ENTRYPOINT and CMD name the program
 * nearly always; only the transport that they choose is a container's (HTTP on all addresses).
 */

import { asStrings } from './parse.ts';
import { basename, join } from './paths.ts';
import type { FileView } from './plan.ts';
import { splitCommand } from './words.ts';

/** ENTRYPOINT or CMD. */
export interface DockerCommand {
  readonly form: 'exec' | 'shell';
  /** Program and arguments (`sh -c "exec x"` is `x`); empty when only a shell can tell them (operators, variables). */
  readonly words: readonly string[];
  /** As written. */
  readonly text: string;
  readonly line: number;
}

export interface DockerStage {
  readonly name: string | null;
  /** Image or earlier stage that it begins with. */
  readonly from: string;
  readonly entrypoint: DockerCommand | null;
  readonly cmd: DockerCommand | null;
  /** TCP ports of EXPOSE, in order. */
  readonly expose: readonly number[];
  /** ENV with its values; what is built from ARG has the default. */
  readonly env: Readonly<Record<string, string>>;
  /** Absolute in the image; '/' when nothing says so. */
  readonly workdir: string;
  readonly run: readonly { readonly text: string; readonly line: number }[];
  /** COPY and ADD: sources as written, target absolute in the image. */
  readonly copy: readonly { readonly from: string | null; readonly sources: readonly string[]; readonly to: string }[];
}

/** The last stage, which is what an image is, with the stages before it. */
export interface Dockerfile extends DockerStage {
  readonly file: string;
  /** All stages, the last one too. */
  readonly stages: readonly DockerStage[];
  /** What the container runs: ENTRYPOINT followed by CMD as Docker joins them; empty when unknown. */
  readonly command: readonly string[];
}

const NAMES = ['Dockerfile', 'Containerfile', 'docker/Dockerfile', '.docker/Dockerfile'];

/** The Dockerfile of the folder (or of its `docker/`); null when there is none or it has no FROM. */
export function readDockerfile(view: FileView, dir: string): Dockerfile | null {
  const file = NAMES.map((name) => join(dir, name)).find((path) => view.files.includes(path));
  return file === undefined ? null : parseDockerfile(file, view.read(file) ?? '');
}

/** The text of a Dockerfile; null without a FROM. Never fails: what it doesn't know it leaves out. */
export function parseDockerfile(file: string, text: string): Dockerfile | null {
  const stages: Draft[] = [];
  const args: Record<string, string> = {};
  for (const { word, rest, line } of instructions(text)) {
    const stage = stages.at(-1);
    if (word === 'FROM') stages.push(begin(expand(rest, args), stages));
    else if (word === 'ARG') for (const [name, value] of pairs(rest, { ...args, ...stage?.env })) args[name] = value;
    else if (stage !== undefined) apply(stage, word, rest, line, args);
  }
  const last = stages.at(-1);
  return last === undefined ? null : { file, stages, ...last, command: joined(last) };
}

/**
 * Name of the file that an image's path was copied from (`/usr/local/bin/server` ← `target/release/acme-mcp` gives
 * `acme-mcp`); the path's own name when nothing says otherwise.
 */
export function copiedFrom(dockerfile: Dockerfile, path: string): string {
  const at = path.startsWith('/') ? join(path) : join(dockerfile.workdir, path);
  const name = basename(at);
  for (const { sources, to } of dockerfile.copy.toReversed()) {
    const [only, ...more] = sources;
    // Into a folder it keeps its name.
    if (only !== undefined && more.length === 0 && join(to) === at && !to.endsWith('/')) return basename(only);
  }
  return name;
}

type Draft = { -readonly [K in keyof DockerStage]: DockerStage[K] };

/** A stage built on an earlier one has all that it has, but its build commands. */
function begin(rest: string, stages: readonly Draft[]): Draft {
  const [from = '', as, name] = rest.split(/\s+/).filter((word) => !word.startsWith('--'));
  const base = stages.find((stage) => stage.name !== null && stage.name === from.toLowerCase());
  const fresh = { entrypoint: null, cmd: null, expose: [], env: {}, workdir: '/', copy: [], ...base };
  return { ...fresh, from, name: /^as$/i.test(as ?? '') ? (name ?? '').toLowerCase() : null, run: [] };
}

function apply(stage: Draft, word: string, rest: string, line: number, args: Readonly<Record<string, string>>): void {
  const known = { ...args, ...stage.env };
  if (word === 'ENTRYPOINT') stage.entrypoint = command(rest, line);
  else if (word === 'CMD') stage.cmd = command(rest, line);
  else if (word === 'RUN') stage.run = [...stage.run, { text: rest, line }];
  else if (word === 'WORKDIR') stage.workdir = absolute(stage.workdir, unquoted(expand(rest, known)));
  else if (word === 'ENV') stage.env = { ...stage.env, ...Object.fromEntries(pairs(rest, known)) };
  else if (word === 'EXPOSE') stage.expose = [...new Set([...stage.expose, ...ports(expand(rest, known))])];
  else if (word === 'COPY' || word === 'ADD') {
    const from = /(?:^|\s)--from=(\S+)/.exec(rest)?.[1] ?? null;
    const plain = rest.replaceAll(/(^|\s)--[a-z]+(=\S+)?(?=\s)/g, ' ').trim();
    const words = jsonWords(plain) ?? expand(plain, known).split(/\s+/);
    const to = words.at(-1) ?? '';
    const target = absolute(stage.workdir, to) + (/(^|\/)\.?$/.test(to) && words.length > 1 ? '/' : '');
    stage.copy = [...stage.copy, { from, sources: words.slice(0, -1), to: target.replace(/\/+$/, '/') }];
  }
}

const absolute = (workdir: string, path: string): string =>
  `/${path.startsWith('/') ? join(path) : join(workdir, path)}`;

const ports = (rest: string): number[] =>
  [...rest.matchAll(/(?:^|\s)(\d{1,5})(?:\/tcp)?(?=\s|$)/gi)].map((match) => Number(match[1]));

/** A shell-form ENTRYPOINT takes no arguments. */
function joined({ entrypoint, cmd }: Draft): readonly string[] {
  if (entrypoint === null) return cmd?.words ?? [];
  if (entrypoint.form === 'shell' || cmd === null || cmd.form === 'shell') return entrypoint.words;
  return [...entrypoint.words, ...cmd.words];
}

function command(rest: string, line: number): DockerCommand | null {
  const exec = jsonWords(rest);
  const text = rest.trim();
  if (exec !== null) {
    if (exec.length === 0) return null;
    const [shell = '', option, script] = exec;
    const isShell = /^(\/(usr\/)?bin\/)?(sh|bash|ash)$/.test(shell) && /^-[a-z]*c$/.test(option ?? '');
    return { form: 'exec', words: isShell ? shellWords(script ?? '') : exec, text, line };
  }
  return { form: 'shell', words: shellWords(text), text, line };
}

function shellWords(text: string): readonly string[] {
  const split = splitCommand(text.replace(/^exec\s+/, ''));
  return split.ok ? split.words : [];
}

function jsonWords(text: string): string[] | null {
  if (!/^\s*\[/.test(text)) return null;
  try {
    return asStrings(JSON.parse(text));
  } catch {
    return null;
  }
}

interface Instruction {
  readonly word: string;
  readonly rest: string;
  /** Of its first line, from 1. */
  readonly line: number;
}

/** Instructions with their continued lines joined, without comments and the bodies of here-documents. */
function instructions(text: string): Instruction[] {
  const continues = /^#\s*escape\s*=\s*`/im.test(text.slice(0, 200)) ? '`' : '\\';
  const found: Instruction[] = [];
  const lines = text.split(/\r?\n/);
  for (let at = 0; at < lines.length; at++) {
    const line = at + 1;
    let whole = '';
    for (; at < lines.length; at++) {
      const part = (lines[at] ?? '').trim();
      if (part.startsWith('#') || (part === '' && whole !== '')) continue;
      if (!part.endsWith(continues)) {
        whole += part;
        break;
      }
      whole += `${part.slice(0, -1).trimEnd()} `;
    }
    const [, word = '', rest = ''] = /^([A-Za-z]+)\s+(.*)$/s.exec(whole) ?? [];
    if (word === '') continue;
    found.push({ word: word.toUpperCase(), rest, line });
    for (const [, end = ''] of /^(RUN|COPY|ADD)$/i.test(word) ? rest.matchAll(/<<-?["']?(\w+)["']?/g) : []) {
      while (at + 1 < lines.length && (lines[++at] ?? '').trim() !== end);
    }
  }
  return found;
}

/** `A=1 B="x y"` and the older `A x y`; ARG without a value is ''. */
function pairs(rest: string, known: Readonly<Record<string, string>>): [string, string][] {
  if (!/^\w+=/.test(rest)) {
    const [, name = '', value = ''] = /^(\w+)(?:\s+(.*))?$/s.exec(rest) ?? [];
    return name === '' ? [] : [[name, expand(unquoted(value), known)]];
  }
  return [...rest.matchAll(/(\w+)=("(?:[^"\\]|\\.)*"|'[^']*'|(?:\\.|\S)*)/g)].map(([, name = '', value = '']) => [
    name,
    expand(unquoted(value), known),
  ]);
}

const unquoted = (value: string): string => value.trim().replace(/^(["'])(.*)\1$/s, '$2');

/** `$X`, `${X}`, `${X:-default}`; what is not known stays as written. */
const expand = (text: string, known: Readonly<Record<string, string>>): string =>
  text.replaceAll(/\$(?:(\w+)|\{(\w+)(?::?-([^}]*))?\})/g, (whole, bare?: string, name?: string, other?: string) => {
    const value = known[bare ?? name ?? ''];
    return value !== undefined && value !== '' ? value : (other ?? value ?? whole);
  });
