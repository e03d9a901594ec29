import type { Tool } from '../../launchers/plan.ts';
import { createFailure, type Failure } from '../../machines/failure.ts';
import type { Found } from './find.ts';

/** How people call it, and how one gets it where nothing can be fetched; `{v}` is the wanted version, if any. */
interface Getting {
  readonly name: string;
  readonly linux: string;
  readonly darwin: string;
  /** What to say in place of `which is not installed here`. */
  readonly absent?: string;
}

const GETTING: Readonly<Record<string, Getting>> = {
  node: {
    name: 'Node.js',
    linux:
      'install it with your distribution’s packages or a version manager (`nvm install {v}`, `mise use -g node@{v}`)',
    darwin: 'run `brew install node`, or use a version manager (`nvm install {v}`)',
  },
  npm: {
    name: 'npm',
    linux: 'install it with your distribution’s packages (`sudo apt install npm`) or use Node.js with npm included',
    darwin: 'run `brew install node`',
  },
  python: {
    name: 'Python',
    linux: 'run `uv python install {v}` or `pyenv install {v}`, or `sudo apt install python3 python3-venv`',
    darwin: 'run `brew install python`, `uv python install {v}` or `pyenv install {v}`',
  },
  uv: {
    name: 'uv',
    linux: 'install python3 with pip or venv (`sudo apt install python3-venv`): uv is then fetched by itself',
    darwin: 'run `brew install uv`',
  },
  go: {
    name: 'Go',
    linux: 'run `sudo apt install golang`; with python3 and pip here it is fetched by itself',
    darwin: 'run `brew install go`',
  },
  cargo: {
    name: 'Rust',
    linux: 'install rustup, then `rustup default stable` (`rustup update stable` where it is too old)',
    darwin: 'run `brew install rustup`, then `rustup default stable` (`rustup update stable` where it is too old)',
  },
  java: {
    name: 'Java (JDK)',
    linux: 'use a version manager (`sdk install java`, `mise use -g java@{v}`), or `sudo apt install openjdk-{v}-jdk`',
    darwin: 'run `brew install openjdk@{v}`, or use a version manager (`sdk install java`)',
  },
  mvn: {
    name: 'Maven',
    linux: 'run `sudo apt install maven`, or use a version manager (`sdk install maven`)',
    darwin: 'run `brew install maven`',
  },
  gradle: {
    name: 'Gradle',
    linux: 'use a version manager (`sdk install gradle`, `mise use -g gradle`)',
    darwin: 'run `brew install gradle`',
  },
  jbang: {
    name: 'JBang',
    linux: 'use a version manager (`sdk install jbang`), or install it as its authors say',
    darwin: 'run `brew install jbangdev/tap/jbang`',
  },
  dotnet: {
    name: '.NET SDK',
    linux:
      'run `sudo apt install dotnet-sdk-{v}` (`sudo dnf install dotnet-sdk-{v}`), or use Microsoft’s dotnet-install script',
    darwin: 'run `brew install dotnet`, or use Microsoft’s dotnet-install script',
  },
  ruby: {
    name: 'Ruby',
    linux: 'use a version manager (`rbenv install {v}`, `mise use -g ruby@{v}`), or `sudo apt install ruby-full`',
    darwin: 'run `brew install ruby`, or use a version manager (`rbenv install {v}`)',
  },
  bundle: {
    name: 'Bundler',
    linux: 'run `gem install bundler`, or `sudo apt install ruby-bundler`',
    darwin: 'run `gem install bundler`',
  },
  php: {
    name: 'PHP',
    linux: 'use a version manager (`mise use -g php@{v}`), or `sudo apt install php-cli php-mbstring php-xml php-curl`',
    darwin: 'run `brew install php`',
  },
  composer: {
    name: 'Composer',
    linux: 'run `sudo apt install composer`, or install it as its authors say',
    darwin: 'run `brew install composer`',
  },
  deno: {
    name: 'Deno',
    linux: 'install Node.js with npm: Deno is then fetched by itself',
    darwin: 'run `brew install deno`',
  },
  jq: { name: 'jq', linux: 'run `sudo apt install jq`', darwin: 'run `brew install jq`' },
  docker: {
    name: 'Docker',
    absent: 'and no Docker engine answers here',
    linux:
      'install Docker Engine, start it (`sudo systemctl start docker`) and see that `docker version` shows a server (your user may have to be in the group docker)',
    darwin: 'install Docker Desktop and start it',
  },
};

/** DETECT_MISSING_RUNTIME: what is missing, what was found instead, how to get it on this system. */
export function missingRuntime(tool: Tool, found: readonly Found[], stderrTail: readonly string[] = []): Failure {
  const getting = GETTING[tool.name];
  const name = getting?.name ?? tool.name;
  const wanted = tool.version === null ? name : `${name} ${tool.version}`;
  const named = found.slice(0, MOST_NAMED).map(({ program, version }) => `${version} (${program})`);
  const had = [...named, ...(found.length > MOST_NAMED ? [`${found.length - MOST_NAMED} more`] : [])].join(', ');
  const general = getting?.[process.platform === 'darwin' ? 'darwin' : 'linux'].replaceAll(
    '{v}',
    suggestedVersion(tool),
  );
  // The distribution's own is most likely among those that were found.
  const how = found.length === 0 ? general : general?.replace(/, or `sudo apt install [^`]+`/, '');
  return createFailure('DETECT_MISSING_RUNTIME', {
    message:
      found.length === 0
        ? `The plugin needs ${wanted}, ${getting?.absent ?? 'which is not installed here'}.`
        : `The plugin needs ${wanted}; found ${had}.`,
    hint: how === undefined ? `Install ${wanted} and see that it is on PATH.` : `To get ${wanted}, ${how}.`,
    stderrTail,
    data: { tool: tool.name, wanted: tool.version, found },
  });
}

/** Versions that did not fit, in a sentence; all of them are in `data`. */
const MOST_NAMED = 3;

/** Recent, still maintained, and what most plugins accept. */
const USUAL: Readonly<Record<string, string>> = { node: '22', python: '3.12', ruby: '3.4', php: '8.4' };

/** `>=3.12,<4` → `3.12`: what a version manager is asked for; an upper bound alone says nothing. */
const suggestedVersion = ({ name, version }: Tool): string =>
  /(?<![<!]=?\s*|[\d.])\d+(\.\d+)*/.exec(version ?? '')?.[0] ?? USUAL[name] ?? 'latest';
