import { Agent, type IncomingHttpHeaders, type OutgoingHttpHeaders, request } from 'node:http';
import { ApiContract } from './api-contract.ts';
import { rememberContractFault } from './contract-faults.ts';

export interface Answer<Body = unknown> {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  /** The parsed JSON; undefined when the answer has no body or is something else. */
  readonly body: Body;
}

export interface SendOptions {
  readonly headers?: OutgoingHttpHeaders;
  /** The Idempotency-Key. A POST gets one of its own unless told otherwise; null sends none. */
  readonly key?: string | null;
}

/** What is sent as it is, byte for byte, instead of a value that becomes JSON. */
export class RawBody {
  constructor(
    readonly bytes: string | Buffer,
    /** null: no content type at all */
    readonly contentType: string | null = 'application/json',
    /** True: no Content-Length is announced. */
    readonly chunked = false,
  ) {}
}

/** RFC 9457, with the members that every error here has; `more` are those of the code's own. */
export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly instance: string;
  readonly code: string;
  readonly correlationId: string;
  readonly [more: string]: unknown;
}

let keysGiven = 0;

/** An Idempotency-Key that no other request of this test process has. */
export function freshKey(): string {
  keysGiven += 1;
  return `key-${process.pid}-${keysGiven}`;
}

let committed: ApiContract | undefined;

/** The committed OpenAPI document, read when the first answer arrives. */
function committedContract(): ApiContract {
  committed ??= ApiContract.committed();
  return committed;
}

/**
 * The server seen from outside. An answer of any status is given back, not thrown; but it has to be as the OpenAPI
 * document says.
 */
export class Api {
  private readonly agent: Agent;

  /** @param contract what the answers have to be like; null for a server that is not the documented one */
  constructor(
    readonly url: string,
    private readonly connectionsMax = 64,
    private readonly contract: (() => ApiContract) | null = committedContract,
    /** Sent with every request that says nothing else, e.g. a key. */
    private readonly ownHeaders: OutgoingHttpHeaders = {},
  ) {
    this.agent = new Agent({ keepAlive: true, maxSockets: connectionsMax });
  }

  /** The same server, asked by somebody else. It has connections of its own. */
  as(headers: OutgoingHttpHeaders): Api {
    return new Api(this.url, this.connectionsMax, this.contract, headers);
  }

  get<Body>(path: string, headers: OutgoingHttpHeaders = {}): Promise<Answer<Body>> {
    return this.send<Body>('GET', path, undefined, { headers });
  }

  put<Body>(path: string, body: unknown, options: SendOptions = {}): Promise<Answer<Body>> {
    return this.send<Body>('PUT', path, body, options);
  }

  post<Body>(path: string, body?: unknown, options: SendOptions = {}): Promise<Answer<Body>> {
    return this.send<Body>('POST', path, body, { key: freshKey(), ...options });
  }

  /** @throws Error of the connection, when there is no answer; and when the answer is not as documented */
  send<Body>(method: string, path: string, body?: unknown, options: SendOptions = {}): Promise<Answer<Body>> {
    const asked = body instanceof RawBody ? undefined : body;
    const raw = body === undefined || body instanceof RawBody ? body : new RawBody(JSON.stringify(body));
    const headers: OutgoingHttpHeaders = { ...this.ownHeaders };
    if (raw?.contentType != null) headers['content-type'] = raw.contentType;
    if (raw !== undefined && !raw.chunked) headers['content-length'] = Buffer.byteLength(raw.bytes);
    if (options.key != null) headers['idempotency-key'] = options.key;
    Object.assign(headers, options.headers);

    return new Promise((resolve, reject) => {
      const { hostname, port } = new URL(this.url);
      const outgoing = request({ hostname, port, method, path, headers, agent: this.agent }, (incoming) => {
        const chunks: Buffer[] = [];
        incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
        incoming.on('error', reject);
        incoming.on('end', () => {
          const text = Buffer.concat(chunks).toString('utf8');
          const { statusCode: status = 0, headers: answered } = incoming;
          const faults = this.contract?.().faultsOf({ method, path, status, headers: answered, text, asked }) ?? [];
          if (faults.length === 0) {
            resolve({ status, headers: answered, text, body: parseBody(answered, text) as Body });
            return;
          }
          const fault = `${method} ${path} is not as documented: ${faults.join('; ')}\n${text.slice(0, 600)}`;
          rememberContractFault(fault);
          reject(new Error(fault));
        });
      });
      outgoing.on('error', reject);
      outgoing.end(raw?.bytes);
    });
  }

  close(): void {
    this.agent.destroy();
  }
}

function parseBody(headers: IncomingHttpHeaders, text: string): unknown {
  const isJson = /^application\/(problem\+)?json\b/.test(headers['content-type'] ?? '');
  return isJson && text !== '' ? JSON.parse(text) : undefined;
}

/** What is wrong with an answer as a problem document of this code; an empty list when nothing is. */
export function faultsOfProblem(answer: Answer, status: number, code: string): string[] {
  const faults: string[] = [];
  const expect = (holds: boolean, what: string) => {
    if (!holds) faults.push(what);
  };
  const problem = (answer.body ?? {}) as Partial<Problem>;
  expect(answer.status === status, `status ${answer.status} instead of ${status}`);
  expect(problem.code === code, `code ${problem.code} instead of ${code}`);
  expect(
    /^application\/problem\+json(;|$)/.test(answer.headers['content-type'] ?? ''),
    `content type ${answer.headers['content-type'] ?? 'missing'}`,
  );
  expect(problem.status === answer.status, `member status ${problem.status}`);
  expect(typeof problem.type === 'string' && problem.type.startsWith('/'), `type ${problem.type} is no URL path`);
  for (const member of ['title', 'detail', 'instance'] as const) {
    expect(typeof problem[member] === 'string' && problem[member] !== '', `${member} is missing`);
  }
  expect(
    typeof problem.correlationId === 'string' && problem.correlationId === answer.headers['x-correlation-id'],
    `correlationId ${problem.correlationId} but header ${String(answer.headers['x-correlation-id'])}`,
  );
  expect(!LEAKS.test(answer.text), 'it leaks something of the inside');
  return faults.length === 0 ? faults : [...faults, answer.text.slice(0, 600)];
}

/** Stacks, SQL and drivers' words never leave the server (DESIGN section 4). */
const LEAKS = /node_modules|\.[jt]s:\d+|SELECT |INSERT INTO|UPDATE .* SET|SQLITE_|QueryFailed|better-sqlite3|TypeError/;

/**
 * The answer's problem document, checked to be whole.
 * @throws Error listing everything wrong when the answer is not this problem
 */
export function problemOf(answer: Answer, status: number, code: string): Problem {
  const faults = faultsOfProblem(answer, status, code);
  if (faults.length > 0) throw new Error(`Not a ${status} ${code}:\n${faults.join('\n')}`);
  return answer.body as Problem;
}
