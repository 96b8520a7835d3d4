import { type DynamicModule, Module } from '@nestjs/common';
import { CqrsModule } from '@nestjs/cqrs';
import { PurgePieces } from '../../shared/housekeeping/purge-pieces.ts';
import type { Table } from '../../shared/persistence/table.ts';
import { AgentHealthController } from './agent-health.controller.ts';
import { AgentMetrics } from './agent-metrics.ts';
import { AgentSettings } from './agent-settings.ts';
import { ApplyChanges } from './handlers/apply-changes.ts';
import { GetShelfHandler } from './handlers/get-shelf.ts';
import { ListShelfReservationsHandler } from './handlers/list-shelf-reservations.ts';
import { NoteAnswer } from './handlers/note-answer.ts';
import { OpenStream } from './handlers/open-stream.ts';
import { RecordCountHandler } from './handlers/record-count.ts';
import { RecordMovementHandler } from './handlers/record-movement.ts';
import { Recorder } from './handlers/recorder.ts';
import { RecordPickupHandler } from './handlers/record-pickup.ts';
import { TakeOverSnapshot } from './handlers/take-over-snapshot.ts';
import { Centre } from './link/centre.ts';
import { Circuit } from './link/circuit.ts';
import { Follower } from './link/follower.ts';
import { Link } from './link/link.ts';
import { LinkReport } from './link/link-report.ts';
import { LinkState } from './link/link-state.ts';
import { Pusher } from './link/pusher.ts';
import { WakeUp } from './link/wake-up.ts';
import { ShelfController } from './shelf.controller.ts';
import { Pickups } from './storage/pickup.repository.ts';
import { Shelf } from './storage/shelf.repository.ts';
import { shelfHoldsTable, shelfItemsTable } from './storage/shelf.table.ts';
import { Streams } from './storage/stream.repository.ts';
import { streamTable } from './storage/stream.table.ts';
import { TillEvents } from './storage/till-event.repository.ts';
import { pickupsTable, tillEventsTable } from './storage/till-event.table.ts';
import { Tidying } from './tidying.ts';
import { TillController } from './till.controller.ts';

/** In the order in which a batch writes them. */
export const AGENT_TABLES = [streamTable, shelfItemsTable, shelfHoldsTable, tillEventsTable, pickupsTable] as Table[];

const TILL = [RecordMovementHandler, RecordCountHandler, RecordPickupHandler, Recorder];
const SHELF = [GetShelfHandler, ListShelfReservationsHandler];
const STORAGE = [Streams, Shelf, TillEvents, Pickups];
const LINK = [Centre, Circuit, LinkState, LinkReport, WakeUp, Pusher, Follower, Link];
const WHAT_THE_CENTRE_SAYS = [OpenStream, NoteAnswer, ApplyChanges, TakeOverSnapshot];

/** One store beside its tills: what they record, its shelf, and its link to the centre. */
@Module({})
export class AgentModule {
  static forRoot(settings: AgentSettings): DynamicModule {
    return {
      module: AgentModule,
      imports: [CqrsModule],
      controllers: [TillController, ShelfController, AgentHealthController],
      providers: [
        { provide: AgentSettings, useValue: settings },
        AgentMetrics,
        PurgePieces,
        Tidying,
        ...TILL,
        ...SHELF,
        ...STORAGE,
        ...LINK,
        ...WHAT_THE_CENTRE_SAYS,
      ],
    };
  }
}
