import { setTimeout as pause } from 'node:timers/promises';
import { brokenRules } from '../audit/audit.ts';
import { type Snapshot, withSnapshot } from '../audit/snapshot.ts';
import type { Random } from '../random.ts';
import { shown } from './client.ts';
import type { Sent } from './task.ts';
import type { Wire } from './wire.ts';
import type { World } from './world.ts';

/** Answers of earlier rounds that are asked for again after each restart. */
const OLD_ANSWERS = 20;
/** Requests on their way at a time. */
const LANES = 16;
const DELIVERED_MAX_MS = 20_000;
const LOOK_MS = 50;

/** What the clients know against what the server has, when nobody is sending anything. */
export class Comparison {
  constructor(
    private readonly world: World,
    private readonly databaseUrl: string,
    private readonly random: Random,
  ) {}

  /** @param url of a server that is ready @returns everything that is wrong */
  async violations(url: string): Promise<string[]> {
    const wire = this.world.operatorWire(url);
    try {
      return [
        ...(await this.unanswered(url)),
        ...(await this.answered(url)),
        ...(await this.touched(wire)),
        ...(await this.undelivered()),
        ...(await this.look((snapshot) => this.differences(snapshot))),
        ...(await this.look((snapshot) => brokenRules(snapshot, Date.now()))),
      ];
    } finally {
      wire.close();
    }
  }

  /** What has no answer is repeated, and the key finds out. */
  private async unanswered(url: string): Promise<string[]> {
    const found = await Promise.all(
      this.world.clients.map(async (client) => {
        const wire = this.world.wireOf(client, url);
        const violations = await client.settle(wire, (at) => this.look(at));
        wire.close();
        return violations;
      }),
    );
    return found.flat();
  }

  /** What was answered is answered again in the same words. */
  private async answered(url: string): Promise<string[]> {
    const shoppers = this.world.shoppers[0];
    if (shoppers === undefined) return [];
    const [asShopper, asOperator] = [this.world.wireOf(shoppers, url), this.world.operatorWire(url)];
    const sent = this.world.journal.toCompare(OLD_ANSWERS, (n) => this.random.whole(0, n - 1));
    const found = await inLanes(sent, (one) =>
      this.again(one, one.task.request.path.startsWith('/v1/reservations') ? asShopper : asOperator),
    );
    asShopper.close();
    asOperator.close();
    return found.flat();
  }

  private async again(sent: Sent, wire: Wire): Promise<string[]> {
    const { task, answer } = sent;
    const again = await wire.send(task.request);
    if (again === null || answer === null) return [shown(sent, 'was answered, and its repeat is not')];
    const isSame = again.status === answer.status && again.text === answer.text && again.etag === answer.etag;
    if (task.answerIsKept && !isSame) {
      return [
        shown(sent, `was answered ${answer.status} ${answer.text}, and is repeated as ${again.status} ${again.text}`),
      ];
    }
    return task.wrongRepeat(task.whole, again).map((what) => shown(sent, what));
  }

  /** What the last answers were about reads as they told it. */
  private async touched(wire: Wire): Promise<string[]> {
    const found = await inLanes(this.world.shoppers, async (shopper) => {
      const ids = [...shopper.touched];
      shopper.touched.clear();
      return inLanes(ids, async (id) => {
        const known = shopper.known.get(id);
        if (known === undefined || known.isAbandoned) return [];
        const read = await wire.send({ method: 'GET', path: `/v1/reservations/${id}` });
        return read?.text === known.text ? [] : [`reservation ${id} reads ${read?.text} instead of ${known.text}`];
      });
    });
    return found.flat(2);
  }

  /** Events that reactions wait for are delivered, and nothing is set aside. */
  private async undelivered(): Promise<string[]> {
    const deadline = performance.now() + DELIVERED_MAX_MS;
    for (;;) {
      const open = await this.look(undeliveredIn);
      if (open.length === 0) return [];
      if (performance.now() > deadline)
        return open.map((what) => `not delivered within ${DELIVERED_MAX_MS} ms: ${what}`);
      await pause(LOOK_MS);
    }
  }

  private async differences(snapshot: Snapshot): Promise<string[]> {
    return [
      ...(await this.reservations(snapshot)),
      ...(await this.transfers(snapshot)),
      ...(await this.movements(snapshot)),
    ];
  }

  private async reservations(snapshot: Snapshot): Promise<string[]> {
    const known = new Map(this.world.shoppers.flatMap((shopper) => [...shopper.known]));
    const wrong: string[] = [];
    const rows = await snapshot.rows<{ id: string; status: string; version: number; cartId: string }>(
      'SELECT id AS "id", status AS "status", version AS "version", cart_id AS "cartId" FROM reservations',
    );
    for (const { id, status, version, cartId } of rows) {
      const one = known.get(id);
      known.delete(id);
      if (one === undefined) wrong.push(`reservation ${id} of cart ${cartId} is nobody's`);
      else if (one.isAbandoned) {
        if (!['ACTIVE', 'EXPIRED'].includes(status)) wrong.push(`reservation ${id} was left to time and is ${status}`);
      } else if (status !== one.reservation.status || version !== one.reservation.version) {
        wrong.push(`reservation ${id} is ${status}, version ${version}, instead of ${one.text}`);
      }
    }
    return [...wrong, ...[...known.keys()].map((id) => `reservation ${id} is gone`)];
  }

  private async transfers(snapshot: Snapshot): Promise<string[]> {
    const known = new Map(this.world.drivers.flatMap((driver) => [...driver.known]));
    const wrong: string[] = [];
    const rows = await snapshot.rows<{ id: string; status: string; version: number }>(
      'SELECT id AS "id", status AS "status", version AS "version" FROM transfers',
    );
    for (const { id, status, version } of rows) {
      const one = known.get(id);
      known.delete(id);
      if (one?.status !== status || one.version !== version) {
        wrong.push(`transfer ${id} is ${status}, version ${version}, instead of ${JSON.stringify(one)}`);
      }
    }
    return [...wrong, ...[...known.keys()].map((id) => `transfer ${id} is gone`)];
  }

  /** Each movement that a client has named is there once, and no other. */
  private async movements(snapshot: Snapshot): Promise<string[]> {
    const ids = new Map(this.world.clerks.flatMap((clerk) => [...clerk.movements]));
    const missing = new Set(ids.keys());
    for (const { references } of [...this.world.importers, ...this.world.tills]) {
      references.forEach((reference) => missing.add(reference));
    }
    const wrong: string[] = [];
    const rows = await snapshot.rows<{ reference: string; movementId: string }>(
      `SELECT reference AS "reference", movement_id AS "movementId" FROM movements
        WHERE reference LIKE 'm-%' OR reference LIKE 'i-%' OR reference LIKE 's-%'`,
    );
    for (const { reference, movementId } of rows) {
      // Also one that comes a second time, because the first has taken it off the list.
      if (!missing.delete(reference)) wrong.push(`movement ${movementId} of ${reference} is one too many`);
      const told = ids.get(reference);
      if (told !== undefined && told !== movementId)
        wrong.push(`${reference} was told as ${told} and is ${movementId}`);
    }
    return [...wrong, ...[...missing].map((reference) => `there is no movement of ${reference}`)];
  }

  private look<T>(at: (snapshot: Snapshot) => Promise<T>): Promise<T> {
    return withSnapshot(this.databaseUrl, at);
  }
}

async function undeliveredIn(snapshot: Snapshot): Promise<string[]> {
  const waiting = await snapshot.rows<{ name: string }>(
    `SELECT d.event_id AS "name" FROM dead_letters AS d JOIN products AS p
       ON p.tenant_id = d.tenant_id AND d.waits_for = 'product/' || p.sku WHERE d.status = 'DEAD'
     UNION ALL SELECT event_id FROM set_aside_events`,
  );
  return waiting.map(({ name }) => `event ${name}`);
}

async function inLanes<Item, Result>(items: readonly Item[], work: (item: Item) => Promise<Result>): Promise<Result[]> {
  const results: Result[] = [];
  const left = [...items];
  const lanes = Array.from({ length: LANES }, async () => {
    for (let item = left.shift(); item !== undefined; item = left.shift()) results.push(await work(item));
  });
  await Promise.all(lanes);
  return results;
}
