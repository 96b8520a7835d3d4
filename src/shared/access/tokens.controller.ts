import { Controller, HttpCode, Post } from '@nestjs/common';
import { CommandBus } from '@nestjs/cqrs';
import { ApiNoContentResponse, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { type Exchange, HttpExchange } from '../http/exchange.ts';
import { ApiProblems } from '../http/openapi.ts';
import { TokenResponse } from './access.dto.ts';
import { credentialMissing } from './access.errors.ts';
import { AccessTokens } from './access-tokens.ts';
import { AllowsAnyone } from './allows.ts';
import { NoteToken, RevokeToken } from './contract.ts';
import { principalOf } from './principal.ts';

/** Short-lived tokens over HTTP. */
@ApiTags('Administration')
@Controller('v1/auth')
export class TokensController {
  constructor(
    private readonly tokens: AccessTokens,
    private readonly commands: CommandBus,
  ) {}

  @Post('token')
  @HttpCode(200)
  @AllowsAnyone('key')
  @ApiOperation({
    operationId: 'createToken',
    summary: 'Exchange a key for a token',
    description:
      'Send the key as `X-Api-Key`. The token may do what the key may, and is over when the key is. A token is not exchanged for another one.',
  })
  @ApiOkResponse({ type: TokenResponse, description: 'Good at once, at every server.' })
  @ApiProblems('VALIDATION_FAILED')
  async createToken(@HttpExchange() { request }: Exchange): Promise<TokenResponse> {
    const principal = principalOf(request);
    if (principal === null) throw credentialMissing();
    const { tenantId, keyId, keyExpiresAt } = principal;
    const { tokenId, expiresAt, ...answer } = await this.tokens.issue(tenantId, keyId, keyExpiresAt);
    await this.commands.execute(new NoteToken(tokenId, keyId, expiresAt));
    return answer;
  }

  @Post('logout')
  @HttpCode(204)
  @AllowsAnyone('token')
  @ApiOperation({
    operationId: 'revokeToken',
    summary: 'Give a token back',
    description:
      'The one that is sent. From this answer on, every server refuses it. A key is revoked by its id instead.',
  })
  @ApiNoContentResponse({ description: 'The token is over.' })
  @ApiProblems('VALIDATION_FAILED')
  async revokeToken(@HttpExchange() { request }: Exchange): Promise<void> {
    const principal = principalOf(request);
    if (principal?.token == null) throw credentialMissing();
    await this.commands.execute(
      new RevokeToken(principal.token.id, this.tokens.forgettableAt(principal.token.expiresAt)),
    );
  }
}
