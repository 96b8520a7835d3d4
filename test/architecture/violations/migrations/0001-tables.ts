export const statements = ['CREATE TABLE stock_items (id TEXT)', 'CREATE TABLE event_log (id TEXT)'];
