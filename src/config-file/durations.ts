const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, min: 60_000, h: 3_600_000, d: 86_400_000 };

/** `30s`, `5m`, `1.5h` in milliseconds; everything else as it is, for the check that follows. */
export function readDuration(value: unknown): unknown {
  if (typeof value !== 'string') return value;
  const [, number, unit = ''] = /^\s*(\d+(?:\.\d+)?)\s*(ms|s|m|min|h|d)\s*$/.exec(value) ?? [];
  return number === undefined ? value : Number(number) * (UNITS[unit] ?? 1);
}

const SIZES: Readonly<Record<string, number>> = { '': 1, k: 1024, m: 1024 ** 2, g: 1024 ** 3 };

/** `16M`, `512K`, `1GiB` in bytes; everything else as it is. */
export function readSize(value: unknown): unknown {
  if (typeof value !== 'string') return value;
  const [, number, unit = ''] = /^\s*(\d+(?:\.\d+)?)\s*([kmg]?)(?:i?b)?\s*$/i.exec(value) ?? [];
  return number === undefined ? value : Math.floor(Number(number) * (SIZES[unit.toLowerCase()] ?? 1));
}
