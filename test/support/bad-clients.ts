import { connect, type Socket } from 'node:net';
import { setInterval } from 'node:timers';

/** As many as are opened at once: the system's queue of those that were not accepted yet is short. */
const OPENED_AT_ONCE = 200;

/** One end of a connection, and what has come of it. */
export class Client {
  received = '';
  isClosed = false;
  private timer: NodeJS.Timeout | undefined;

  private constructor(private readonly socket: Socket) {
    socket.on('data', (bytes: Buffer) => (this.received += bytes.toString('latin1')));
    socket.on('error', () => undefined);
    socket.on('close', () => {
      this.isClosed = true;
      clearInterval(this.timer);
    });
  }

  static open(port: string): Promise<Client> {
    return new Promise((resolve) => {
      const socket = connect(Number(port), '127.0.0.1');
      const client = new Client(socket);
      socket.once('connect', () => {
        resolve(client);
      });
      socket.once('close', () => {
        resolve(client);
      });
    });
  }

  /** @param greet sends what each says as soon as it is there */
  static async openMany(
    port: string,
    count: number,
    greet: (client: Client, index: number) => void = () => undefined,
  ): Promise<Client[]> {
    const clients: Client[] = [];
    while (clients.length < count) {
      const next = Math.min(OPENED_AT_ONCE, count - clients.length);
      const opened = await Promise.all(Array.from({ length: next }, () => Client.open(port)));
      opened.forEach((client, i) => {
        greet(client, clients.length + i);
      });
      clients.push(...opened);
    }
    return clients;
  }

  send(text: string): void {
    this.socket.write(text);
  }

  /** @param text goes out a byte a second */
  drip(text: string): void {
    let next = 0;
    this.timer = setInterval(() => {
      if (next < text.length) this.socket.write(text.charAt(next));
      next += 1;
    }, 1_000);
  }

  close(): void {
    this.socket.destroy();
  }
}
