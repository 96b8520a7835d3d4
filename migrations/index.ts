import { StockAndReservations0001 } from './0001-stock-and-reservations.ts';
import { Transfers0002 } from './0002-transfers.ts';
import { ImportChunks0003 } from './0003-import-chunks.ts';
import { Callers0004 } from './0004-callers.ts';
import { Retention0005 } from './0005-retention.ts';
import { Delivery0006 } from './0006-delivery.ts';
import { Origins0007 } from './0007-origins.ts';
import { PickLists0010 } from './0010-pick-lists.ts';
import { StoreStreams0011 } from './0011-store-streams.ts';
import { Orders0012 } from './0012-orders.ts';
import { CommittedHolds0013 } from './0013-committed-holds.ts';
import { Freshness0014 } from './0014-freshness.ts';
import { Reconciliations0015 } from './0015-reconciliations.ts';
import { Access0020 } from './0020-access.ts';
import { ClientsOfReservations0021 } from './0021-clients-of-reservations.ts';
import { Caps0022 } from './0022-caps.ts';
import { Audit0023 } from './0023-audit.ts';
import { TenantWall0030 } from './0030-tenant-wall.ts';

/** In order, forward only: what was released is never edited, only followed. */
export const MIGRATIONS = [
  StockAndReservations0001,
  Transfers0002,
  ImportChunks0003,
  Callers0004,
  Retention0005,
  Delivery0006,
  Origins0007,
  PickLists0010,
  StoreStreams0011,
  Orders0012,
  CommittedHolds0013,
  Freshness0014,
  Reconciliations0015,
  Access0020,
  ClientsOfReservations0021,
  Caps0022,
  Audit0023,
  TenantWall0030,
];
