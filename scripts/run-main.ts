/** What was asked makes no sense. */
export class UsageError extends Error {}

/** Whether the arguments are wrong: by our rules or by those of node:util. */
export function isUsageError(error: unknown): boolean {
  const { code } = error as { readonly code?: unknown };
  return error instanceof UsageError || (typeof code === 'string' && code.startsWith('ERR_PARSE_ARGS'));
}

/**
 * Runs a script to its exit code: what `main` gives, 1 when it throws, 2 for wrong arguments, with the usage.
 * @param failed put before the message of what was thrown
 */
export async function runMain(main: () => Promise<number>, usage: string, failed = ''): Promise<void> {
  try {
    process.exitCode = await main();
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    const isUsage = isUsageError(error);
    console.error(isUsage ? `${message}\n\n${usage}` : `${failed}${message}`);
    process.exitCode = isUsage ? 2 : 1;
  }
}
