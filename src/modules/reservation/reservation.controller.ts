import { Body, Controller, Get, HttpCode, Param, Post, Put, Query } from '@nestjs/common';
import { QueryBus } from '@nestjs/cqrs';
import { ApiCreatedResponse, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { Allows } from '../../shared/access/allows.ts';
import { answerRead, ifMatchOf, timedTag } from '../../shared/http/etag.ts';
import { type Exchange, HttpExchange } from '../../shared/http/exchange.ts';
import { RequiresIdempotencyKey } from '../../shared/http/idempotency-key.ts';
import { PageQuery } from '../../shared/http/fields.ts';
import { ApiEntityTag, ApiProblems, LOCATION_HEADER } from '../../shared/http/openapi.ts';
import { toPageResponse } from '../../shared/http/page-response.ts';
import { type Answer, WriteDoor } from '../../shared/http/write-door.ts';
import {
  CancelReservation,
  ConfirmReservation,
  CreateReservation,
  FulfilReservation,
  GetReservation,
  GetReservationTimeline,
  ListReservations,
  RefreshReservation,
  type ReservationView,
  UpdateReservation,
} from './contract.ts';
import {
  CancelRequest,
  ConfirmRequest,
  CreateReservationRequest,
  FulfilRequest,
  RefreshRequest,
  ReservationPage,
  ReservationPath,
  ReservationQuery,
  ReservationResponse,
  toReservationResponse,
  UpdateReservationRequest,
} from './reservation.dto.ts';
import { TimelinePage, toTimelinePage } from './timeline.dto.ts';

/** Reservations over HTTP. */
@ApiTags('Reservations')
@Controller('v1/reservations')
export class ReservationController {
  constructor(
    private readonly door: WriteDoor,
    private readonly queries: QueryBus,
  ) {}

  @Post()
  @Allows('operator', 'storefront')
  @RequiresIdempotencyKey()
  @ApiOperation({
    operationId: 'createReservation',
    summary: 'Hold units of one or more products',
    description:
      'All lines or none. A line without a location is sourced: one location for everything if there is one, else one per line, else split.',
  })
  @ApiCreatedResponse({ type: ReservationResponse, description: 'Held until `expiresAt`.', headers: LOCATION_HEADER })
  @ApiEntityTag()
  @ApiProblems(
    'VALIDATION_FAILED',
    'IDEMPOTENCY_KEY_MISSING',
    'IDEMPOTENCY_KEY_REUSED',
    'UNKNOWN_PRODUCT',
    'UNKNOWN_LOCATION',
    'CART_ALREADY_RESERVED',
    'INSUFFICIENT_STOCK',
  )
  create(
    @HttpExchange() exchange: Exchange,
    @Body() { lines, ttlSeconds, cartId }: CreateReservationRequest,
  ): Promise<string> {
    return this.door.write(exchange, new CreateReservation(lines, ttlSeconds, cartId), (reservation) => ({
      ...found(reservation),
      status: 201,
      location: `/v1/reservations/${reservation.id}`,
    }));
  }

  @Get(':id')
  @Allows('operator', 'auditor', 'storefront')
  @ApiOperation({
    operationId: 'getReservation',
    summary: 'Read a reservation',
    description: 'True at this instant: from `expiresAt` on, one that was ACTIVE reads EXPIRED.',
  })
  @ApiOkResponse({ type: ReservationResponse, description: 'The reservation.' })
  @ApiEntityTag()
  @ApiProblems('VALIDATION_FAILED', 'NOT_FOUND')
  async get(@HttpExchange() exchange: Exchange, @Param() { id }: ReservationPath): Promise<string | undefined> {
    const reservation = await this.queries.execute(new GetReservation(id));
    return answerRead(exchange, toReservationResponse(reservation), timedTag(reservation.version));
  }

  @Get(':id/timeline')
  @Allows('operator', 'auditor', 'storefront')
  @ApiOperation({
    operationId: 'getReservationTimeline',
    summary: 'Read everything that happened to a reservation, oldest first',
    description:
      'From the event log: each item is one change of the reservation, with who asked for it and under which correlation id. `allocations` tell where its units were after it. A reservation whose time is over ends with `reservation.expired` at `expiresAt`, at once; `clientId` and `correlationId` of that item are null until it is stored, a moment later.',
  })
  @ApiOkResponse({ type: TimelinePage, description: 'A page of what happened.' })
  @ApiProblems('VALIDATION_FAILED', 'NOT_FOUND')
  async timeline(@Param() { id }: ReservationPath, @Query() { limit, cursor }: PageQuery): Promise<TimelinePage> {
    return toTimelinePage(await this.queries.execute(new GetReservationTimeline(id, limit, cursor ?? null)));
  }

  @Get()
  @Allows('operator', 'auditor', 'storefront', 'store')
  @ApiOperation({
    operationId: 'listReservations',
    summary: 'List reservations, newest first',
    description:
      '`status=CONFIRMED&locationId=` is the pick list of a store: what it has handed over is off the list, although other places may have units of the same reservation to hand over, in which case `allocations` tell. With `status=EXPIRED` the list may miss those that ended within the last moments.',
  })
  @ApiOkResponse({ type: ReservationPage, description: 'A page of reservations.' })
  @ApiProblems('VALIDATION_FAILED')
  async list(
    @Query() { limit, cursor, status, cartId, orderId, locationId }: ReservationQuery,
  ): Promise<ReservationPage> {
    const filter = {
      status: status ?? null,
      cartId: cartId ?? null,
      orderId: orderId ?? null,
      locationId: locationId ?? null,
    };
    const page = await this.queries.execute(new ListReservations(filter, limit, cursor ?? null));
    return toPageResponse(page, toReservationResponse);
  }

  @Put(':id/lines')
  @Allows('operator', 'storefront')
  @ApiOperation({
    operationId: 'updateReservation',
    summary: 'Change the lines without giving up what is held',
    description:
      'The wanted final lines. Only the difference is held or released, in one commit; the time-to-live starts anew. When it cannot be had, lines, units and expiry stay as they were.',
  })
  @ApiOkResponse({ type: ReservationResponse, description: 'Held, with the wanted lines.' })
  @ApiEntityTag()
  @ApiProblems(
    'VALIDATION_FAILED',
    'IDEMPOTENCY_KEY_REUSED',
    'NOT_FOUND',
    'UNKNOWN_PRODUCT',
    'UNKNOWN_LOCATION',
    'VERSION_MISMATCH',
    'RESERVATION_EXPIRED',
    'RESERVATION_NOT_ACTIVE',
    'INSUFFICIENT_STOCK',
  )
  update(
    @HttpExchange() exchange: Exchange,
    @Param() { id }: ReservationPath,
    @Body() { lines, ttlSeconds }: UpdateReservationRequest,
  ): Promise<string> {
    return this.door.write(exchange, new UpdateReservation(id, lines, ttlSeconds, ifMatchOf(exchange)), found);
  }

  @Post(':id/refresh')
  @Allows('operator', 'storefront')
  @HttpCode(200)
  @ApiOperation({
    operationId: 'refreshReservation',
    summary: 'Renew the time-to-live, from now',
    description:
      'Up to the longest life that a reservation may have; refused only when nothing can be gained any more. A shorter time-to-live shortens.',
  })
  @ApiOkResponse({ type: ReservationResponse, description: 'Held until the new `expiresAt`.' })
  @ApiEntityTag()
  @ApiProblems(
    'VALIDATION_FAILED',
    'IDEMPOTENCY_KEY_REUSED',
    'NOT_FOUND',
    'VERSION_MISMATCH',
    'RESERVATION_EXPIRED',
    'RESERVATION_NOT_ACTIVE',
    'HOLD_LIFETIME_EXCEEDED',
  )
  refresh(
    @HttpExchange() exchange: Exchange,
    @Param() { id }: ReservationPath,
    @Body() { ttlSeconds }: RefreshRequest,
  ): Promise<string> {
    return this.door.write(exchange, new RefreshReservation(id, ttlSeconds, ifMatchOf(exchange)), found);
  }

  @Post(':id/confirm')
  @Allows('operator', 'storefront')
  @HttpCode(200)
  @ApiOperation({
    operationId: 'confirmReservation',
    summary: 'Commit what is held: the order is paid',
    description: 'Once. The same order again gets the same answer, another one is refused.',
  })
  @ApiOkResponse({ type: ReservationResponse, description: 'CONFIRMED: the units wait for fulfilment.' })
  @ApiEntityTag()
  @ApiProblems(
    'VALIDATION_FAILED',
    'IDEMPOTENCY_KEY_REUSED',
    'NOT_FOUND',
    'VERSION_MISMATCH',
    'RESERVATION_EXPIRED',
    'RESERVATION_NOT_ACTIVE',
    'ALREADY_CONFIRMED',
  )
  confirm(
    @HttpExchange() exchange: Exchange,
    @Param() { id }: ReservationPath,
    @Body() { orderId }: ConfirmRequest,
  ): Promise<string> {
    return this.door.write(exchange, new ConfirmReservation(id, orderId, ifMatchOf(exchange)), found);
  }

  @Post(':id/cancel')
  @Allows('operator', 'storefront')
  @HttpCode(200)
  @ApiOperation({
    operationId: 'cancelReservation',
    summary: 'Give back what is held or committed',
    description: 'Not once units have left the shelf. Again: the same answer.',
  })
  @ApiOkResponse({ type: ReservationResponse, description: 'CANCELLED: the units can be had by others.' })
  @ApiEntityTag()
  @ApiProblems(
    'VALIDATION_FAILED',
    'IDEMPOTENCY_KEY_REUSED',
    'NOT_FOUND',
    'VERSION_MISMATCH',
    'RESERVATION_EXPIRED',
    'ALREADY_FULFILLED',
  )
  cancel(
    @HttpExchange() exchange: Exchange,
    @Param() { id }: ReservationPath,
    @Body() { reason }: CancelRequest,
  ): Promise<string> {
    return this.door.write(exchange, new CancelReservation(id, reason, ifMatchOf(exchange)), found);
  }

  @Post(':id/fulfil')
  @Allows('operator', 'store')
  @HttpCode(200)
  @ApiOperation({
    operationId: 'fulfilReservation',
    summary: 'Take committed units off the shelf',
    description: 'Of one location or of all; FULFILLED when none is left. Again: the same answer.',
  })
  @ApiOkResponse({ type: ReservationResponse, description: 'What is fulfilled says so in its allocations.' })
  @ApiEntityTag()
  @ApiProblems(
    'VALIDATION_FAILED',
    'IDEMPOTENCY_KEY_REUSED',
    'NOT_FOUND',
    'UNKNOWN_LOCATION',
    'VERSION_MISMATCH',
    'RESERVATION_EXPIRED',
    'RESERVATION_NOT_CONFIRMED',
    'INSUFFICIENT_STOCK',
  )
  fulfil(
    @HttpExchange() exchange: Exchange,
    @Param() { id }: ReservationPath,
    @Body() { locationId }: FulfilRequest,
  ): Promise<string> {
    return this.door.write(exchange, new FulfilReservation(id, locationId, ifMatchOf(exchange)), found);
  }
}

function found(reservation: ReservationView): Answer {
  return { status: 200, body: toReservationResponse(reservation), etag: timedTag(reservation.version) };
}
