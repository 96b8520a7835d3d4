import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import type { Random } from './random.ts';

/** What happens to bytes on their way between a server and its database. */
export type Weather =
  | { readonly kind: 'clear' }
  /** Everything arrives, so much later. */
  | { readonly kind: 'slow'; readonly ms: number }
  /** One piece in so many breaks its connection, instead of arriving or after half of it. */
  | { readonly kind: 'resets' | 'halves'; readonly oneIn: number }
  /** Nothing arrives, either way, and nobody is told. Connections are still accepted, and as mute. */
  | { readonly kind: 'black hole' }
  /** What is asked arrives, what is answered does not. */
  | { readonly kind: 'answers vanish' };

/** A wire between a server and its database that gets bad and good again while both live. */
export class BadWire {
  private readonly server: Server;
  private readonly sockets = new Set<Socket>();
  /** The other ends of connections that ended while nothing got through. */
  private readonly orphans = new Set<Socket>();
  private weather: Weather = { kind: 'clear' };

  private constructor(
    private readonly target: URL,
    private readonly random: Random,
  ) {
    this.server = createServer((near) => {
      const far = connect(Number(this.target.port || '5432'), this.target.hostname);
      this.join(near, far, true);
      this.join(far, near, false);
    });
  }

  static async before(databaseUrl: string, random: Random): Promise<BadWire> {
    const wire = new BadWire(new URL(databaseUrl), random);
    await new Promise<void>((resolve) => wire.server.listen(0, '127.0.0.1', resolve));
    return wire;
  }

  /** The database behind the wire. */
  get url(): string {
    const url = new URL(this.target);
    url.hostname = '127.0.0.1';
    url.port = String((this.server.address() as AddressInfo).port);
    return url.href;
  }

  /** What a black hole has swallowed is gone for good: those connections have to be given up by those who use them. */
  turn(weather: Weather): void {
    this.weather = weather;
    if (weather.kind === 'black hole') return;
    for (const socket of this.orphans) socket.destroy();
    this.orphans.clear();
  }

  /** Of the server, as the wire sees them. */
  get connections(): number {
    return this.sockets.size / 2;
  }

  async close(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private join(from: Socket, to: Socket, isQuestion: boolean): void {
    this.sockets.add(from);
    from.setNoDelay(true);
    from.on('error', () => undefined);
    from.on('close', () => {
      this.sockets.delete(from);
      // Behind a black hole nobody hears of the end of the other, either.
      if (this.weather.kind === 'black hole') this.orphans.add(to);
      else to.destroy();
    });
    from.on('data', (bytes: Buffer) => {
      this.carry(bytes, from, to, isQuestion);
    });
  }

  private carry(bytes: Buffer, from: Socket, to: Socket, isQuestion: boolean): void {
    const { weather } = this;
    switch (weather.kind) {
      case 'clear':
        to.write(bytes);
        return;
      case 'slow':
        setTimeout(() => to.write(bytes), weather.ms);
        return;
      case 'answers vanish':
        if (isQuestion) to.write(bytes);
        return;
      case 'black hole':
        return;
      case 'resets':
      case 'halves':
        if (this.random.whole(1, weather.oneIn) > 1) {
          to.write(bytes);
          return;
        }
        if (weather.kind === 'resets') {
          from.resetAndDestroy();
          to.resetAndDestroy();
          return;
        }
        to.write(bytes.subarray(0, Math.ceil(bytes.length / 2)), () => {
          from.destroy();
          to.destroy();
        });
    }
  }
}
