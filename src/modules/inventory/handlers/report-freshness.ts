import { CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import { Clock } from '../../../shared/kernel/clock.ts';
import { UnitOfWork } from '../../../shared/persistence/unit-of-work.ts';
import { type LocationFreshnessView, ReportFreshness } from '../contract.ts';
import { LocationNotFound } from '../domain/inventory.errors.ts';
import { LocationFreshness } from '../domain/location-freshness.ts';
import { locationFreshnessTable } from '../storage/location-freshness.table.ts';
import { locationsTable } from '../storage/location.table.ts';
import { toFreshnessView } from './freshness-view.ts';

/** Takes over what is told of how fresh a location is. */
@CommandHandler(ReportFreshness)
export class ReportFreshnessHandler implements ICommandHandler<ReportFreshness> {
  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly clock: Clock,
  ) {}

  execute(command: ReportFreshness): Promise<LocationFreshnessView> {
    return this.unitOfWork.run(command, async (tx) => {
      const at = this.clock.now();
      const { locationId, report } = command;
      await tx.load(command.keys);
      if (tx.loaded(locationsTable, locationId) === undefined) {
        throw new LocationNotFound(locationId);
      }
      const stored = tx.loaded(locationFreshnessTable, locationId);
      const location = stored === undefined ? LocationFreshness.unheard(locationId) : LocationFreshness.of(stored);
      if (report.policy !== undefined) location.follow(report.policy);
      if (report.restarted === true) location.restart();
      if (report.pushed !== undefined) {
        location.receive(report.pushed.lastSequence, report.pushed.receivedAt);
        location.hear(at, at);
      }
      if (report.contactAt !== undefined) location.hear(report.contactAt, at);
      if (location.version !== (stored?.version ?? 0)) tx.replace(locationFreshnessTable, location.state);
      return toFreshnessView(locationId, location.state, at);
    });
  }
}
