import { type ChildProcess, spawn } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, expect } from 'vitest';
import { createActor, toPromise } from 'xstate';
import type { ActorContext } from '../../actors/context.ts';
import { isAlive, processIdentity } from '../../actors/groups.ts';
import { createStore } from '../../actors/store/create-store.ts';
import { planKey, sourceKey } from '../../actors/store/keys.ts';
import { createSurveyActor } from '../../actors/survey.ts';
import { sampleAttempt, sampleCheckout, sampleEnvironment, samplePlan, sampleSpec } from '../../src/testing/samples.ts';
import { bytes, jsonText } from './arbitraries.ts';
import { fuzz } from './fuzz.ts';

let home: string;
let bystander: ChildProcess;
beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'mcps-files-'));
  await createStore({ home }).open();
  bystander = spawn('sleep', ['1000'], { detached: true, stdio: 'ignore' });
});
afterAll(async () => {
  bystander.kill('SIGKILL');
  await rm(home, { recursive: true, force: true });
});

const content = fc.oneof(
  jsonText,
  bytes.map((some) => some.toString('latin1')),
);
const SLOW = { share: 0.1 };

fuzz(
  'facts that are no facts are none',
  [content],
  async (text) => {
    const folder = join(home, 'plugins', 'weather');
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, 'facts.json'), text);
    const store = createStore({ home });
    const facts = await store.readFacts('weather');
    expect(typeof facts).toBe('object');
    await store.writeFacts('weather', { attemptKey: 'k' });
    expect(await store.readFacts('weather')).toMatchObject({ attemptKey: 'k' });
    await rm(folder, { recursive: true });
  },
  SLOW,
);

const field = fc.tuple(
  fc.constantFrom('sourceKey', 'checkout', 'planKey', 'plan', 'environment', 'attempt', 'attemptKey'),
  fc.option(fc.constantFrom('dir', 'commit', 'plan', 'key', 'programs', 'transport', 'start', 'endpoint')),
  jsonText,
);
fuzz(
  'a survey of facts with something else in them names a stage',
  [fc.array(field, { maxLength: 3 })],
  async (edits) => {
    const spec = sampleSpec();
    const checkout = sampleCheckout({ dir: home });
    const environment = sampleEnvironment();
    const facts: Record<string, unknown> = {
      sourceKey: sourceKey(spec.source),
      checkout,
      planKey: planKey(checkout, spec),
      plan: samplePlan(),
      environment,
      attempt: sampleAttempt(),
      attemptKey: environment.key,
    };
    for (const [name, inner, text] of edits) {
      const value = parsed(text);
      facts[name] = inner === null ? value : { ...(facts[name] as object), [inner]: value };
    }
    await mkdir(join(home, 'plugins', 'weather'), { recursive: true });
    await writeFile(join(home, 'plugins', 'weather', 'facts.json'), JSON.stringify(facts));
    const silent = () => undefined;
    const store = createStore({ home });
    const context = {
      store,
      log: { debug: silent, info: silent, warn: silent, error: silent },
    } as unknown as ActorContext;
    const survey = createActor(createSurveyActor(context), {
      input: { plugin: 'weather', spec, abandoned: [] } as never,
    });
    survey.subscribe({ error: silent });
    const done = toPromise(survey);
    survey.start();
    expect(['cloning', 'detecting', 'installing', 'launching']).toContain((await done).stale);
  },
  SLOW,
);

const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
};

const WORLD = /-([0-9a-f]{8})$/;
const entry = fc.oneof(
  { weight: 1, arbitrary: content },
  {
    weight: 2,
    arbitrary: fc
      .tuple(jsonText, jsonText, jsonText, fc.constantFrom('"x"', '""', 'null', '7', '["x"]', '"x.y"'))
      .map(
        ([plugin, startTime, bootId, cookie]) =>
          `{"plugin":${plugin},"generation":1,"cookie":${cookie},"leader":{"pid":PID,"startTime":${startTime},"bootId":${bootId}}}`,
      ),
  },
);
const entryName = fc.oneof(
  fc.constantFrom('a.json', '%.json', '%E0%A4%A.json', 'x', '.json', 'a.b.1.c.json'),
  fc.string({ minLength: 1, maxLength: 10 }).map((text) => `${text.replaceAll(/[/\0]/g, '_')}.json`),
);

fuzz(
  'a ledger of anything is reaped without harm to others',
  [fc.array(fc.tuple(entryName, entry), { minLength: 1, maxLength: 4 })],
  async (entries) => {
    const store = createStore({ home });
    // A temp folder ends in its owner's name, whose last part names this machine and boot.
    const [, world = ''] = WORLD.exec(await store.makeTemp('x')) ?? [];
    const folder = join(home, 'ledger', `999999999-1-${world}`);
    await mkdir(folder, { recursive: true });
    for (const [name, text] of entries) {
      if (Buffer.byteLength(name) < 200)
        await writeFile(join(folder, name), text.replaceAll('PID', String(bystander.pid)));
    }
    const identity = processIdentity(bystander.pid!);
    expect(await store.ledger.reap()).toEqual([]);
    expect(isAlive(bystander.pid!)).toBe(true);
    expect(processIdentity(bystander.pid!)).toEqual(identity);
    await rm(folder, { recursive: true, force: true });
  },
  { share: 0.02 },
);
