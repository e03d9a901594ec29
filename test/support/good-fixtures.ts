import type { Registry } from './registries.ts';

/** A fixture plugin that works, and what it answers. */
export interface GoodFixture {
  readonly name: string;
  readonly needs: readonly Registry[];
  readonly transport: 'stdio' | 'streamable-http' | 'sse' | 'http';
  /** null: no MCP, so there is no catalog. */
  readonly tools: readonly string[] | null;
}

export const GOOD_FIXTURES: readonly GoodFixture[] = [
  {
    name: 'node-stdio',
    needs: ['npm'],
    transport: 'stdio',
    tools: ['echo', 'add', 'env', 'pid', 'slow', 'blob', 'fail', 'crash', 'spawn-grandchild', 'flood'],
  },
  { name: 'node-http', needs: ['npm'], transport: 'streamable-http', tools: ['echo', 'pid'] },
  { name: 'node-sse', needs: ['npm'], transport: 'sse', tools: ['echo', 'pid'] },
  { name: 'node-plain-http', needs: [], transport: 'http', tools: null },
  { name: 'node-unix-socket', needs: [], transport: 'http', tools: null },
  { name: 'modern-only', needs: ['npm'], transport: 'stdio', tools: ['echo', 'pid'] },
  { name: 'manifest-command', needs: ['npm'], transport: 'stdio', tools: ['echo', 'pid', 'given'] },
  { name: 'go-stdio', needs: ['go'], transport: 'stdio', tools: ['echo', 'add', 'pid'] },
  { name: 'java-stdio', needs: ['maven'], transport: 'stdio', tools: ['echo', 'add', 'pid'] },
  { name: 'deno-stdio', needs: ['npm'], transport: 'stdio', tools: ['echo', 'greeting'] },
  { name: 'bun-stdio', needs: ['npm'], transport: 'stdio', tools: ['echo', 'remembered'] },
  { name: 'ruby-stdio', needs: ['ruby'], transport: 'stdio', tools: ['echo', 'pid'] },
  { name: 'php-stdio', needs: ['php'], transport: 'stdio', tools: ['echo', 'pid'] },
  { name: 'python-stdio', needs: ['pypi'], transport: 'stdio', tools: ['echo', 'add', 'pid'] },
  { name: 'python-http', needs: ['pypi'], transport: 'streamable-http', tools: ['echo', 'pid'] },
  { name: 'python-script', needs: ['pypi'], transport: 'stdio', tools: ['echo', 'pid'] },
  { name: 'rust-stdio', needs: ['crates'], transport: 'stdio', tools: ['echo', 'pid'] },
];
