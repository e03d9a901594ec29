/** In which ways a Java program can serve, best first, and the words that make it do so. */

import { join } from '../paths.ts';
import type { Evidence, FileView, LaunchPlan } from '../plan.ts';
import { dependsOn } from './dependencies.ts';
import { profiles, readProperties } from './spring.ts';
import { usualFlags } from './usual-flags.ts';

/** One way: `-D…` words for the JVM. */
export interface Way {
  readonly name: 'stdio' | 'http' | 'aloud' | null;
  readonly flags: readonly string[];
}

export interface Serving {
  readonly ways: readonly Way[];
  readonly transport: LaunchPlan['transport'];
  readonly endpoint: string | null;
  readonly evidence: readonly Evidence[];
}

/** JSON is UTF-8, whatever the locale of the machine; Java 18 and later ask for the second. */
export const ALWAYS: readonly string[] = ['-Dfile.encoding=UTF-8', '-Dstdout.encoding=UTF-8'];

/** Banner and console log would stand between the frames on stdout. */
const SPRING_STDIO: readonly string[] = [
  '-Dspring.ai.mcp.server.stdio=true',
  '-Dspring.main.web-application-type=none',
  '-Dspring.main.banner-mode=off',
  '-Dlogging.pattern.console=',
];
/** The same for a program that died without a word: errors alone, so that it says why. */
const SPRING_ALOUD: readonly string[] = [
  ...SPRING_STDIO.slice(0, -1),
  '-Dlogging.pattern.console=%level %logger{0}: %msg%n%wEx',
  '-Dlogging.level.root=error',
];
const SPRING_HTTP: readonly string[] = ['-Dserver.port={port}', '-Dserver.address={host}'];
const QUARKUS_HTTP: readonly string[] = ['-Dquarkus.http.port={port}', '-Dquarkus.http.host={host}'];
const MICRONAUT_HTTP: readonly string[] = ['-Dmicronaut.server.port={port}', '-Dmicronaut.server.host={host}'];

/** `file` is the build file that names the dependencies. */
export function findServing(view: FileView, dir: string, file: string, dependencies: readonly string[]): Serving {
  const uses = (pattern: RegExp) => dependsOn(dependencies, pattern);
  if (uses(/^io\.quarkiverse\.mcp:quarkus-mcp-server/)) return quarkus(dependencies, file);
  if (uses(/^org\.springframework\.ai:.*mcp-server|^org\.springframework\.ai:spring-ai-mcp/)) {
    return springAi(view, dir, file, dependencies);
  }
  const flags = usualFlags(view, dir);
  const own: Way = { name: null, flags: flags.words };
  const more = { endpoint: null, evidence: flags.evidence };
  if (uses(/^io\.micronaut(\.\w+)*:micronaut-(mcp-server|http-server)/)) {
    const transport = (readProperties(view, dir).get('micronaut.mcp.server.transport') ?? '').toLowerCase();
    const http: Way = { name: 'http', flags: [...flags.words, ...MICRONAUT_HTTP] };
    return transport === 'stdio' || uses(/micronaut-mcp-server.*stdio/)
      ? { ...more, ways: [own], transport: 'stdio' }
      : { ...more, ways: [http], transport: 'auto' };
  }
  // An SDK of its own, perhaps inside a Spring program that also has a page: what it does without a word comes first.
  if (uses(/^org\.springframework\.boot:spring-boot-starter-(web|webflux|webmvc|jersey)$/)) {
    const http: Way = { name: 'http', flags: SPRING_HTTP };
    const asked: Way = { name: 'stdio', flags: flags.words };
    return { ...more, ways: flags.words.length > 0 ? [asked, http] : [http], transport: 'auto' };
  }
  if (uses(/^org\.springframework\.boot:spring-boot-starter/)) {
    const quiet: Way = { name: null, flags: merge(flags.words, SPRING_STDIO.slice(2)) };
    const aloud: Way = { name: 'aloud', flags: merge(SPRING_ALOUD.slice(2), flags.words) };
    return { ...more, ways: [quiet, aloud], transport: 'auto' };
  }
  return { ...more, ways: [own], transport: 'auto' };
}

function quarkus(dependencies: readonly string[], file: string): Serving {
  const uses = (pattern: RegExp) => dependsOn(dependencies, pattern);
  const overHttp = uses(/quarkus-mcp-server-(sse|http|websocket)$/);
  const evidence = (says: string): Evidence[] => [{ file, says }];
  if (uses(/quarkus-mcp-server-stdio$/)) {
    // Beside the pipe it may open a port that nobody asked for: any will do.
    const flags = overHttp ? ['-Dquarkus.http.port=0'] : [];
    return {
      ways: [{ name: 'stdio', flags }],
      transport: 'stdio',
      endpoint: null,
      evidence: evidence('has Quarkus’ stdio transport'),
    };
  }
  const ways: Way[] = [{ name: 'http', flags: QUARKUS_HTTP }];
  return { ways, transport: 'auto', endpoint: null, evidence: evidence('has Quarkus’ HTTP transport') };
}

function springAi(view: FileView, dir: string, file: string, dependencies: readonly string[]): Serving {
  const properties = readProperties(view, dir);
  const web =
    dependencies.find((each) => /mcp-(server-)?(webmvc|webflux)|mcp-server-(webmvc|webflux)/.test(each)) ?? null;
  const said = usualFlags(view, dir);
  const profile = profiles(view, dir).find((name) => /stdio/i.test(name));
  const own = [...(profile === undefined ? [] : [`-Dspring.profiles.active=${profile}`]), ...said.words];
  const stdio: Way = { name: 'stdio', flags: merge(own, SPRING_STDIO) };
  const aloud: Way = { name: 'aloud', flags: merge(SPRING_ALOUD, own) };
  const http: Way = { name: 'http', flags: SPRING_HTTP };
  const endpoint = endpointOf(properties);
  const evidence: Evidence[] = [...said.evidence];
  if (profile !== undefined) evidence.push({ file: join(dir, 'src/main/resources'), says: `has a profile ${profile}` });
  if (web === null) {
    // A web starter of its own may serve the protocol by hand; what the starter is made for comes first.
    const page =
      dependsOn(dependencies, /:spring-boot-starter-(web|webflux|webmvc)$/) && properties.get(STDIO) !== 'true';
    return {
      ways: page ? [stdio, http] : [stdio, aloud],
      transport: page ? 'auto' : 'stdio',
      endpoint: null,
      evidence,
    };
  }
  evidence.push({ file, says: `serves HTTP through ${web.slice(web.indexOf(':') + 1)}` });
  const asksForStdio =
    properties.get(STDIO) === 'true' ||
    properties.get('spring.main.web-application-type') === 'none' ||
    profile !== undefined ||
    said.words.some((word) => /stdio/i.test(word));
  return { ways: asksForStdio ? [stdio, http] : [http, stdio], transport: 'auto', endpoint, evidence };
}

const STDIO = 'spring.ai.mcp.server.stdio';

/** Where the starters serve, when the configuration moved it. */
function endpointOf(properties: ReturnType<typeof readProperties>): string | null {
  const get = (name: string) => {
    const value = properties.get(name);
    return value?.startsWith('/') ? value : undefined;
  };
  const context = get('server.servlet.context-path') ?? get('spring.webflux.base-path') ?? '';
  const prefix = `${context}${get('spring.ai.mcp.server.base-url') ?? ''}`.replace(/\/$/, '');
  const isStreamable = /streamable|stateless/i.test(properties.get('spring.ai.mcp.server.protocol') ?? '');
  const streamable =
    get('spring.ai.mcp.server.streamable-http.mcp-endpoint') ?? get('spring.ai.mcp.server.stateless.mcp-endpoint');
  const sse = get('spring.ai.mcp.server.sse-endpoint');
  if (isStreamable) return streamable === undefined && prefix === '' ? null : `${prefix}${streamable ?? '/mcp'}`;
  if (sse !== undefined && sse !== '/sse') return `${prefix}${sse}`;
  return prefix === '' ? null : `${prefix}${sse ?? '/sse'}`;
}

/** Words of both, the first ones winning where both set a property. */
function merge(first: readonly string[], second: readonly string[]): string[] {
  const key = (word: string) => word.replace(/=.*$/, '');
  const taken = new Set(first.map(key));
  return [...first, ...second.filter((word) => !taken.has(key(word)))];
}
