import { AsyncLocalStorage } from 'node:async_hooks';
import type { ServerResponse } from 'node:http';
import { Injectable, Logger, type OnModuleDestroy } from '@nestjs/common';
import { CommandBus } from '@nestjs/cqrs';
import { Clock } from '../../shared/kernel/clock.ts';
import { currentContext, runInContext } from '../../shared/kernel/context.ts';
import { Ids } from '../../shared/kernel/ids.ts';
import { UnitOfWork } from '../../shared/persistence/unit-of-work.ts';
import { Settings } from '../../shared/settings.ts';
import { ReportFreshness } from '../inventory/contract.ts';
import { ContactWrites } from './contact-writes.ts';

/**
 * Longest time that an open call counts as heard from, in milliseconds: that of the longest poll. Of a connection on which
 * nothing is answered nobody knows whether the other end is still there.
 */
const OPEN_CALL_MAX_MS = 30_000;
/** Pause between two signs of life of an open call, in milliseconds, unless its store would be stale sooner. */
const SIGN_OF_LIFE_MS = 10_000;
/** Longest time that a call waits until its contact is stored, in milliseconds; then it goes on, and the contact comes later. */
const STORED_WAIT_MS = 1_000;

interface Store {
  readonly tenantId: string;
  readonly locationId: string;
  readonly writes: ContactWrites;
  /** Calls that may still be open, and when each was accepted, by the clock that never goes back. */
  readonly calls: Set<{ readonly answer: ServerResponse; readonly sinceMs: number }>;
  signs: NodeJS.Timeout | undefined;
}

/**
 * Hears stores and tells inventory: at once when there is news, then at most once per `SYNC_CONTACT_WRITE_MS` and store
 * (sooner only where the store would otherwise count as stale). What cannot be told now is told later; nobody who calls is
 * refused for it.
 */
@Injectable()
export class StoreContacts implements OnModuleDestroy {
  private readonly logger = new Logger(StoreContacts.name);
  /** Timers, and answers that end, belong to no request; and what they store must join no work. */
  private readonly outside = AsyncLocalStorage.snapshot();
  /** Of stores whose calls were accepted: no more than there are locations. */
  private readonly stores = new Map<string, Store>();
  private isFailing = false;

  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly commands: CommandBus,
    private readonly clock: Clock,
    private readonly ids: Ids,
    private readonly settings: Settings,
  ) {}

  /** The store was heard from just now. Never throws. */
  touch(locationId: string): void {
    if (isStore(locationId)) this.hear(this.storeOf(currentContext().tenantId, locationId));
  }

  /**
   * A call of the store was accepted and is going to be answered. It counts now; one that may stay open counts for as long as
   * it is, half a minute at most.
   * @param answer of a call that may stay open
   * @returns when the contact is stored, or at the latest after a second: whoever is answered then reads that it was heard
   */
  async accept(locationId: string, answer: ServerResponse | null): Promise<void> {
    if (!isStore(locationId)) return;
    const store = this.storeOf(currentContext().tenantId, locationId);
    this.hear(store);
    if (store.writes.pending !== undefined) await settledOrAfter(store.writes.pending, STORED_WAIT_MS);
    if (answer !== null) this.attend(store, answer);
  }

  /** The bound of a store was set anew: one that is listening has to be heard in time from now on. */
  follow(tenantId: string, locationId: string, staleAfterSeconds: number): void {
    const store = this.storeOf(tenantId, locationId);
    store.writes.staleAfterMs = staleAfterSeconds * 1000;
    if (store.calls.size > 0) this.giveSign(store);
  }

  /** What is still to be told is told before the database is closed. */
  async onModuleDestroy(): Promise<void> {
    await Promise.all(
      [...this.stores.values()].map(({ writes, signs }) => {
        clearTimeout(signs);
        return writes.close();
      }),
    );
  }

  private storeOf(tenantId: string, locationId: string): Store {
    // Ids have no spaces.
    const name = `${tenantId} ${locationId}`;
    let store = this.stores.get(name);
    if (store === undefined) {
      const writes = new ContactWrites(
        (contactAt) => this.outside(() => this.report(tenantId, locationId, contactAt)),
        this.settings.syncContactWriteMs,
      );
      store = { tenantId, locationId, writes, calls: new Set(), signs: undefined };
      this.stores.set(name, store);
    }
    return store;
  }

  private hear({ writes }: Store): void {
    writes.note(this.clock.now());
  }

  private attend(store: Store, answer: ServerResponse): void {
    if (answer.destroyed) return;
    store.calls.add({ answer, sinceMs: performance.now() });
    if (store.signs === undefined) this.awaitSign(store);
  }

  private awaitSign(store: Store): void {
    clearTimeout(store.signs);
    store.signs = this.outside(() => setTimeout(() => this.giveSign(store), signMs(store))).unref();
  }

  private giveSign(store: Store): void {
    const oldestMs = performance.now() - OPEN_CALL_MAX_MS;
    for (const call of store.calls) {
      // Whoever hung up is not there any more.
      if (call.answer.destroyed || call.sinceMs < oldestMs) store.calls.delete(call);
    }
    if (store.calls.size === 0) {
      store.signs = undefined;
    } else {
      this.hear(store);
      this.awaitSign(store);
    }
  }

  /** @returns after how many milliseconds without a contact the store is stale; undefined when it could not be told */
  private async report(tenantId: string, locationId: string, contactAt: number): Promise<number | undefined> {
    const context = { tenantId, clientId: 'contacts', correlationId: this.ids.next(), traceparent: null };
    const command = new ReportFreshness(locationId, { contactAt });
    const options = { keys: command.keys, workClass: 'bulk' } as const;
    try {
      // The command joins a work of the bulk class: whoever reserves goes first.
      const { staleAfterSeconds } = await runInContext(context, () =>
        this.unitOfWork.run(options, () => this.commands.execute(command)),
      );
      this.isFailing = false;
      return staleAfterSeconds * 1000;
    } catch (error) {
      if (!this.isFailing) {
        this.logger.warn({ err: error, locationId }, 'It cannot be stored now when stores were heard from');
      }
      this.isFailing = true;
      return undefined;
    }
  }
}

/** An operator who looks at what a store is told is not the store. Where nobody is asked for a key, whoever calls is. */
function isStore(locationId: string): boolean {
  const { keyId = null, reach = null } = currentContext();
  return keyId === null || reach?.locationId === locationId;
}

function signMs({ writes }: Store): number {
  return Math.min(SIGN_OF_LIFE_MS, writes.inTimeMs);
}

async function settledOrAfter(work: Promise<void>, afterMs: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const timeOut = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, afterMs);
  });
  await Promise.race([work, timeOut]);
  clearTimeout(timer);
}
