import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Metrics } from '../../src/shared/operations/metrics.ts';

const PAGE = readFileSync(join(__dirname, '../../docs/operations.md'), 'utf8');
const ROW = /^\| `([a-z_]+)(?:\{([a-z,]+)\})?` +\| (counter|gauge|histogram) +\| \S.* +\| \S/gm;
/** The agent of a store has a section, and a table, of its own: there stands only what the centre does not have. */
const AGENTS = /^## Store agents$.*?(?=^## )/ms;

/** `name{labels} type` of every metric in the tables of docs/operations.md, sorted. */
export function metricsTold(of: 'centre' | 'agent'): string[] {
  const agents = AGENTS.exec(PAGE)?.[0] ?? '';
  const part = of === 'agent' ? agents : PAGE.replace(agents, '');
  return [...part.matchAll(ROW)].map(([, name, labels, type]) => `${name}{${labels ?? ''}} ${type}`).sort();
}

/** The same of what a program measures, but for what every Node.js process does. @param text of its `/metrics` */
export function metricsMeasured(text: string, { registry }: Metrics): string[] {
  const labels = new Map(registry.getMetricsAsArray().map((metric) => [metric.name, labelNamesOf(metric)]));
  return [...text.matchAll(/^# TYPE ([a-z_]+) (counter|gauge|histogram)$/gm)]
    .filter(([, name]) => !/^(process|nodejs)_/.test(name ?? ''))
    .map(([, name, type]) => `${name}{${labels.get(name ?? '')?.join(',')}} ${type}`)
    .sort();
}

/** prom-client keeps them in a field that its typings do not show. */
function labelNamesOf(metric: object): readonly string[] {
  return (metric as { labelNames: readonly string[] }).labelNames;
}
