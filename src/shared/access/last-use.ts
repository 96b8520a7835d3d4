import { Injectable, Logger } from '@nestjs/common';
import type { Instant } from '../kernel/clock.ts';
import { runInContext } from '../kernel/context.ts';
import { Ids } from '../kernel/ids.ts';
import { UnitOfWork } from '../persistence/unit-of-work.ts';
import { apiKeysTable } from './api-key.table.ts';
import type { FoundKey } from './key-lookup.ts';

/** How much older than the truth `lastUsedAt` may be: a write with each request would cost more than the request. */
const NOTE_EVERY_MS = 60_000;

/** When each key was last used, for whoever wants to know which ones can go. */
@Injectable()
export class LastUse {
  private readonly logger = new Logger(LastUse.name);
  private readonly noted = new Map<string, Instant>();

  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly ids: Ids,
  ) {}

  /** Nobody waits for it, and a use that could not be noted is noted with the next. */
  note({ tenantId, keyId, lastUsedAt }: FoundKey, at: Instant): void {
    if (at - (this.noted.get(keyId) ?? lastUsedAt ?? -NOTE_EVERY_MS) < NOTE_EVERY_MS) return;
    this.noted.set(keyId, at);
    const context = { tenantId, clientId: 'last-use', correlationId: this.ids.next(), traceparent: null };
    runInContext(context, () => this.store(keyId, at)).catch((error: unknown) => {
      this.noted.delete(keyId);
      this.logger.warn({ err: error }, 'The last use of a key was not noted');
    });
  }

  private store(keyId: string, at: Instant): Promise<void> {
    return this.unitOfWork.run({ keys: [], workClass: 'bulk' }, async (tx) => {
      const row = await tx.get(apiKeysTable, keyId);
      if (row === undefined || (row.lastUsedAt ?? 0) >= at) return;
      await tx.put(apiKeysTable, { ...row, lastUsedAt: at, version: row.version + 1 });
    });
  }
}
