import type { ApiKeyRow } from './api-key.table.ts';
import type { KeyView } from './contract.ts';

export function toKeyView({ hash: _hash, version: _version, ...shown }: ApiKeyRow, tenantId: string): KeyView {
  return { ...shown, tenantId };
}
