import type { IncomingMessage } from 'node:http';
import { BlockList, isIP, type Socket } from 'node:net';
import ipaddr from 'ipaddr.js';

declare module 'fastify' {
  interface FastifyRequest {
    /** Whoever sent it, as `ClientAddresses.of` says; null: the connection is gone already. */
    clientAddress: string | null;
  }
}

/** Found once for each connection: many requests come over one. */
export interface Peer {
  readonly address: string | null;
  readonly isTrusted: boolean;
}

/**
 * From where a request comes: the other end of its connection, or, where that is a proxy of ours, whom the proxy saw.
 *
 * Anybody can write an X-Forwarded-For; each proxy appends to it whom it saw. So it is read from its end, for as long as
 * the one that appended the entry is trusted, and nothing before that counts.
 */
export class ClientAddresses {
  private readonly trusted = new BlockList();
  private readonly peers = new WeakMap<Socket, Peer>();
  private readonly trustsSomebody: boolean;

  /** @param trusted addresses and CIDR ranges of the proxies, as `faultOfAddressRange` finds them right */
  constructor(trusted: readonly string[]) {
    this.trustsSomebody = trusted.length > 0;
    for (const range of trusted) {
      const [address = '', bits] = range.split('/');
      const family = familyOf(address);
      if (bits === undefined) this.trusted.addAddress(address, family);
      else this.trusted.addSubnet(address, Number(bits), family);
    }
  }

  /** @returns an IPv4 or IPv6 address in its shortest form; null when the connection has ended before anybody asked */
  of({ socket, headers }: IncomingMessage): string | null {
    const peer = this.peerOf(socket);
    const { 'x-forwarded-for': forwarded } = headers;
    if (peer.address === null || !peer.isTrusted || typeof forwarded !== 'string') return peer.address;
    return this.firstStranger(peer.address, forwarded);
  }

  /** The other end of a connection, and whether it is a proxy of ours. */
  peerOf(socket: Socket): Peer {
    let peer = this.peers.get(socket);
    if (peer === undefined) {
      const address = plainAddress(socket.remoteAddress ?? '');
      peer = { address, isTrusted: address !== null && this.isTrusted(address) };
      this.peers.set(socket, peer);
    }
    return peer;
  }

  /** Where an entry is no address, the proxy that wrote it is all that is known. */
  private firstStranger(peer: string, forwarded: string): string {
    let nearest = peer;
    for (let end = forwarded.length; end >= 0;) {
      const comma = end === 0 ? -1 : forwarded.lastIndexOf(',', end - 1);
      const address = plainAddress(withoutPort(forwarded.slice(comma + 1, end).trim()));
      if (address === null) return nearest;
      nearest = address;
      if (!this.isTrusted(address)) return nearest;
      end = comma;
    }
    return nearest;
  }

  private isTrusted(address: string): boolean {
    return this.trustsSomebody && this.trusted.check(address, familyOf(address));
  }
}

/** @returns what is wrong with the address or CIDR range of a proxy; null: nothing */
export function faultOfAddressRange(given: string): string | null {
  const [address = '', bits, ...more] = given.split('/');
  const version = isIP(address);
  if (version === 0 || address.includes('%') || more.length > 0) return 'is neither an IP address nor a CIDR range';
  const isMapped = version === 6 && plainAddress(address)?.includes('.') === true;
  if (isMapped) return 'must be written as the IPv4 address that it is';
  if (bits === undefined) return null;
  if (!/^\d{1,3}$/.test(bits) || Number(bits) > (version === 4 ? 32 : 128)) return 'is no CIDR range';
  return Number(bits) === 0 ? 'would let everybody choose where they come from' : null;
}

/** How many of the 128 bits of an IPv6 address name a network; whoever has one has all 2^64 addresses in it. */
const IPV6_NETWORK_GROUPS = 4;

/** @returns whom one and the same client can pass for: an IPv4 address alone, of IPv6 the whole /64 */
export function networkOf(address: string): string {
  if (!address.includes(':')) return address;
  const groups = ipaddr.IPv6.parse(address).parts.slice(0, IPV6_NETWORK_GROUPS);
  return `${groups.map((group) => group.toString(16)).join(':')}::/64`;
}

/** @returns the same text for the same address, IPv4 within IPv6 as IPv4; null: it is none */
function plainAddress(given: string): string | null {
  const version = isIP(given);
  if (version === 0) return null;
  if (version === 4) return given;
  const address = ipaddr.IPv6.parse(given.split('%', 1)[0] ?? '');
  return address.isIPv4MappedAddress() ? address.toIPv4Address().toString() : address.toRFC5952String();
}

/** Some proxies append the port: `192.0.2.1:5000`, `[2001:db8::1]:5000`. */
function withoutPort(entry: string): string {
  if (entry.startsWith('[')) return /^\[([^\]]*)\](?::\d{1,5})?$/.exec(entry)?.[1] ?? '';
  return entry.includes('.') ? entry.replace(/^([\d.]+):\d{1,5}$/, '$1') : entry;
}

function familyOf(address: string): 'ipv4' | 'ipv6' {
  return address.includes(':') ? 'ipv6' : 'ipv4';
}
