import { describe, expect, it } from 'vitest';
import { jobEnv, pluginEnv } from '../../actors/env.ts';
import { createSecrets } from '../../src/credential.ts';
import { plan } from './process-harness.ts';

const programs = { java: '/opt/jdk-21/bin/java' };
type Env = Readonly<Record<string, string>>;

const job = (callerEnv: Env, tools: Env = programs) => jobEnv({ callerEnv }, { path: [], programs: tools });
const plugin = (callerEnv: Env, envPolicy: 'minimal' | 'inherit' = 'minimal', env: Env = {}) =>
  pluginEnv(
    { callerEnv },
    {
      plugin: 'p',
      spec: { env: createSecrets(env), envPolicy },
      environment: { plan, path: [], programs },
      extra: {},
    },
  );

describe('where Java is', () => {
  it('is the plan’s one, for builds and for the plugin, whatever the caller’s shell says', () => {
    const callerEnv = { JAVA_HOME: '/opt/jdk-8' };
    expect(job(callerEnv).JAVA_HOME).toBe('/opt/jdk-21');
    expect(plugin(callerEnv).JAVA_HOME).toBe('/opt/jdk-21');
    expect(plugin(callerEnv, 'inherit').JAVA_HOME).toBe('/opt/jdk-21');
    expect(plugin(callerEnv, 'minimal', { JAVA_HOME: '/opt/mine' }).JAVA_HOME).toBe('/opt/mine');
  });

  it('is left to the caller where the plan needs no Java', () => {
    expect(job({ JAVA_HOME: '/opt/jdk-8' }, { node: '/usr/bin/node' }).JAVA_HOME).toBe('/opt/jdk-8');
  });
});

describe('the way through a proxy', () => {
  const PROXY = { HTTPS_PROXY: 'http://proxy.corp.example:3128', no_proxy: 'localhost,.corp.example,10.0.0.1:80' };
  const WORDS =
    '-Dhttps.proxyHost=proxy.corp.example -Dhttps.proxyPort=3128 -Dhttp.nonProxyHosts=localhost|127.*|[::1]|localhost|*.corp.example|10.0.0.1';

  it('is said in Java’s words to builds and to the plugin', () => {
    expect(job(PROXY).JAVA_TOOL_OPTIONS).toBe(WORDS);
    expect(plugin(PROXY).JAVA_TOOL_OPTIONS).toBe(WORDS);
    expect(job(PROXY, {}).JAVA_TOOL_OPTIONS).toBeUndefined();
  });

  it('is left as it is where the caller has said it to Java', () => {
    const own = '-javaagent:spy.jar -Dhttps.proxyHost=a -Dhttps.proxyPort=1 -Djavax.net.ssl.trustStore=/etc/corp.jks';
    expect(job({ ...PROXY, JAVA_TOOL_OPTIONS: own }).JAVA_TOOL_OPTIONS).toBe(own);
    expect(plugin({ ...PROXY, JAVA_TOOL_OPTIONS: own }).JAVA_TOOL_OPTIONS, 'no agents of the caller’s').toBe(
      '-Dhttps.proxyHost=a -Dhttps.proxyPort=1 -Djavax.net.ssl.trustStore=/etc/corp.jks',
    );
  });

  it('never shows a login: every JVM prints these words', () => {
    expect(job({ HTTPS_PROXY: 'http://me:secret@proxy.corp.example:3128' }).JAVA_TOOL_OPTIONS).toBeUndefined();
  });
});
