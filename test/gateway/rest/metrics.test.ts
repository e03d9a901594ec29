import { describe, expect, it } from 'vitest';
import { puppet } from '../../reliability/stage.ts';
import { createGatewayStage } from '../gateway-stage.ts';

/** The text format 0.0.4, read strictly: each sample belongs to the family announced last. */
function parse(text: string) {
  const samples = new Map<string, number>();
  const types = new Map<string, string>();
  let family = '';
  expect(text.endsWith('\n')).toBe(true);
  for (const line of text.slice(0, -1).split('\n')) {
    const help = /^# HELP ([a-z_]+) \S.*$/.exec(line);
    const type = /^# TYPE ([a-z_]+) (counter|gauge|histogram)$/.exec(line);
    const sample = /^([a-z_]+)((?:\{(?:[a-z_]+="(?:[^"\\\n]|\\[\\"n])*",?)+\})?) (\S+)$/.exec(line);
    if (help?.[1] !== undefined) family = help[1];
    else if (type !== null) {
      expect(type[1]).toBe(family);
      expect(types.has(family)).toBe(false);
      types.set(family, type[2] ?? '');
    } else {
      expect(sample, line).not.toBeNull();
      const [, name = '', labels = '', value] = sample ?? [];
      expect(name.replace(types.get(family) === 'histogram' ? /_(bucket|sum|count)$/ : /$^/, '')).toBe(family);
      expect(Number.isFinite(Number(value)), line).toBe(true);
      expect(samples.has(name + labels), line).toBe(false);
      samples.set(name + labels, Number(value));
    }
  }
  return { samples, types };
}

describe('/metrics', () => {
  it('are counters, states and a cumulative histogram that a parser of the format takes', async () => {
    await using stage = await createGatewayStage({ p: puppet() });
    for (const message of ['a', 'b', 'c']) await stage.post('/plugins/p', { tool: 'echo', arguments: { message } });
    await stage.post('/plugins/p?timeout=10ms', { tool: 'never' });
    await stage.get('/nowhere');
    const response = await stage.get('/metrics');
    expect(response.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
    const { samples, types } = parse(await response.text());
    const value = (name: string) => samples.get(name);
    expect(value('mcp_supervisor_calls_total{plugin="p",outcome="ok",code=""}')).toBe(3);
    expect(value('mcp_supervisor_calls_total{plugin="p",outcome="failed",code="CALL_TIMEOUT"}')).toBe(1);
    const states = ['absent', 'ready', 'idle'].map((state) =>
      value(`mcp_supervisor_plugin_state{plugin="p",state="${state}"}`),
    );
    expect(states).toEqual([0, 1, 0]);
    expect(value('mcp_supervisor_starts_total{plugin="p"}')).toBe(1);
    expect(value('mcp_supervisor_http_requests_total{route="/plugins/:name",status="200"}')).toBe(3);
    expect(value('mcp_supervisor_http_requests_total{route="/plugins/:name",status="504"}')).toBe(1);
    expect(value('mcp_supervisor_http_requests_total{route="none",status="404"}')).toBe(1);
    expect(value('mcp_supervisor_http_requests_in_flight')).toBe(1);
    expect(value('process_resident_memory_bytes')).toBeGreaterThan(1e6);
    expect(types.get('mcp_supervisor_call_duration_seconds')).toBe('histogram');
    const buckets = [...samples].filter(([name]) => name.startsWith('mcp_supervisor_call_duration_seconds_bucket'));
    const counts = buckets.map(([, count]) => count);
    expect(counts).toEqual([...counts].sort((a, b) => a - b));
    expect(buckets.at(-1)).toEqual(['mcp_supervisor_call_duration_seconds_bucket{plugin="p",le="+Inf"}', 3]);
    expect(value('mcp_supervisor_call_duration_seconds_count{plugin="p"}')).toBe(3);
  });

  it('are one plugin’s alone below its address, and hide what a profile hides', async () => {
    const token = 'a-token-that-nobody-guesses';
    const options = {
      auth: 'always',
      tokens: [{ token, profile: 'part' }],
      profiles: { part: { plugins: ['q'] } },
    } as const;
    await using stage = await createGatewayStage({ p: puppet(), q: puppet() }, options);
    const headers = { authorization: `Bearer ${token}` };
    const of = async (path: string) => (await stage.get(path, { headers })).text();
    const all = await of('/metrics');
    expect(all).toContain('plugin="q"');
    expect(all).not.toContain('plugin="p"');
    expect(all).not.toContain('process_');
    expect(await of('/plugins/q/metrics')).toContain('mcp_supervisor_starts_total{plugin="q"} 0');
    expect((await stage.get('/plugins/p/metrics', { headers })).status).toBe(404);
  });
});
