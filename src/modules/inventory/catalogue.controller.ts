import { Body, Controller, Get, Param, Put, Query } from '@nestjs/common';
import { QueryBus } from '@nestjs/cqrs';
import { ApiCreatedResponse, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { Allows } from '../../shared/access/allows.ts';
import { answerRead, parseConditions, versionTag } from '../../shared/http/etag.ts';
import { type Exchange, HttpExchange } from '../../shared/http/exchange.ts';
import { PageQuery } from '../../shared/http/fields.ts';
import { ApiEntityTag, ApiMakesOnly, ApiProblems, LOCATION_HEADER } from '../../shared/http/openapi.ts';
import { toPageResponse } from '../../shared/http/page-response.ts';
import { WriteDoor } from '../../shared/http/write-door.ts';
import { GetLocation, GetProduct, ListLocations, ListProducts, PutLocation, PutProduct } from './contract.ts';
import {
  LocationPage,
  LocationPath,
  LocationResponse,
  ProductPage,
  ProductPath,
  ProductResponse,
  PutLocationRequest,
  PutProductRequest,
  toLocationResponse,
  toProductResponse,
} from './inventory.dto.ts';

/** Locations and products over HTTP. */
@ApiTags('Catalogue')
@Controller('v1')
export class CatalogueController {
  constructor(
    private readonly door: WriteDoor,
    private readonly queries: QueryBus,
  ) {}

  @Put('locations/:locationId')
  @Allows('operator')
  @ApiOperation({
    operationId: 'putLocation',
    summary: 'Create or replace a location',
    description: 'What is left out falls back to its default. The same content again changes nothing.',
  })
  @ApiOkResponse({ type: LocationResponse, description: 'Replaced, or the same as before.' })
  @ApiCreatedResponse({ type: LocationResponse, description: 'Created.', headers: LOCATION_HEADER })
  @ApiEntityTag()
  @ApiMakesOnly()
  @ApiProblems('VALIDATION_FAILED', 'VERSION_MISMATCH', 'IDEMPOTENCY_KEY_REUSED')
  putLocation(
    @HttpExchange() exchange: Exchange,
    @Param() { locationId }: LocationPath,
    @Body() body: PutLocationRequest,
  ): Promise<string> {
    const ifMatch = parseConditions(exchange.request.headers);
    return this.door.write(exchange, new PutLocation(locationId, body, ifMatch), ({ location, created }) => ({
      status: created ? 201 : 200,
      body: toLocationResponse(location),
      etag: versionTag(location.version),
      location: created ? `/v1/locations/${locationId}` : undefined,
    }));
  }

  @Get('locations/:locationId')
  @Allows('operator', 'auditor', 'storefront', 'store')
  @ApiOperation({
    operationId: 'getLocation',
    summary: 'Read a location',
    description: 'Its place in sourcing, too: the priority, and whether it sells online.',
  })
  @ApiOkResponse({ type: LocationResponse, description: 'The location.' })
  @ApiEntityTag()
  @ApiProblems('VALIDATION_FAILED', 'NOT_FOUND')
  async getLocation(
    @HttpExchange() exchange: Exchange,
    @Param() { locationId }: LocationPath,
  ): Promise<string | undefined> {
    const location = await this.queries.execute(new GetLocation(locationId));
    return answerRead(exchange, toLocationResponse(location), versionTag(location.version));
  }

  @Get('locations')
  @Allows('operator', 'auditor', 'storefront')
  @ApiOperation({
    operationId: 'listLocations',
    summary: 'List locations, by id',
    description: 'Stores and warehouses alike.',
  })
  @ApiOkResponse({ type: LocationPage, description: 'A page of locations.' })
  @ApiProblems('VALIDATION_FAILED')
  async listLocations(@Query() { limit, cursor }: PageQuery): Promise<LocationPage> {
    return toPageResponse(await this.queries.execute(new ListLocations(limit, cursor ?? null)), toLocationResponse);
  }

  @Put('products/:sku')
  @Allows('operator')
  @ApiOperation({
    operationId: 'putProduct',
    summary: 'Create or replace a product',
    description: 'What is left out falls back to its default. The same content again changes nothing.',
  })
  @ApiOkResponse({ type: ProductResponse, description: 'Replaced, or the same as before.' })
  @ApiCreatedResponse({ type: ProductResponse, description: 'Created.', headers: LOCATION_HEADER })
  @ApiEntityTag()
  @ApiMakesOnly()
  @ApiProblems('VALIDATION_FAILED', 'VERSION_MISMATCH', 'IDEMPOTENCY_KEY_REUSED')
  putProduct(
    @HttpExchange() exchange: Exchange,
    @Param() { sku }: ProductPath,
    @Body() body: PutProductRequest,
  ): Promise<string> {
    const ifMatch = parseConditions(exchange.request.headers);
    return this.door.write(exchange, new PutProduct(sku, body, ifMatch), ({ product, created }) => ({
      status: created ? 201 : 200,
      body: toProductResponse(product),
      etag: versionTag(product.version),
      location: created ? `/v1/products/${sku}` : undefined,
    }));
  }

  @Get('products/:sku')
  @Allows('operator', 'auditor', 'storefront')
  @ApiOperation({
    operationId: 'getProduct',
    summary: 'Read a product',
    description: 'What is sold. How many of it there are: `GET /v1/stock/{sku}`.',
  })
  @ApiOkResponse({ type: ProductResponse, description: 'The product.' })
  @ApiEntityTag()
  @ApiProblems('VALIDATION_FAILED', 'NOT_FOUND')
  async getProduct(@HttpExchange() exchange: Exchange, @Param() { sku }: ProductPath): Promise<string | undefined> {
    const product = await this.queries.execute(new GetProduct(sku));
    return answerRead(exchange, toProductResponse(product), versionTag(product.version));
  }

  @Get('products')
  @Allows('operator', 'auditor', 'storefront')
  @ApiOperation({
    operationId: 'listProducts',
    summary: 'List products, by sku',
    description: 'Those that are no longer active, too.',
  })
  @ApiOkResponse({ type: ProductPage, description: 'A page of products.' })
  @ApiProblems('VALIDATION_FAILED')
  async listProducts(@Query() { limit, cursor }: PageQuery): Promise<ProductPage> {
    return toPageResponse(await this.queries.execute(new ListProducts(limit, cursor ?? null)), toProductResponse);
  }
}
