import { CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import { Clock } from '../../../shared/kernel/clock.ts';
import { assertVersionMatches } from '../../../shared/kernel/version-match.ts';
import { UnitOfWork } from '../../../shared/persistence/unit-of-work.ts';
import { type LocationView, PutLocation } from '../contract.ts';
import { Location } from '../domain/location.ts';
import { locationsTable } from '../storage/location.table.ts';

/** Creates a location or replaces what is said about it. */
@CommandHandler(PutLocation)
export class PutLocationHandler implements ICommandHandler<PutLocation> {
  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly clock: Clock,
  ) {}

  execute(command: PutLocation): Promise<{ location: LocationView; created: boolean }> {
    return this.unitOfWork.run(command, async (tx) => {
      const at = this.clock.now();
      const stored = await tx.get(locationsTable, command.locationId);
      assertVersionMatches(command.ifMatch, stored?.version ?? 0);
      if (stored === undefined) {
        const created = Location.create(command.locationId, command.wanted, at);
        await tx.put(locationsTable, created.state);
        tx.record(created.takeEvents());
        return { location: created.state, created: true };
      }
      const location = Location.of(stored);
      if (location.put(command.wanted, at)) {
        await tx.put(locationsTable, location.state);
        tx.record(location.takeEvents());
      }
      return { location: location.state, created: false };
    });
  }
}
