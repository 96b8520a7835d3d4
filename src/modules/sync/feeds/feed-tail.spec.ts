import { Logger } from '@nestjs/common';
import { counts } from '../../../../test/support/counts.ts';
import { Random, SEED } from '../../../../test/support/random.ts';
import { runInContext } from '../../../shared/kernel/context.ts';
import type { LogFilter, LogPage, LogReader } from '../../../shared/outbox/log-reader.ts';
import type { LoggedEvent } from '../../../shared/outbox/stored-event.ts';
import { Upcasting } from '../../../shared/outbox/upcasting.ts';
import { StockHeld } from '../../inventory/contract.ts';
import { FeedChange } from './feed-change.ts';
import { changesOfStock, changesOfStore } from './feed-interest.ts';
import type { FeedLog } from './feed-log.ts';
import { FeedReader } from './feed-reader.ts';
import { FeedTail, type TailFollower } from './feed-tail.ts';

const UPCASTING = new Upcasting([StockHeld], []);
const LOCATIONS = ['S1', 'S2', 'S3'];

/** A log in memory, with gaps between its positions. */
class Log {
  readonly events: LoggedEvent[] = [];
  looks = 0;

  append(locationId: string, origin: string | null = null): void {
    const position = this.events.length * 3 + 1;
    const { type, version } = StockHeld;
    this.events.push({
      ...{ position, type, version, locationId, origin, eventId: String(position), subject: `stock/A/${locationId}` },
      ...{ subjectVersion: 1, payload: '{}', occurredAt: 0, correlationId: 'c', clientId: 'c' },
      ...{ keyId: null, address: null },
      ...{ causationId: null, traceparent: null },
    });
  }

  /** As LogReader.after. */
  after(after: number, { locationId }: LogFilter, limit: number): Promise<LogPage> {
    this.looks += 1;
    const behind = this.events.slice(Math.floor((after - 1) / 3) + 1);
    const found = behind.filter((one) => locationId === undefined || one.locationId === locationId);
    const events = found.slice(0, limit);
    const more = found.length > limit;
    return Promise.resolve({
      events,
      more,
      fromMemory: false,
      upTo: (more ? events : this.events).at(-1)?.position ?? after,
    });
  }

  headOfTenant(): Promise<number> {
    return Promise.resolve(this.events.at(-1)?.position ?? 0);
  }

  /** As FeedLog. */
  get forFeeds(): FeedLog {
    const page: FeedLog['page'] = async (interest, after, limit) => {
      const { events, ...rest } = await this.after(after, interest.filter, limit);
      return {
        changes: events.map((event) => new FeedChange(event, UPCASTING)).filter((one) => interest.wants(one)),
        ...rest,
      };
    };
    return { page } as FeedLog;
  }
}

/** It does not rest between its looks. */
async function openTail(log: Log): Promise<FeedTail> {
  const tail = new FeedTail(log as unknown as LogReader, UPCASTING, 0);
  await tail.open();
  return tail;
}

/** Wakes the tail and waits until it has read everything. */
async function readTo(tail: FeedTail, log: Log): Promise<void> {
  tail.wake();
  while (tail.upTo < (await log.headOfTenant())) await new Promise(setImmediate);
}

const inContext = (test: () => Promise<void>) => () =>
  runInContext({ tenantId: 't', clientId: 'c', correlationId: 'c', traceparent: null }, test);

beforeAll(() => {
  Logger.overrideLogger(false);
});

describe('FeedTail', () => {
  it(
    'looks at the log once for all who follow it, and tells those whom a change concerns',
    inContext(async () => {
      const log = new Log();
      const tail = await openTail(log);
      const told: string[] = [];
      const followers = Array.from({ length: 300 }, (_, index): TailFollower => {
        const locationId = LOCATIONS[index % 3] ?? '';
        return { interest: changesOfStore(locationId), tell: () => told.push(locationId) };
      });
      followers.push({ interest: changesOfStock(['A'], 'S2'), tell: () => told.push('A at S2') });
      followers.push({ interest: changesOfStock(['B'], null), tell: () => told.push('B') });
      followers.push({ interest: changesOfStock(null, null), tell: () => told.push('all') });
      const ends = followers.map((follower) => tail.follow(follower));

      log.append('S2');
      log.append('S2');
      log.append('S3', 'S3');
      await readTo(tail, log);

      expect(log.looks).toBe(1);
      expect(told.sort()).toEqual(['A at S2', ...Array<string>(100).fill('S2'), 'all']);
      ends.forEach((end) => {
        end();
      });
      log.append('S2');
      await readTo(tail, log);
      expect(told).toHaveLength(102);
      await tail.close();
    }),
  );

  it(
    'tries again when the log cannot be read',
    inContext(async () => {
      const log = new Log();
      const tail = await openTail(log);
      let failures = 2;
      const after = log.after.bind(log);
      log.after = (...parameters) =>
        failures-- > 0 ? Promise.reject(new Error('the database is away')) : after(...parameters);
      let told = 0;
      const interest = changesOfStore('S1');
      tail.follow({ interest, tell: () => (told += 1) });
      log.append('S1');
      await readTo(tail, log);
      expect([told, tail.after(0, interest, 10).changes.length]).toEqual([1, 1]);
      await tail.close();
    }),
  );
});

describe('FeedChange', () => {
  it('is the same before and after it was settled, and is told as what it was settled for', () => {
    const log = new Log();
    log.append('S1');
    const change = new FeedChange(log.events[0]!, UPCASTING);
    const [text, frame] = [change.textOf('event'), change.frameOf('event').toString()];
    expect(frame).toBe(`id: 1\ndata: ${text}\n\n`);
    change.settle(['event']);
    expect([change.textOf('event'), change.frameOf('event').toString()]).toEqual([text, frame]);
    expect(() => change.textOf('stock')).toThrow('nobody wanted');
  });

  it('that nobody here can read fails with whoever is told of it', () => {
    const log = new Log();
    log.append('S1');
    const change = new FeedChange({ ...log.events[0]!, version: 2 }, UPCASTING);
    expect(() => {
      change.settle(['event']);
    }).toThrow('Nobody here knows');
    expect(() => change.frameOf('event')).toThrow('Nobody here knows');
  });
});

describe('FeedReader', () => {
  it(
    `gives every change that is wanted once and in order, at the tail or far behind (seed ${SEED})`,
    inContext(async () => {
      for (let seed = 1; seed <= counts(6, 100); seed += 1) {
        const random = new Random(SEED + seed);
        const roll = (sides: number): number => random.whole(0, sides - 1);
        const log = new Log();
        const write = (events: number) => {
          for (let event = 0; event < events; event += 1)
            log.append(LOCATIONS[roll(3)] ?? '', roll(4) === 0 ? 'S1' : null);
        };
        write(roll(50));
        const tail = await openTail(log);
        const start = roll(2) === 0 ? 0 : await log.headOfTenant();
        const reader = new FeedReader(tail, log.forFeeds, changesOfStore('S1'), start, () => undefined);
        const given: number[] = [];
        for (let step = 0; step < 60; step += 1) {
          // Now and then more than the tail keeps.
          write(roll(10) === 0 ? 2_500 : roll(30));
          if (roll(3) > 0) await readTo(tail, log);
          else tail.wake();
          for (let turn = roll(4); turn > 0; turn -= 1) {
            given.push(...(await reader.next(1 + roll(200))).map(({ position }) => position));
          }
        }
        await readTo(tail, log);
        while (reader.isBehind) given.push(...(await reader.next(1_000)).map(({ position }) => position));
        const wanted = log.events.filter(
          ({ position, locationId, origin }) => position > start && locationId === 'S1' && origin !== 'S1',
        );
        expect([seed, given]).toEqual([seed, wanted.map(({ position }) => position)]);
        expect([seed, await reader.next(10), reader.position]).toEqual([seed, [], await log.headOfTenant()]);
        reader.close();
        await tail.close();
      }
    }),
  );

  it(
    'ends its wait when it is told, stopped, or when the time is over',
    inContext(async () => {
      const log = new Log();
      const tail = await openTail(log);
      let closed = 0;
      const reader = new FeedReader(tail, log.forFeeds, changesOfStore('S1'), 0, () => (closed += 1));
      expect(await reader.next(10)).toEqual([]);
      await reader.wait(1);
      expect(reader.isBehind).toBe(false);
      const waiting = reader.wait(3_600_000);
      log.append('S1');
      await readTo(tail, log);
      await waiting;
      expect([reader.isBehind, reader.isStopped]).toEqual([true, false]);
      expect(await reader.next(10)).toHaveLength(1);
      const stopped = reader.wait(3_600_000);
      reader.stop();
      await stopped;
      await reader.wait(3_600_000);
      reader.close();
      reader.close();
      expect([reader.isStopped, closed]).toEqual([true, 1]);
      await tail.close();
    }),
  );
});
