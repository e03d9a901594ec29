import { networkInterfaces } from 'node:os';

/** Where one that listens on every address can be reached: what a person can paste into a browser. */
export function reachableAt(url: string): readonly string[] {
  const { hostname, port } = new URL(url);
  if (hostname !== '0.0.0.0' && hostname !== '[::]') return [url];
  const outside = Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .filter(({ family, internal }) => family === 'IPv4' && !internal);
  return ['127.0.0.1', ...outside.map(({ address }) => address)].map((address) => `http://${address}:${port}`);
}
