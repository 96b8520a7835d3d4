const cache = new Map<string, { text: string; names: string[] }>();

/** Turns `:name` parameters into PostgreSQL's `$n`; `::type` casts are left alone. Remembered per SQL text. */
export function numbered(sql: string): { text: string; names: string[] } {
  let result = cache.get(sql);
  if (result === undefined) {
    const names: string[] = [];
    const text = sql.replace(/(?<!:):([a-zA-Z]\w*)/g, (_, name: string) => {
      const known = names.indexOf(name);
      return `$${known >= 0 ? known + 1 : names.push(name)}`;
    });
    result = { text, names };
    cache.set(sql, result);
  }
  return result;
}
