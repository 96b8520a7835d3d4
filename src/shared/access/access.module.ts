import { Global, Module } from '@nestjs/common';
import { CqrsModule } from '@nestjs/cqrs';
import type { Table } from '../persistence/table.ts';
import { AccessTokens } from './access-tokens.ts';
import { apiKeysTable } from './api-key.table.ts';
import { Directory } from './directory.ts';
import { FirstKey } from './first-key.ts';
import { Gate } from './gate.ts';
import { CreateTenantHandler } from './handlers/create-tenant.ts';
import { EraseTenantHandler } from './handlers/erase-tenant.ts';
import { IssueKeyHandler } from './handlers/issue-key.ts';
import { NoteExportHandler } from './handlers/note-export.ts';
import { NoteTokenHandler } from './handlers/note-token.ts';
import { RevokeKeyHandler } from './handlers/revoke-key.ts';
import { RevokeTokenHandler } from './handlers/revoke-token.ts';
import { SetTenantStatusHandler } from './handlers/set-tenant-status.ts';
import { KeyLookup } from './key-lookup.ts';
import { KeysController } from './keys.controller.ts';
import { LastUse } from './last-use.ts';
import { LastingAccess } from './lasting-access.ts';
import { revokedTokensTable } from './revoked-token.table.ts';
import { signingKeysTable } from './signing-key.table.ts';
import { SigningKeys } from './signing-keys.ts';
import { TenantData } from './tenant-data.ts';
import { tenantsTable } from './tenant.table.ts';
import { TenantsController } from './tenants.controller.ts';
import { TokensController } from './tokens.controller.ts';

/** In the order in which a batch writes them. */
export const ACCESS_TABLES = [tenantsTable, apiKeysTable, signingKeysTable, revokedTokensTable] as Table[];

const HANDLERS = [
  CreateTenantHandler,
  SetTenantStatusHandler,
  EraseTenantHandler,
  IssueKeyHandler,
  RevokeKeyHandler,
  RevokeTokenHandler,
  NoteTokenHandler,
  NoteExportHandler,
];

/** Who may do what. Needs UnitOfWork, Reader, Clock, Ids, Settings and WriteDoor from global modules. */
@Global()
@Module({
  imports: [CqrsModule],
  controllers: [TenantsController, KeysController, TokensController],
  providers: [
    Gate,
    KeyLookup,
    AccessTokens,
    SigningKeys,
    LastUse,
    LastingAccess,
    Directory,
    TenantData,
    FirstKey,
    ...HANDLERS,
  ],
  exports: [Gate, LastingAccess],
})
export class AccessModule {}
