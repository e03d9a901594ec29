import { describe, expect, it } from 'vitest';
import { type Command, isRefusal, type Launcher, type LaunchPlan } from '../../launchers/plan.ts';
import { createFileView } from '../support/file-view.ts';
import { createSpec } from '../support/spec.ts';

/** A folder that a launcher plans, before and after its install. */
export interface Sample {
  readonly name: string;
  readonly files: Readonly<Record<string, string>>;
  /** What install and build add. */
  readonly installed?: Readonly<Record<string, string>>;
  readonly dir?: string;
}

const commandsOf = ({ install, build, buildOtherwise = [], start }: LaunchPlan): Command[] => [
  ...install.flatMap(({ steps, afterwards = [] }) => [...steps, ...afterwards]),
  ...build,
  ...buildOtherwise,
  ...start.map(({ command }) => command),
];

/** What every launcher, ours or another's, has to keep to. `samples` are folders that it must be able to plan. */
export function describeLauncher(launcher: Launcher, samples: readonly Sample[]): void {
  describe(`the launcher ${launcher.id}`, () => {
    it('leaves an empty folder to others', () => {
      expect(launcher.detect(createFileView({}), '')).toBe(false);
      expect(launcher.detect(createFileView({ 'README.md': '# Notes', 'docs/a.txt': '' }), '')).toBe(false);
    });

    it('always gives a cause', () => {
      for (const code of [0, 1, 127, null]) {
        for (const output of ['', 'gibberish', '\n\n\u0000\n', 'Error: connect ECONNREFUSED 127.0.0.1:5432']) {
          const cause = launcher.explain(output, { code, signal: code === null ? 'SIGKILL' : null });
          expect(cause.kind).toMatch(/^[a-z-]+$/);
          expect(cause.detail).not.toBe('');
          expect(cause.hint).not.toBe('');
        }
      }
    });

    it('blames the disk, the port and the network in the same words as all others', () => {
      const kind = (output: string) => launcher.explain(output, { code: 1, signal: null }).kind;
      expect(kind('write: No space left on device')).toBe('out-of-disk');
      expect(kind('Error: listen EADDRINUSE: address already in use 127.0.0.1:3000')).toBe('port-taken');
      expect(kind('getaddrinfo EAI_AGAIN registry.example')).toBe('network');
    });

    describe.each(samples)('$name', ({ files, installed = {}, dir = '' }) => {
      const view = createFileView(files);
      const planned = (): LaunchPlan => {
        const made = launcher.plan(view, dir, createSpec());
        if (isRefusal(made)) throw new Error(made.message);
        return made;
      };

      it('is detected by a look at names and small files only', () => {
        let reads = 0;
        const read = (path: string) => {
          reads += 1;
          return view.read(path);
        };
        const counting = { ...view, read };
        expect(launcher.detect(counting, dir)).toBe(true);
        expect(reads).toBeLessThan(20);
      });

      it('gets the same plan each time, as plain JSON', () => {
        const plan = planned();
        expect(planned()).toEqual(plan);
        expect(JSON.parse(JSON.stringify(plan))).toEqual(plan);
        expect(plan.launcher).toBe(launcher.id);
      });

      it('is planned with real argument lists: no shell, no absolute path, nothing outside of the tree', () => {
        const commands = commandsOf(planned());
        expect(commands.length).toBeGreaterThan(0);
        for (const { program, args, cwd } of commands) {
          expect(program).toMatch(/^(\.\/)?[\w.][\w./-]*$/);
          expect(program).not.toMatch(/^(npx|uvx|cmd|powershell)$/);
          expect([program, ...args]).not.toContain('-lc');
          expect(cwd).not.toMatch(/^\/|\.\./);
          for (const word of args) expect(word).not.toMatch(/^\/|^~|&&|\|\|/);
        }
      });

      it('starts nothing through a package manager, which prints to stdout (trap 1)', () => {
        for (const { command } of planned().start) {
          expect(command.program).not.toMatch(/^(npm|npx|pnpm|yarn|uv|uvx|poetry)$/);
        }
      });

      it('begins its ladder with a rung that is always taken', () => {
        const [first, ...more] = planned().install;
        if (first !== undefined) expect(first.cures).toBe('any');
        for (const { id, steps } of more) expect([id, steps.length]).not.toEqual([id, 0]);
        expect(new Set(planned().install.map(({ id }) => id)).size).toBe(planned().install.length);
      });

      it('is resolved to the same plan twice, and to itself while nothing is installed', () => {
        const plan = planned();
        expect(launcher.resolve(view, plan)).toEqual(plan);
        const after = createFileView({ ...files, ...installed });
        const once = launcher.resolve(after, plan);
        expect(launcher.resolve(after, once)).toEqual(once);
        expect(once.start.length).toBeGreaterThan(0);
      });
    });
  });
}
