import { Injectable, Logger } from '@nestjs/common';
import { ofPlatform, ofTenant } from '../access/realms.ts';
import { UnitOfWork } from '../persistence/unit-of-work.ts';
import { AuditChains, type AuditHead } from './audit-chains.ts';
import { AuditWriter } from './audit-writer.ts';

/** How long the end of a tenant waits for its audit to be written to its end, in milliseconds. */
const CATCH_UP_MAX_MS = 10_000;
/** A turn of another server may have begun before the seal and ended after it, once. */
const ATTEMPTS_MAX = 3;

/** Ends the audit of a tenant that is to be erased: its last hash stays, under '*', and nothing is added any more. */
@Injectable()
export class AuditSeal {
  private readonly logger = new Logger(AuditSeal.name);

  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly chains: AuditChains,
    private readonly writer: AuditWriter,
  ) {}

  /** @returns what stays. Again: the same. */
  async seal(tenantId: string): Promise<AuditHead> {
    if (!(await this.writer.caughtUp(tenantId, CATCH_UP_MAX_MS))) {
      this.logger.warn(`The audit of tenant ${tenantId} is erased before it was written to its end`);
    }
    let head = await this.headOf(tenantId);
    for (let attempt = 1; attempt <= ATTEMPTS_MAX; attempt += 1) {
      const { number, hash } = head;
      await ofPlatform(() => this.unitOfWork.run(NO_KEYS, (tx) => this.chains.seal(tx, tenantId, { number, hash })));
      head = await this.headOf(tenantId);
      if (head.number === number) break;
    }
    return head;
  }

  private headOf(tenantId: string): Promise<AuditHead> {
    return ofTenant(tenantId, () => this.unitOfWork.run(NO_KEYS, (tx) => this.chains.headOf(tx)));
  }
}

const NO_KEYS = { keys: [] };
