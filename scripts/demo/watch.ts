import { type ApiClient } from '../replay/api-client.ts';
import { ask, type Chain, CUT_STORE, expectOk } from './chain.ts';
import type { Story } from './story.ts';

/** The chain at one moment. */
export interface Picture {
  readonly stores: readonly {
    readonly locationId: string;
    readonly state: string;
    readonly pendingEvents: number;
    /** Age of the oldest fact that the centre does not have. */
    readonly lagSeconds: number;
  }[];
  /** Stock items that are oversold; null while the centre does not answer. */
  readonly oversold: number | null;
  /** Units by which the centre's stock differs from what happened, all items together; null likewise. */
  readonly drift: number | null;
}

export interface CentralItem {
  readonly sku: string;
  readonly locationId: string;
  readonly onHand: number;
  readonly held: number;
  readonly committed: number;
}

/** Looks at all four processes. */
export async function lookAt(chain: Chain, story: Story): Promise<Picture> {
  const stores = await Promise.all(
    chain.stores.map(async (store) => {
      const { locationId } = store;
      const { state, pendingEvents, oldestPendingSeconds } = await chain.linkOf(store);
      const isCut = locationId === CUT_STORE && chain.cable.isCut;
      return { locationId, state: isCut ? 'CUT OFF' : state, pendingEvents, lagSeconds: oldestPendingSeconds };
    }),
  );
  const items = await centralStock(chain).catch(() => null);
  return {
    stores,
    oversold: items?.filter(({ onHand, held, committed }) => onHand < held + committed).length ?? null,
    drift: items === null ? null : driftOf(items, story),
  };
}

function driftOf(items: readonly CentralItem[], story: Story): number {
  const central = new Map(items.map(({ sku, locationId, onHand }) => [`${sku} ${locationId}`, onHand]));
  return [...story.expected].reduce((sum, [key, { units }]) => sum + Math.abs(units - (central.get(key) ?? 0)), 0);
}

/** All stock, page by page. No patience here: a centre that is away is shown as such. */
async function centralStock({ centre: { url }, apiKey }: Chain): Promise<CentralItem[]> {
  const items: CentralItem[] = [];
  for (let cursor: string | null = ''; cursor !== null;) {
    const more = cursor === '' ? '' : `&cursor=${cursor}`;
    const answer = await fetch(`${url}/v1/stock?limit=200${more}`, {
      headers: { 'x-api-key': apiKey },
      signal: AbortSignal.timeout(2000),
    });
    if (!answer.ok) throw new Error(`HTTP ${answer.status}`);
    const page = (await answer.json()) as { items: CentralItem[]; nextCursor: string | null };
    items.push(...page.items);
    cursor = page.nextCursor;
  }
  return items;
}

/** One stock item, with patience. */
export async function centralItem(api: ApiClient, sku: string, locationId: string): Promise<CentralItem> {
  const { body } = expectOk(await ask(api, { method: 'GET', path: `/v1/stock/${sku}/${locationId}` }));
  return body as CentralItem;
}
