import { CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import { Clock } from '../../kernel/clock.ts';
import { UnitOfWork } from '../../persistence/unit-of-work.ts';
import { KeyNotFound } from '../admin.errors.ts';
import { apiKeysTable } from '../api-key.table.ts';
import { type KeyView, RevokeKey } from '../contract.ts';
import { toKeyView } from '../key-view.ts';
import { isPlatform } from '../roles.ts';
import { accessEvent, KeyRevoked } from '../events.ts';

/** From the commit on, every server refuses the key and the tokens that were made for it. Again: the same answer. */
@CommandHandler(RevokeKey)
export class RevokeKeyHandler implements ICommandHandler<RevokeKey> {
  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly clock: Clock,
  ) {}

  execute(command: RevokeKey): Promise<KeyView> {
    return this.unitOfWork.run(command, async (tx) => {
      const stored = await tx.get(apiKeysTable, command.id);
      if (stored === undefined || (isPlatform(stored.role) && !command.byPlatform)) throw new KeyNotFound(command.id);
      if (stored.revokedAt !== null) return toKeyView(stored, tx.tenantId);
      const at = this.clock.now();
      const revoked = { ...stored, revokedAt: at, version: stored.version + 1 };
      await tx.put(apiKeysTable, revoked);
      const { id: keyId, role, clientId, version } = revoked;
      tx.record([accessEvent(KeyRevoked, `key/${keyId}`, version, { keyId, role, clientId }, at)]);
      return toKeyView(revoked, tx.tenantId);
    });
  }
}
