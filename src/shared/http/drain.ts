import type { Server } from 'node:http';
import type { Socket } from 'node:net';

/** How often connections that have become idle are looked for, in milliseconds. */
const IDLE_CHECK_MS = 20;

const openSockets = new WeakMap<Server, Set<Socket>>();

/** Has to be called before the server listens, for `drainHttp` to know its connections. */
export function followConnections(server: Server): void {
  const sockets = new Set<Socket>();
  openSockets.set(server, sockets);
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
}

/**
 * Stops accepting and lets what is in flight finish: requests that have arrived are answered, idle connections are closed
 * at once, the others as soon as they have become idle.
 * @param maxMs after this, connections are closed under whatever is still going on
 * @returns whether everything could finish
 */
export function drainHttp(server: Server, maxMs: number): Promise<boolean> {
  return new Promise((resolve) => {
    let complete = true;
    const idleCheck = setInterval(() => closeIdle(server), IDLE_CHECK_MS);
    const deadline = setTimeout(() => {
      complete = false;
      server.closeAllConnections();
    }, maxMs);
    server.close(() => {
      clearInterval(idleCheck);
      clearTimeout(deadline);
      resolve(complete);
    });
    closeIdle(server);
  });
}

/** Node does not count a connection as idle that has not sent a byte yet; browsers and balancers open some ahead. */
function closeIdle(server: Server): void {
  server.closeIdleConnections();
  for (const socket of openSockets.get(server) ?? []) {
    if (socket.bytesRead === 0) {
      socket.destroy();
    }
  }
}
