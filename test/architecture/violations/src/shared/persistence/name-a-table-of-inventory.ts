// Names: stock_items
export const statement = (id: string): string => `update stock_items set held = 0 where id = ${id}`;
