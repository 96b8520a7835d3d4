// Names: stock_items
export const key = { table: 'stock_items', values: ['A'] };
