import { Controller, Get, Param } from '@nestjs/common';
import { QueryBus } from '@nestjs/cqrs';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { ApiProblems } from '../../shared/http/openapi.ts';
import { ShelfReservationsResponse, ShelfStatusResponse, SkuPath, toReservationResponse } from './agent.dto.ts';
import { GetShelf, ListShelfReservations } from './contract.ts';

/** What staff want to know of their shelf. */
@ApiTags('Shelf')
@Controller()
export class ShelfController {
  constructor(private readonly queries: QueryBus) {}

  @Get('stock/:sku')
  @ApiOperation({
    operationId: 'getShelfStock',
    summary: 'Read one sku on the shelf',
    description:
      'What the tills did is in it at once, what the centre decided as soon as it is told. A sku of which nothing was heard has zeros: what is in the catalogue, only the centre knows.',
  })
  @ApiOkResponse({ type: ShelfStatusResponse, description: 'The shelf as the store knows it.' })
  @ApiProblems('VALIDATION_FAILED')
  getShelfStock(@Param() { sku }: SkuPath): Promise<ShelfStatusResponse> {
    return this.queries.execute(new GetShelf(sku));
  }

  @Get('reservations')
  @ApiOperation({
    operationId: 'listShelfReservations',
    summary: 'List what on the shelf is promised to somebody',
    description: 'Reservations that hold units here, and paid ones that wait for their customer.',
  })
  @ApiOkResponse({ type: ShelfReservationsResponse, description: 'Oldest first.' })
  async listShelfReservations(): Promise<ShelfReservationsResponse> {
    const reservations = await this.queries.execute(new ListShelfReservations());
    return { items: reservations.map(toReservationResponse) };
  }
}
