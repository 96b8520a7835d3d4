import { ROLES } from '../../src/shared/access/roles.ts';

/** An OpenAPI document, as far as it says who may make which call. */
interface Document {
  readonly paths: Readonly<Record<string, object>>;
}

interface Operation {
  readonly 'x-roles'?: readonly string[];
  readonly 'x-cost'?: string;
  readonly security?: readonly object[];
}

const TABLE = /(<!-- roles[^>]*-->\n)[^]*(<!-- \/roles -->)/;

/** @returns the page with its table made anew: the calls in the order of the document, the roles in that of roles.ts, and what a call costs */
export function withRoleTable(page: string, { paths }: Document): string {
  const lines = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods as Record<string, Operation>).map(
      ([method, operation]) =>
        `| \`${method.toUpperCase()} ${path}\` |${ROLES.map((role) => cellOf(role, operation)).join('|')}| ${operation['x-cost'] ?? ''} |`,
    ),
  );
  const head = [
    `| call |${ROLES.map((role) => ` \`${role}\` `).join('|')}| cost |`,
    `| --- |${ROLES.map(() => ' --- ').join('|')}| --- |`,
  ];
  return page.replace(
    TABLE,
    (_all, begin: string, end: string) => `${begin}\n${[...head, ...lines].join('\n')}\n\n${end}`,
  );
}

function cellOf(role: string, { 'x-roles': roles, security }: Operation): string {
  if (security?.length === 0) return ' open ';
  return roles?.includes(role) === true ? ' yes ' : ' ';
}
