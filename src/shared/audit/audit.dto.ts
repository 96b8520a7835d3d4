import { ApiProperty, ApiSchema } from '@nestjs/swagger';
import { IdField, InstantField, PageQuery, PatternQuery } from '../http/fields.ts';
import { PageResponse } from '../http/page-response.ts';
import { toIsoInstant } from '../kernel/clock.ts';
import type { AuditEntryView, AuditFilter } from './audit-reads.ts';

const KEY_ID = '019ab0c2-7b1e-7c43-9a55-0d6c1f6e2b11';
const HASH = '5d41402abc4b2a76b9719d911017c592ae2c1b5ed5ab3a4e7d2f1c0b9a8e7d6f';

export class AuditQuery extends PageQuery {
  @IdField({ optional: true, description: 'Only what was done with this key.', example: KEY_ID })
  keyId?: string;

  @PatternQuery(/^[A-Za-z0-9._:@-]{1,130}$/, '1 to 130 of `A-Z a-z 0-9 . _ : - @`', {
    optional: true,
    description: 'Only what this client did; of another tenant, with its name behind it: `default@default`.',
    example: 'web-shop',
  })
  clientId?: string;

  @PatternQuery(/^[a-z-]{1,64}(?:\.[a-z-]{1,64}){1,3}$/, 'the type of an event, such as `inventory.stock.moved`', {
    optional: true,
    description: 'Only what is called so in docs/events.md.',
    example: 'inventory.stock.moved',
  })
  action?: string;

  @PatternQuery(/^[A-Za-z0-9._:*/-]{1,200}$/, 'the subject of an event, such as `stock/MUG-RED/S1`', {
    optional: true,
    description: 'Only what happened to this.',
    example: 'stock/MUG-RED/S1',
  })
  subject?: string;

  @PatternQuery(/^[A-Za-z0-9._:-]{1,128}$/, '1 to 128 of `A-Z a-z 0-9 . _ : -`', {
    optional: true,
    description: 'Only what came of requests with this correlation id.',
    example: 'till-7:receipt.1',
  })
  correlationId?: string;

  @InstantField({ optional: true, description: 'Only from then on.', example: '2026-11-22T00:00:00.000Z' })
  from?: string;

  @InstantField({ optional: true, description: 'Only before then.', example: '2026-11-23T00:00:00.000Z' })
  to?: string;
}

export function filterOf(query: AuditQuery): AuditFilter {
  const { keyId = null, clientId = null, action = null, subject = null, correlationId = null, from, to } = query;
  const instant = (text: string | undefined): number | null => (text === undefined ? null : Date.parse(text));
  return { keyId, clientId, action, subject, correlationId, from: instant(from), to: instant(to) };
}

@ApiSchema({ description: 'Who did what, when and from where, chained to what was done before.' })
export class AuditEntryResponse {
  @ApiProperty({ description: 'In whose chain it is; `*`: in that of no tenant.', example: 'acme' })
  tenantId!: string;

  @ApiProperty({ type: 'integer', minimum: 1, description: 'Counts from 1 in each chain, without holes.', example: 41 })
  number!: number;

  @ApiProperty({ format: 'date-time', description: 'When it was done.', example: '2026-11-22T09:00:00.000Z' })
  occurredAt!: string;

  @ApiProperty({
    type: String,
    nullable: true,
    description: 'The id of the key that was sent; null: nobody was asked for one, or it follows from something else.',
    example: KEY_ID,
  })
  keyId!: string | null;

  @ApiProperty({
    description: 'Who did it; of another tenant, with its name behind it. Jobs of the server have names as well.',
    example: 'web-shop',
  })
  clientId!: string;

  @ApiProperty({
    type: String,
    nullable: true,
    description: 'From where: an IPv4 or IPv6 address. Null where nobody asked.',
    example: '192.0.2.7',
  })
  address!: string | null;

  @ApiProperty({ description: 'Finds the request in the logs.', example: 'till-7:receipt.1' })
  correlationId!: string;

  @ApiProperty({
    type: String,
    nullable: true,
    description: 'The event that it follows from.',
    example: null,
  })
  causationId!: string | null;

  @ApiProperty({ type: String, nullable: true, description: 'The store that reported it.', example: null })
  origin!: string | null;

  @ApiProperty({ description: 'What was done: a type of docs/events.md.', example: 'inventory.stock.moved' })
  action!: string;

  @ApiProperty({ type: 'integer', minimum: 1, description: 'Of that type.', example: 1 })
  version!: number;

  @ApiProperty({ description: 'To what.', example: 'stock/MUG-RED/S1' })
  subject!: string;

  @ApiProperty({ type: 'integer', minimum: 0, description: 'Its version after it.', example: 7 })
  subjectVersion!: number;

  @ApiProperty({
    type: 'object',
    additionalProperties: true,
    description: 'The payload of the event.',
    example: { sku: 'MUG-RED', locationId: 'S1', movementType: 'RECEIPT', delta: 10 },
  })
  data!: object;

  @ApiProperty({ description: 'Of the event.', example: KEY_ID })
  eventId!: string;

  @ApiProperty({
    description: 'SHA-256 over all of it and the hash of the entry before (docs/audit.md).',
    example: HASH,
  })
  hash!: string;
}

@ApiSchema({ description: 'A page of the audit.' })
export class AuditPage extends PageResponse {
  @ApiProperty({
    type: [AuditEntryResponse],
    description: 'Newest first. There may be fewer than `limit`, and more on the next page all the same.',
  })
  items!: AuditEntryResponse[];
}

export function toAuditEntryResponse(entry: AuditEntryView): AuditEntryResponse {
  return {
    tenantId: entry.tenantId,
    number: entry.number,
    occurredAt: toIsoInstant(entry.occurredAt),
    keyId: entry.keyId,
    clientId: entry.clientId,
    address: entry.address,
    correlationId: entry.correlationId,
    causationId: entry.causationId,
    origin: entry.origin,
    action: entry.action,
    version: entry.version,
    subject: entry.subject,
    subjectVersion: entry.subjectVersion,
    data: JSON.parse(entry.data) as object,
    eventId: entry.eventId,
    hash: entry.hash,
  };
}
