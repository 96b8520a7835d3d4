import { CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import { Clock } from '../../../shared/kernel/clock.ts';
import { UnitOfWork } from '../../../shared/persistence/unit-of-work.ts';
import { type Movement, RecordMovementHere, type Recorded } from '../contract.ts';
import { Shelf } from '../storage/shelf.repository.ts';
import { Recorder, toShelfView } from './recorder.ts';

const SIGNS: Readonly<Record<Movement, 1 | -1>> = { sale: -1, return: 1, receipt: 1 };

/** Records that units came or went. It happened, so it is never refused, not even for a sku that nobody knows yet. */
@CommandHandler(RecordMovementHere)
export class RecordMovementHandler implements ICommandHandler<RecordMovementHere> {
  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly clock: Clock,
    private readonly shelf: Shelf,
    private readonly recorder: Recorder,
  ) {}

  execute(command: RecordMovementHere): Promise<Recorded> {
    const { type, sku, quantity, reference } = command;
    return this.unitOfWork.run(command, async (tx) => {
      const at = this.clock.now();
      const item = await this.shelf.item(tx, sku);
      const delta = SIGNS[type] * quantity;
      item.move(delta, at);
      this.shelf.save(tx, item);
      const data = { sku, quantity, ...(reference === null ? {} : { reference }) };
      const { id } = await this.recorder.record(tx, { type, sku, data, reference, delta, awaitsCursor: false }, at);
      return { eventId: id, stock: toShelfView(item) };
    });
  }
}
