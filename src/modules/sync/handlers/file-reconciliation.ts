import { CommandBus, CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import { Clock } from '../../../shared/kernel/clock.ts';
import { currentContext, runInContext } from '../../../shared/kernel/context.ts';
import { Ids } from '../../../shared/kernel/ids.ts';
import { UnitOfWork } from '../../../shared/persistence/unit-of-work.ts';
import { Settings } from '../../../shared/settings.ts';
import { CorrectBalances, type ReportedThrough } from '../../inventory/contract.ts';
import {
  DIFFERENCES_KEPT_MAX,
  type Difference,
  FileReconciliation,
  type ReconciliationView,
  storeStreamKey,
} from '../contract.ts';
import { storeReconciliationsTable } from '../storage/store-reconciliation.table.ts';
import { StoreStreams } from '../storage/store-stream.repository.ts';

const MS_PER_DAY = 86_400_000;
/** Items that one commit corrects. */
const PIECE_ITEMS = 250;

/** Corrects piece by piece and then says so: cut off in between, the same balance again corrects the rest. */
@CommandHandler(FileReconciliation)
export class FileReconciliationHandler implements ICommandHandler<FileReconciliation> {
  private readonly keepMs: number;

  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly commands: CommandBus,
    private readonly clock: Clock,
    private readonly ids: Ids,
    private readonly streams: StoreStreams,
    settings: Settings,
  ) {
    this.keepMs = settings.syncEventsKeepDays * MS_PER_DAY;
  }

  async execute({ locationId, place, differences, apply }: FileReconciliation): Promise<ReconciliationView> {
    const { epoch, sequence, cursor } = place;
    const through = { locationId, place: { epoch, sequence }, cursor: Number(cursor) };
    const told = apply ? await this.correct(through, differences) : differences;
    const drift = told
      .filter(({ code }) => !apply || code !== undefined)
      .reduce((sum, { difference }) => sum + Math.abs(difference), 0);
    const options = { keys: [storeStreamKey(locationId)], workClass: 'bulk' } as const;
    return this.unitOfWork.run(options, async (tx) => {
      const at = this.clock.now();
      const view: ReconciliationView = {
        id: this.ids.next(),
        locationId,
        ...place,
        applied: apply,
        differences: told,
        differencesTotal: told.length,
        drift,
        createdAt: at,
      };
      const kept = told.slice(0, DIFFERENCES_KEPT_MAX);
      tx.insert(storeReconciliationsTable, { ...view, differences: kept, expiresAt: at + this.keepMs });
      const stream = await this.streams.find(tx, locationId);
      stream?.reconciled(drift);
      if (stream !== undefined) this.streams.save(tx, stream);
      return view;
    });
  }

  /** The store's word counts, so its feed does not tell it what it said: the correction is its own. */
  private async correct(through: ReportedThrough, differences: readonly Difference[]): Promise<Difference[]> {
    const told: Difference[] = [];
    const context = { ...currentContext(), origin: through.locationId };
    for (let from = 0; from < differences.length; from += PIECE_ITEMS) {
      const piece = differences.slice(from, from + PIECE_ITEMS);
      const wanted = piece.filter(({ code }) => code === undefined);
      const balances = wanted.map(({ sku, store }) => ({ sku, units: store }));
      const codes = await runInContext(context, () => this.commands.execute(new CorrectBalances(through, balances)));
      const failed = new Map(wanted.map(({ sku }, index) => [sku, codes[index] ?? null]));
      told.push(
        ...piece.map((difference) => {
          const code = failed.get(difference.sku) ?? null;
          return code === null ? difference : { ...difference, code };
        }),
      );
    }
    return told;
  }
}
