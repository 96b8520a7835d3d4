import { connect, type Socket } from 'node:net';

export interface RawAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string;
}

const RAW_MAX_MS = 25_000;

/** A bare TCP connection, for what no HTTP client would send. */
export class RawConnection {
  private bytes = Buffer.alloc(0);
  private ended = false;
  private listeners: (() => void)[] = [];

  private constructor(private readonly socket: Socket) {
    socket.on('data', (chunk: Buffer) => {
      this.bytes = Buffer.concat([this.bytes, chunk]);
      this.wake();
    });
    // A server that closes while we still write makes the write fail; what it said before that counts.
    socket.on('error', () => undefined);
    socket.on('close', () => {
      this.ended = true;
      this.wake();
    });
  }

  static open(url: string): Promise<RawConnection> {
    const { hostname, port } = new URL(url);
    return new Promise((resolve, reject) => {
      const socket = connect(Number(port), hostname, () => resolve(new RawConnection(socket)));
      socket.once('error', reject);
    });
  }

  write(bytes: string | Buffer): void {
    this.socket.write(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes);
  }

  /** The next whole answer. @throws Error when the connection ends or the deadline passes before there is one */
  async answer(): Promise<RawAnswer> {
    return this.until(() => {
      const answer = takeAnswer(this.bytes, this.ended);
      if (answer === undefined) return undefined;
      this.bytes = this.bytes.subarray(answer.bytes);
      return answer;
    });
  }

  /** Waits until these bytes have come; they stay to be read. @throws Error as answer() */
  async received(text: string): Promise<true> {
    return this.until(() => (this.bytes.includes(text) ? true : undefined));
  }

  /** Everything received until the server closed the connection. */
  async rest(): Promise<string> {
    return this.until(() => (this.ended ? this.bytes.toString('utf8') : undefined));
  }

  close(): void {
    this.socket.destroy();
  }

  private wake(): void {
    for (const listener of this.listeners.splice(0)) listener();
  }

  private until<T>(probe: () => T | undefined): Promise<T> {
    return new Promise((resolve, reject) => {
      const seen = () => JSON.stringify(this.bytes.toString('latin1').slice(0, 300));
      const deadline = setTimeout(() => reject(new Error(`No answer in time; received ${seen()}`)), RAW_MAX_MS);
      const settle = (then: () => void) => {
        clearTimeout(deadline);
        then();
      };
      const check = () => {
        const found = probe();
        if (found !== undefined) settle(() => resolve(found));
        else if (this.ended) settle(() => reject(new Error(`Closed without an answer; received ${seen()}`)));
        else this.listeners.push(check);
      };
      check();
    });
  }
}

/** One connection, these bytes, the first answer. */
export async function sendRaw(url: string, bytes: string | Buffer): Promise<RawAnswer> {
  const connection = await RawConnection.open(url);
  try {
    connection.write(bytes);
    return await connection.answer();
  } finally {
    connection.close();
  }
}

function takeAnswer(received: Buffer, ended: boolean): (RawAnswer & { bytes: number }) | undefined {
  const headEnd = received.indexOf('\r\n\r\n');
  if (headEnd < 0) return undefined;
  const [statusLine = '', ...lines] = received.subarray(0, headEnd).toString('latin1').split('\r\n');
  const headers: Record<string, string> = {};
  for (const line of lines) {
    const colon = line.indexOf(':');
    headers[line.slice(0, colon).toLowerCase()] = line.slice(colon + 1).trim();
  }
  const status = Number(/^HTTP\/1\.[01] (\d{3})/.exec(statusLine)?.[1] ?? 0);
  const bodyStart = headEnd + 4;
  // An interim answer (100 Continue) is no answer.
  if (status >= 100 && status < 200) {
    const next = takeAnswer(received.subarray(bodyStart), ended);
    return next && { ...next, bytes: next.bytes + bodyStart };
  }
  const length = headers['content-length'];
  if (length === undefined && !ended && status !== 304 && status !== 204) return undefined;
  const bodyEnd = length === undefined ? received.length : bodyStart + Number(length);
  if (received.length < bodyEnd) return undefined;
  return { status, headers, text: received.subarray(bodyStart, bodyEnd).toString('utf8'), bytes: bodyEnd };
}
