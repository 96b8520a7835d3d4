import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import type { Metrics } from '../operations/metrics.ts';
import type { Settings } from '../settings.ts';
import { type ClientAddresses, networkOf } from './client-address.ts';

/**
 * Closes connections past a number, in all and from one address, before a byte of them is read: each costs memory and a
 * file of the system, whatever is sent over it. Through a proxy come the connections of everybody.
 */
export function capConnections(
  server: Server,
  addresses: ClientAddresses,
  metrics: Metrics,
  { connectionsMax, connectionsPerAddressMax }: Settings,
): void {
  const open = new Map<string, number>();
  server.maxConnections = connectionsMax;
  server.on('drop', () => {
    metrics.countRefusedConnection('all');
  });
  server.on('connection', (socket: Socket) => {
    const { address, isTrusted } = addresses.peerOf(socket);
    if (address === null || isTrusted) return;
    const network = networkOf(address);
    const others = open.get(network) ?? 0;
    if (others >= connectionsPerAddressMax) {
      metrics.countRefusedConnection('address');
      socket.destroy();
      return;
    }
    open.set(network, others + 1);
    socket.once('close', () => {
      const left = (open.get(network) ?? 1) - 1;
      if (left === 0) open.delete(network);
      else open.set(network, left);
    });
  });
}
