import { createServer, type AddressInfo, connect, type Server, type Socket } from 'node:net';

/** The line between a store and its centre. It can be cut, as by an excavator: what was on it is gone. */
export class Cable {
  private readonly ends = new Set<Socket>();
  private broken = false;

  private constructor(
    private readonly server: Server,
    private readonly target: URL,
  ) {
    server.on('connection', (socket) => {
      this.join(socket);
    });
  }

  static async to(target: string): Promise<Cable> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return new Cable(server, new URL(target));
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  get isCut(): boolean {
    return this.broken;
  }

  cut(): void {
    this.broken = true;
    for (const end of this.ends) end.destroy();
  }

  mend(): void {
    this.broken = false;
  }

  async close(): Promise<void> {
    this.cut();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private join(socket: Socket): void {
    if (this.broken) {
      socket.destroy();
      return;
    }
    const centre = connect(Number(this.target.port), this.target.hostname);
    for (const [one, other] of [
      [socket, centre],
      [centre, socket],
    ] as const) {
      this.ends.add(one);
      one.setNoDelay(true);
      one.pipe(other);
      one.on('error', () => other.destroy());
      one.on('close', () => {
        this.ends.delete(one);
        other.destroy();
      });
    }
  }
}
