import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { type Answer, ApiClient, type ApiRequest, NO_ANSWER, worldWithKey } from '../replay/api-client.ts';
import { Cable } from './cable.ts';
import { Program } from './program.ts';

export const STORES = ['S1', 'S2', 'S3'] as const;
/** The store whose line is cut. */
export const CUT_STORE = 'S2';

/** What an agent says of its link. */
export interface LinkHealth {
  readonly state: string;
  readonly settled: boolean;
  readonly pendingEvents: number;
  readonly oldestPendingSeconds: number;
  readonly deadEvents: number;
  readonly conflicts: number;
}

export interface Store {
  readonly locationId: string;
  readonly program: Program;
  readonly api: ApiClient;
}

/** A centre and three stores, each a process of its own; one of them on a line that can be cut. */
export class Chain {
  private constructor(
    readonly centre: Program,
    readonly cable: Cable,
    readonly stores: readonly Store[],
    /** Of an operator. */
    readonly apiKey: string,
    /** Speaks to the centre with it. */
    readonly api: ApiClient,
  ) {}

  static async start(folder: string): Promise<Chain> {
    const adminKey = randomBytes(32).toString('base64url');
    const centre = await Program.centre(join(folder, 'centre.sqlite'), adminKey);
    const api = new ApiClient(centre.url, worldWithKey(adminKey));
    for (const locationId of STORES) {
      const body = { name: `Store ${locationId}`, kind: 'STORE' };
      expectOk(await ask(api, { method: 'PUT', path: `/v1/locations/${locationId}`, body }));
    }
    const cable = await Cable.to(centre.url);
    const stores = await Promise.all(
      STORES.map(async (locationId) => {
        const central = locationId === CUT_STORE ? cable.url : centre.url;
        const program = await Program.agent(
          locationId,
          central,
          join(folder, locationId),
          await storeKey(api, locationId),
        );
        return { locationId, program, api: new ApiClient(program.url) };
      }),
    );
    return new Chain(centre, cable, stores, adminKey, api);
  }

  store(locationId: string): Store {
    const found = this.stores.find((store) => store.locationId === locationId);
    if (found === undefined) throw new Error(`There is no store ${locationId}`);
    return found;
  }

  async linkOf({ api }: Store): Promise<LinkHealth> {
    const { body } = expectOk(await ask(api, { method: 'GET', path: '/health' }));
    return (body as { link: LinkHealth }).link;
  }

  async close(): Promise<void> {
    await Promise.all([...this.stores.map(({ program }) => program.stop()), this.centre.stop()]);
    await this.cable.close();
  }
}

async function storeKey(api: ApiClient, locationId: string): Promise<string> {
  const body = { name: `Agent of ${locationId}`, role: 'store', locationId };
  return (expectOk(await ask(api, { method: 'POST', path: '/v1/admin/keys', body })).body as { key: string }).key;
}

/** How long somebody waits for a program that was killed. */
const PATIENCE_MS = 120_000;
const AGAIN_MS = 200;

/** Asks until there is an answer: a program of the demo that is dead comes back. */
export async function ask(api: ApiClient, request: ApiRequest): Promise<Answer> {
  const deadline = performance.now() + PATIENCE_MS;
  for (;;) {
    const answer = await api.send(request);
    if (answer.ok || answer.code !== NO_ANSWER || performance.now() > deadline) return answer;
    await pause(AGAIN_MS);
  }
}

/** @throws Error with the code when it was refused */
export function expectOk(answer: Answer): Extract<Answer, { ok: true }> {
  if (!answer.ok) throw new Error(`Refused with ${answer.status} ${answer.code}: ${answer.detail}`);
  return answer;
}
