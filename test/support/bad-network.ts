import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';

/** What becomes of one request on its way. */
export type Fate =
  | {
      readonly kind:
        'arrives' | 'is lost' | 'is answered, and the answer is lost' | 'arrives twice' | 'is answered by half';
    }
  /** The caller has given up, and then it arrives: behind what was sent later. */
  | { readonly kind: 'arrives late' | 'is slow'; readonly ms: number };

const ARRIVES: Fate = { kind: 'arrives' };

/** A request that was answered. */
export interface Exchange {
  readonly method: string;
  readonly path: string;
  readonly asked: unknown;
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly text: string;
}

interface Answer {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly body: Buffer;
}

/** Stands between a store and its centre, and treats each request as its fate says; without fates left, all arrive. */
export class BadNetwork {
  private readonly fates: Fate[] = [];
  private readonly sockets = new Set<Socket>();
  private readonly onTheirWay = new Set<Promise<unknown>>();
  private readonly server: Server;
  /** Told of every exchange. */
  onExchange: (exchange: Exchange) => void = () => undefined;
  private isCut = false;

  private constructor(private readonly target: URL) {
    this.server = createServer((incoming, outgoing) => {
      const work = this.carry(incoming, outgoing)
        .catch(() => outgoing.destroy())
        .finally(() => this.onTheirWay.delete(work));
      this.onTheirWay.add(work);
    });
    this.server.on('connection', (socket) => {
      this.sockets.add(socket);
      socket.on('close', () => this.sockets.delete(socket));
    });
  }

  static async before(target: string): Promise<BadNetwork> {
    const network = new BadNetwork(new URL(target));
    await new Promise<void>((resolve) => network.server.listen(0, '127.0.0.1', resolve));
    return network;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  /** Of the next requests, in the order in which they come. */
  expect(fates: readonly Fate[]): void {
    this.fates.push(...fates);
  }

  /** From now on everything arrives, once. Resolves when nothing old is on its way any more. */
  async heal(): Promise<void> {
    this.fates.length = 0;
    this.isCut = false;
    await Promise.race([Promise.allSettled(this.onTheirWay), pause(200)]);
  }

  /** Nothing gets through until it heals. */
  cut(): void {
    this.isCut = true;
    for (const socket of this.sockets) socket.destroy();
  }

  async close(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private async carry(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of incoming) chunks.push(chunk as Buffer);
    const body = Buffer.concat(chunks);
    const fate = this.isCut ? { kind: 'is lost' as const } : (this.fates.shift() ?? ARRIVES);
    switch (fate.kind) {
      case 'is lost':
        outgoing.destroy();
        return;
      case 'arrives late':
        outgoing.destroy();
        await pause(fate.ms);
        await this.forward(incoming, body);
        return;
      case 'is answered, and the answer is lost':
        await this.forward(incoming, body);
        outgoing.destroy();
        return;
      case 'arrives twice':
        await this.forward(incoming, body);
        break;
      case 'is slow':
        await pause(fate.ms);
        break;
      case 'arrives':
        break;
      case 'is answered by half':
        await this.answerByHalf(await this.forward(incoming, body), outgoing);
        return;
    }
    const answer = await this.forward(incoming, body);
    this.tell(incoming, body, answer);
    outgoing.writeHead(answer.status, answer.headers);
    outgoing.end(answer.body);
  }

  private tell({ method = '', url: path = '' }: IncomingMessage, body: Buffer, answer: Answer): void {
    const asked: unknown = body.length === 0 ? undefined : JSON.parse(body.toString('utf8'));
    const { status, headers } = answer;
    this.onExchange({ method, path, asked, status, headers, text: answer.body.toString('utf8') });
  }

  private async answerByHalf({ status, headers, body }: Answer, outgoing: ServerResponse): Promise<void> {
    const { 'content-length': _length, ...others } = headers;
    outgoing.writeHead(status, others);
    const half = body.subarray(0, Math.floor(body.length / 2));
    await new Promise<void>((resolve) => outgoing.write(half, () => resolve()));
    outgoing.destroy();
  }

  private forward({ method, url, headers }: IncomingMessage, body: Buffer): Promise<Answer> {
    const { hostname, port } = this.target;
    return new Promise((resolve, reject) => {
      const outgoing = request({ hostname, port, method, path: url, headers, agent: false }, (incoming) => {
        const chunks: Buffer[] = [];
        incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
        incoming.on('error', reject);
        incoming.on('end', () => {
          const { 'transfer-encoding': _encoding, connection: _connection, ...rest } = incoming.headers;
          resolve({ status: incoming.statusCode ?? 0, headers: rest, body: Buffer.concat(chunks) });
        });
      });
      outgoing.on('error', reject);
      outgoing.end(body);
    });
  }
}
