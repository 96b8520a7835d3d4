import { Module } from '@nestjs/common';
import { CommandBus, CqrsModule } from '@nestjs/cqrs';
import { RecordMovement, StockMoved } from '../../src/modules/inventory/contract.ts';
import type { PayloadOf } from '../../src/shared/kernel/domain-event.ts';
import { type Reaction, ReactsTo } from '../../src/shared/outbox/reaction.ts';
import type { StoredEvent } from '../../src/shared/outbox/stored-event.ts';

/** A movement with the reference `mirror:<locationId>` is to be repeated there. */
export const MIRROR = 'mirror:';

/**
 * A reaction that fails for a reason that a caller can bring about and mend: the other location has to exist. Its
 * effects are seen in the stock there.
 */
@ReactsTo({ consumer: 'test.mirror', events: [StockMoved] })
export class MirrorMovements implements Reaction<PayloadOf<typeof StockMoved>> {
  constructor(private readonly commands: CommandBus) {}

  async handle({ data, subjectVersion }: StoredEvent<PayloadOf<typeof StockMoved>>): Promise<void> {
    const { sku, delta, reference } = data;
    if (reference?.startsWith(MIRROR) !== true) return;
    const movement = { type: 'RECEIPT' as const, quantity: delta, reason: `${subjectVersion}`, reference: null };
    await this.commands.execute(new RecordMovement(sku, reference.slice(MIRROR.length), movement));
  }
}

@Module({ imports: [CqrsModule], providers: [MirrorMovements] })
export class MirrorModule {}
