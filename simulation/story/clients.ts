import type { Sending } from '../model/asks.ts';
import { castSending } from '../model/cast.ts';
import type { Seen } from '../model/explain.ts';
import type { Outcome, Sent } from '../model/requests.ts';
import type { World } from '../model/world.ts';
import type { Chance } from '../chance.ts';
import type { Coverage } from '../coverage.ts';
import type { Network } from './network.ts';
import type { Telling } from './telling.ts';

/** Shoppers, tills of the centre, operators: whoever asks and wants an answer. */
export class Clients {
  /** What the servers answered, whether or not it arrived, in the order in which they did. */
  seen: Seen[] = [];
  private readonly keyed: Sent[] = [];
  private readonly open = new Map<string, Sent>();

  constructor(
    private readonly telling: Telling,
    private readonly network: Network,
    private readonly coverage: Coverage,
  ) {}

  /** How many have no answer yet. */
  get waiting(): number {
    return this.open.size;
  }

  async ask(chance: Chance, sending: Sending, world: World): Promise<void> {
    const name = this.telling.nextName('request');
    const sent = castSending(sending, name, world, this.telling.now, this.keyed);
    if (sending.send === 'new' && sent.key !== null) this.keyed.push(sent);
    if (sending.send !== 'new') this.coverage.count(`sent: ${sending.send}`);
    await this.send(chance, sent);
  }

  /** Asks as long as it takes. */
  async askAgain(chance: Chance, which: number): Promise<void> {
    const waiting = [...this.open.values()];
    const sent = waiting[which % Math.max(1, waiting.length)];
    if (sent === undefined) return;
    this.coverage.count('sent: again for want of an answer');
    await this.send(chance, sent);
  }

  async send(chance: Chance, { request, key }: Omit<Sent, 'correlationId'>): Promise<void> {
    const outcome = await this.network.send(chance, async (server): Promise<Outcome> => {
      // Each message has a name of its own, also when the network has made two of one.
      const sent = { request, key, correlationId: this.telling.nextName('message') };
      this.coverage.count(`asked: ${request.kind}`);
      const came = await server.send(sent);
      this.seen.push({ sent, outcome: came });
      this.telling.note(`${sent.correlationId} ${key ?? ''} ${JSON.stringify(request)} -> ${JSON.stringify(came)}`);
      this.coverage.count(came.kind === 'refusal' ? `refused: ${came.code}` : `came to: ${came.kind}`);
      if (came.kind === 'answer' && came.replayed) this.coverage.count('came to: answer, replayed');
      return came;
    });
    if (key === null) return;
    if (outcome === undefined || outcome.kind === 'unavailable')
      this.open.set(key, { request, key, correlationId: '' });
    else this.open.delete(key);
  }
}
