import { readFileSync } from 'node:fs';
import { join } from 'node:path';

interface Schema {
  readonly $ref?: string;
  readonly oneOf?: readonly Schema[];
  readonly properties?: { readonly code?: { readonly const?: string } };
}

interface Response {
  readonly $ref?: string;
  readonly content?: Readonly<Record<string, { readonly schema: Schema }>>;
}

interface Document {
  readonly paths: Readonly<
    Record<string, Readonly<Record<string, { readonly responses: Readonly<Record<string, Response>> }>>>
  >;
  readonly components: {
    readonly responses: Readonly<Record<string, Response>>;
    readonly schemas: Readonly<Record<string, Schema>>;
  };
}

/** @returns the error codes of each operation, named as in `PUT /v1/locations/{locationId}`, in docs/openapi.json */
export function documentedCodes(): ReadonlyMap<string, ReadonlySet<string>> {
  const file = join(__dirname, '..', '..', 'docs', 'openapi.json');
  const { paths, components } = JSON.parse(readFileSync(file, 'utf8')) as Document;

  const codesOfSchema = ({ $ref, oneOf = [], properties }: Schema): string[] => {
    if ($ref !== undefined) return codesOfSchema(components.schemas[lastOf($ref)] ?? {});
    const code = properties?.code?.const;
    return code === undefined ? oneOf.flatMap(codesOfSchema) : [code];
  };
  const codesOfResponse = ({ $ref, content }: Response): string[] => {
    if ($ref !== undefined) return codesOfResponse(components.responses[lastOf($ref)] ?? {});
    const problem = content?.['application/problem+json'];
    return problem === undefined ? [] : codesOfSchema(problem.schema);
  };

  const operations = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, { responses }]) => {
      const codes = Object.values(responses).flatMap(codesOfResponse);
      return [`${method.toUpperCase()} ${path}`, new Set(codes)] as const;
    }),
  );
  return new Map(operations);
}

function lastOf(reference: string): string {
  return reference.split('/').at(-1) ?? '';
}
