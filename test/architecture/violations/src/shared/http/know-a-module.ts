// Breaks: shared-sees-no-module
import type { StockView } from '../../modules/inventory/contract.ts';

export type Known = StockView;
