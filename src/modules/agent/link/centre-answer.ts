/** A JSON object from outside. */
export type Members = Readonly<Record<string, unknown>>;

/** No answer, or none that says anything: the same call may succeed later. */
export class CentreAway extends Error {
  /** @param retryAfterMs how long the centre wants to be left alone; 0: it does not say */
  constructor(
    message: string,
    cause?: unknown,
    readonly retryAfterMs = 0,
  ) {
    super(message, { cause });
    this.name = 'CentreAway';
  }
}

/** The centre understood and said no: the same call will be refused again unless something changes. */
export class CentreRefused extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    readonly detail: string,
  ) {
    super(`The centre answered ${status} ${code}: ${detail}`);
    this.name = 'CentreRefused';
  }
}

/** 4xx that only mean "not now". */
const LATER: ReadonlySet<number> = new Set([408, 425, 429]);

/**
 * @throws CentreAway for what may pass: 5xx, 408, 425, 429, a body that is cut or no JSON object
 * @throws CentreRefused for every other status that is no success
 */
export async function answerOf(response: Response): Promise<Members> {
  const text = await response.text().catch((error: unknown) => {
    throw new CentreAway('The answer was cut', error);
  });
  if (response.ok) return membersOf(text);
  const { code, detail } = problemOf(text);
  if (response.status >= 500 || LATER.has(response.status)) {
    throw new CentreAway(`The centre answered ${response.status} ${code}`, undefined, retryAfterMsOf(response));
  }
  throw new CentreRefused(response.status, code, detail);
}

/** A centre that asks for more is asked again after this all the same. */
const RETRY_AFTER_MAX_SECONDS = 300;

function retryAfterMsOf({ headers }: Response): number {
  const seconds = Number(headers.get('retry-after'));
  return seconds > 0 ? Math.min(seconds, RETRY_AFTER_MAX_SECONDS) * 1000 : 0;
}

/** @throws CentreAway when it is no JSON object: something in between has answered */
export function membersOf(text: string): Members {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new CentreAway('The answer is no JSON', error);
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new CentreAway('The answer is no JSON object');
  }
  return value as Members;
}

/** Whatever of a problem document there is; a proxy may have answered with something else. */
function problemOf(text: string): { code: string; detail: string } {
  try {
    const { code, detail } = membersOf(text);
    return { code: typeof code === 'string' ? code : 'UNKNOWN', detail: typeof detail === 'string' ? detail : '' };
  } catch {
    return { code: 'UNKNOWN', detail: '' };
  }
}
