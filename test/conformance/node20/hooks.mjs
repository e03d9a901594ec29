const shim = new URL('./fs-shim.mjs', import.meta.url).href;

export async function resolve(specifier, context, next) {
  const isFs = specifier === 'fs' || specifier === 'node:fs';
  if (isFs && context.parentURL?.includes('/conformance/dist/')) return { url: shim, shortCircuit: true };
  return next(specifier, context);
}
