import type { Evidence, Refusal } from './plan.ts';

/** A manifest that can't be read or says something wrong: `where` is the file, with `:line` or a field when known. */
export const badManifest = (file: string, problem: string, hint?: string): Refusal => ({
  code: 'DETECT_BAD_MANIFEST',
  message: `${file}: ${problem}`,
  hint: hint ?? `Correct ${file}, or give the command with --command.`,
  evidence: [{ file, says: problem }],
});

export const notAServer = (message: string, evidence: readonly Evidence[], hint?: string): Refusal => ({
  code: 'DETECT_NOT_A_SERVER',
  message,
  hint: hint ?? 'Give the command with --command, or add an mcp-supervisor.yaml that names it.',
  evidence,
});

export const unsupported = (message: string, evidence: readonly Evidence[], hint?: string): Refusal => ({
  code: 'DETECT_UNSUPPORTED',
  message,
  hint: hint ?? 'Give the command with --command.',
  evidence,
});
