/** A Dockerfile as the last resort: where no rule of a language knows the folder, its image is built and run. */

import { createBasePlan } from './base-plan.ts';
import { type Dockerfile, readDockerfile } from './dockerfile.ts';
import { type ExitLike, explainWith, type Pattern } from './explain.ts';
import { sourceName } from './identity.ts';
import { dirname, join, relative } from './paths.ts';
import type { Cause, FileView, Launcher, LaunchPlan, PluginSpec, Refusal, Source } from './plan.ts';
import { notAServer } from './refusal.ts';
import { findSettings } from './settings.ts';

export function createDockerLauncher(): Launcher {
  return {
    id: 'docker',
    detect: (view, dir) => readDockerfile(view, dir) !== null,
    plan: planDocker,
    resolve: nameImage,
    explain: explainDocker,
  };
}

/** Written by the build: the image is run by its id, which no other plugin's build can take away as it can a tag. */
const IMAGE_ID = '.mcp-supervisor-image';

function planDocker(view: FileView, dir: string, spec: PluginSpec): LaunchPlan | Refusal {
  const dockerfile = readDockerfile(view, dir);
  if (dockerfile === null) return notAServer('There is no Dockerfile.', []);
  const { file, command, expose, entrypoint, cmd } = dockerfile;
  if (!mayServe(view, dir, dockerfile)) {
    const says = 'opens no port, and no README or server.json beside it speaks of MCP';
    return notAServer('Its Dockerfile does not say that the image is a server.', [{ file, says }]);
  }
  const tag = tagOf(spec.source);
  const [port] = expose;
  const line = (entrypoint ?? cmd)?.line;
  const path = relative(dir, file);
  return {
    ...createBasePlan('docker', 'docker', dir),
    tools: [{ name: 'docker', version: null }],
    install: [
      {
        id: 'docker-build',
        cures: 'any',
        steps: [
          {
            program: 'docker',
            args: ['build', '--iidfile', IMAGE_ID, '-t', tag, ...(path === 'Dockerfile' ? [] : ['-f', path]), '.'],
            cwd: dir,
            env: { BUILDKIT_PROGRESS: 'plain' },
          },
        ],
      },
    ],
    start: [
      {
        id: `image:${tag}`,
        command: {
          program: 'docker',
          args: [
            ...['run', '-i', '--rm', '--init', '--label', 'mcp-supervisor={cookie}', '{env}'],
            // Published for this machine alone; a server that talks over stdio leaves it unused.
            ...(port === undefined ? [] : ['-p', `127.0.0.1:{port}:${port}`]),
            tag,
          ],
          cwd: dir,
        },
        entry: join(dir, IMAGE_ID),
      },
    ],
    // Inside the container its own default holds; outside of it the port is published.
    port: { env: [], args: [], fixed: null },
    wants: findSettings(view, dir),
    confidence: 'low',
    evidence: [
      {
        file,
        ...(line === undefined ? {} : { line }),
        says: command.length === 0 ? 'is the only way to run it' : `is the only way to run it, starting ${command[0]}`,
      },
      ...(port === undefined ? [] : [{ file, says: `opens port ${port}` }]),
    ],
  };
}

function mayServe(view: FileView, dir: string, { expose, file }: Dockerfile): boolean {
  const folders = [...new Set([dir, dirname(file)])];
  const readme = folders.map((folder) => view.read(join(folder, 'README.md')) ?? '').join('\n');
  return (
    expose.length > 0 || /\bMCP\b|Model Context Protocol/.test(readme) || view.files.includes(join(dir, 'server.json'))
  );
}

/** `mcp-supervisor/owner-name` for people; several plugins may share it. */
function tagOf(source: Source): string {
  const path =
    source.kind === 'git'
      ? source.url
          .replace(/\.git$/, '')
          .split(/[/:]/)
          .slice(-2)
      : [sourceName(source)];
  const words = [...path, source.subdir].join('-').toLowerCase();
  return `mcp-supervisor/${words.replaceAll(/[^a-z0-9]+/g, '-').replaceAll(/^-|-$/g, '') || 'plugin'}`;
}

function nameImage(view: FileView, plan: LaunchPlan): LaunchPlan {
  const start = plan.start.map((candidate) => {
    const id = candidate.entry === null ? null : /^sha256:[0-9a-f]{64}/.exec(view.read(candidate.entry) ?? '')?.[0];
    const tag = candidate.id.replace(/^image:/, '');
    if (id == null) return candidate;
    const args = candidate.command.args.map((word) => (word === tag ? id : word));
    return { ...candidate, command: { ...candidate.command, args } };
  });
  return { ...plan, start };
}

const PATTERNS: readonly Pattern[] = [
  {
    kind: 'missing-service',
    pattern: /Cannot connect to the Docker daemon|[Ii]s the docker daemon running|error during connect:/,
    says: 'No Docker engine answers',
    hint: 'Start Docker, then try again.',
  },
  {
    kind: 'missing-service',
    pattern: /permission denied while trying to connect to the Docker daemon socket/,
    says: 'You may not use the Docker engine',
    hint: 'Add your user to the group docker, log in again, then try again.',
  },
  {
    kind: 'network',
    pattern:
      /failed to (?:resolve source metadata for|do request:|copy:|fetch)\s*(\S*)|(?:pull access denied for|manifest for) (\S+)|net\/http: TLS handshake timeout|dial tcp[^\n]*(?:lookup|i\/o timeout|connection refused)/,
    says: 'An image that it is built on could not be had $1',
  },
  {
    kind: 'port-taken',
    pattern: /port is already allocated|bind for [\d.:]+ failed/,
    says: 'The port that it wants is taken',
  },
  {
    kind: 'entry-missing',
    pattern: /exec:? "([^"]+)":? (?:executable file not found|stat [^\n]*no such file)/,
    says: 'There is no $1 in its image',
  },
  {
    kind: 'build-failed',
    pattern: /process "([^"\n]+)" did not complete successfully|The command '([^'\n]+)' returned a non-zero code/,
    says: 'Building its image failed at `$1`',
    hint: 'Correct what the lines before name, or report it to the plugin’s authors.',
  },
  {
    kind: 'build-failed',
    pattern: /failed to solve: ([^\n]+)|dockerfile parse error/i,
    says: 'Its image could not be built: $1',
  },
];

const explainDocker = (output: string, exit: ExitLike): Cause => explainWith(PATTERNS, output, exit);
