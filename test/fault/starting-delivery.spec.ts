import { jest } from '@jest/globals';
import { FirstKey } from '../../src/shared/access/first-key.ts';
import { Relay } from '../../src/shared/outbox/relay.ts';
import { type FreshDatabase, freshDatabase } from '../support/databases.ts';
import { eventually } from '../support/eventually.ts';
import { describeOnBothEngines } from '../support/services.ts';
import { Shop } from '../support/shop.ts';
import { rowsOf } from '../support/sql.ts';
import { type RunningApp, startApp } from '../support/start-app.ts';
import { StoreClient } from '../support/store-client.ts';

interface Letter {
  readonly status: string;
  readonly attempts: number;
}

/** How long the start waits, unless the event is tried before. */
const SLOW_MS = 1_500;
const ignored = (): void => undefined;

describeOnBothEngines('An event that waits for the next start', (engine) => {
  let database: FreshDatabase;
  let running: RunningApp | undefined;

  beforeEach(async () => {
    database = await freshDatabase(engine);
  });

  afterEach(async () => {
    jest.restoreAllMocks();
    await running?.close();
    await database.drop();
  });

  /** The letter once its event was tried again. */
  function triedAgain(withinMs?: number): Promise<Letter> {
    return eventually(
      'its event was tried again',
      async () => {
        const [row] = await rowsOf<Letter>(database.url, 'SELECT status, attempts FROM dead_letters');
        const attempts = Number(row?.attempts);
        return row === undefined || (row.status === 'DEAD' && attempts === 1) ? undefined : { ...row, attempts };
      },
      withinMs,
    );
  }

  // Found by the crash loop: the relay began before the commands that a reaction sends had their handlers.
  it('is delivered when everything that its reaction needs has started, however long that takes', async () => {
    const env = { AUTH: 'off', DATABASE_URL: database.url };
    running = await startApp(engine, env);
    const shop = new Shop();
    shop.open(running);
    const store = await StoreClient.open(shop.api, await shop.location(), () => shop.clock.iso());
    await store.push([store.event(1, 'sale', { sku: 'late', quantity: 1 })]);
    await running.app.get(Relay, { strict: false }).onModuleDestroy();
    await shop.product({}, 'late');
    await running.close();

    // The start waits for the database here.
    const waiting = jest.spyOn(FirstKey.prototype, 'onApplicationBootstrap');
    waiting.mockImplementation(() => triedAgain(SLOW_MS).then(ignored, ignored));
    running = await startApp(engine, env);
    // One attempt: the first, when nobody knew the product.
    expect(await triedAgain()).toEqual({ status: 'REPLAYED', attempts: 1 });
  });
});
