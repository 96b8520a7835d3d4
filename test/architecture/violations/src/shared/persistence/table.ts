export function defineTable(table: { name: string }): { name: string } {
  return table;
}
