// Breaks: inventory-contract-is-plain
export type { DataSource } from 'typeorm';

export interface StockView {
  readonly sku: string;
}
