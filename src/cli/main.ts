#!/usr/bin/env node
// As little as possible: --version costs a bare node, everything else loads what it needs.
const [first] = process.argv.slice(2);
if (first === '--version' || first === '-V') {
  const { packageVersion } = await import('./version.ts');
  console.log(packageVersion());
} else {
  const { runProgram } = await import('./program.ts');
  await runProgram(process.argv.slice(2));
}
