import type { Chance } from '../chance.ts';
import type { Coverage } from '../coverage.ts';
import type { Server } from '../world/server.ts';
import type { Stage } from './stage.ts';
import { type Climate, MESSAGE_FATES, type MessageFate } from './story.ts';

/** A call of a server, made when the message arrives there. */
export type Call<R> = (server: Server) => Promise<R>;

/** Between those who ask and the servers: it loses, repeats and delays. */
export class Network {
  /** A calm one delivers everything at once. */
  isCalm = false;
  private late: (() => Promise<unknown>)[] = [];

  constructor(
    private readonly stage: Stage,
    private readonly shares: Climate['network'],
    private readonly coverage: Coverage,
  ) {}

  /** @returns what the sender is told; undefined: nothing */
  async send<R>(chance: Chance, call: Call<R>): Promise<R | undefined> {
    const fate = this.fateOf(chance);
    this.coverage.count(`message: ${fate}`);
    switch (fate) {
      case 'arrives':
        return this.deliver(chance, call);
      case 'request lost':
        return undefined;
      case 'reply lost':
        await this.deliver(chance, call);
        return undefined;
      case 'twice': {
        const [first] = await Promise.all([this.deliver(chance, call), this.deliver(chance, call)]);
        return first;
      }
      case 'late':
        this.late.push(() => this.deliver(chance, call));
        return undefined;
    }
  }

  /** Some of the messages that were held up arrive now. @param share of them, from 0 to 1 */
  arrivals(chance: Chance, share: number): Promise<unknown>[] {
    const arrived = this.late.filter(() => chance.happens(share));
    this.late = this.late.filter((message) => !arrived.includes(message));
    return arrived.map((message) => message());
  }

  private async deliver<R>(chance: Chance, call: Call<R>): Promise<R | undefined> {
    await this.stage.turn();
    const server = this.stage.server(chance);
    return server === undefined ? undefined : call(server);
  }

  private fateOf(chance: Chance): MessageFate {
    if (this.isCalm) return 'arrives';
    const at = chance.fraction();
    let reached = 0;
    for (const fate of MESSAGE_FATES) {
      if (fate === 'arrives') continue;
      reached += this.shares[fate];
      if (at < reached) return fate;
    }
    return 'arrives';
  }
}
