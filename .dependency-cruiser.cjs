const { join } = require('node:path');

/*
 * Who may use whom. Every boundary rule below is generated from this table: a module may import the contract.ts of the
 * modules named behind it, and nothing else of any other module. test/architecture sees each rule fail on a planted
 * violation, and every folder under src/modules stand in the table.
 */
const MODULES = {
  inventory: [],
  reservation: ['inventory'],
  sync: ['inventory', 'reservation'],
  // A program of its own (src/store.ts): it knows the centre by what the two say to each other, not by its code.
  agent: [],
};

const SPEC = '\\.spec\\.ts$';
const KERNEL = '^src/shared/kernel/';
const TYPEBOX = 'node_modules/typebox/';
const CQRS = 'node_modules/@nestjs/cqrs/';

const names = Object.keys(MODULES);
const oneOf = (list) => `(?:${list.join('|')})`;
const contractsOf = (list) => (list.length === 0 ? [] : [`^src/modules/${oneOf(list)}/contract\\.ts$`]);

function rulesOfModule([name, allowed]) {
  const own = `^src/modules/${name}/`;
  return [
    {
      name: `${name}-imports-only-contracts`,
      comment: 'Of another module only contract.ts may be imported: the rest is free to change.',
      from: { path: own },
      to: { path: '^src/modules/', pathNot: [own, '^src/modules/[^/]+/contract\\.ts$'] },
    },
    {
      name: `${name}-imports-along-the-table`,
      comment: 'Modules depend on each other in one direction, the one in the table of this file.',
      from: { path: own },
      to: { path: '^src/modules/[^/]+/contract\\.ts$', pathNot: [own, ...contractsOf(allowed)] },
    },
    {
      name: `${name}-domain-is-pure`,
      comment:
        'domain/ sees itself, its contract, the contracts in the table, the kernel and typebox: no I/O, no framework.',
      from: { path: `${own}domain/`, pathNot: SPEC },
      to: { pathNot: [`${own}domain/`, `${own}contract\\.ts$`, ...contractsOf(allowed), KERNEL, TYPEBOX] },
    },
    {
      name: `${name}-contract-is-plain`,
      comment:
        'contract.ts sees the contracts in the table, the kernel, typebox and the typed Command and Query of Nest.',
      from: { path: `${own}contract\\.ts$` },
      to: { pathNot: [...contractsOf(allowed), KERNEL, TYPEBOX, CQRS] },
    },
  ];
}

const generalRules = [
  {
    name: 'every-module-stands-in-the-table',
    comment: 'A folder under src/modules that the table does not know would be under no rule.',
    from: { path: '^src/modules/', pathNot: `^src/modules/${oneOf(names)}/` },
    to: {},
  },
  {
    name: 'kernel-sees-only-kernel',
    comment: 'The kernel is what everything may import, so it imports nothing else of src.',
    from: { path: KERNEL, pathNot: SPEC },
    to: { path: '^src/', pathNot: KERNEL },
  },
  {
    name: 'kernel-knows-no-framework',
    comment: 'The domain stands on the kernel: no Nest, no TypeORM, no HTTP, no driver, no file gets in by this way.',
    from: { path: KERNEL, pathNot: SPEC },
    to: { pathNot: ['^src/', TYPEBOX, 'node_modules/uuid/', '^(async_hooks|crypto)$'] },
  },
  {
    name: 'shared-sees-no-module',
    comment: 'The platform serves every module and knows none.',
    from: { path: '^src/shared/' },
    to: { path: '^src/modules/' },
  },
  {
    name: 'nothing-imports-the-root',
    comment: 'main.ts and app.module.ts put everything together, so nothing that they need may need them.',
    from: { path: '^src/(?:modules|shared)/', pathNot: SPEC },
    to: { path: '^src/[^/]+$' },
  },
  {
    name: 'no-cycles',
    comment: 'Of two files that need each other neither can be read, tested or moved alone. Types count as well.',
    from: {},
    to: { circular: true },
  },
  {
    name: 'no-tests-or-scripts-in-the-program',
    comment: 'The program runs without its tests, scripts, benchmarks and simulation.',
    from: { path: '^src/', pathNot: SPEC },
    to: { path: ['^(?:test|scripts|bench|simulation)/', SPEC] },
  },
  {
    name: 'no-development-dependencies-in-the-program',
    comment: 'What is only in devDependencies is missing where the program runs.',
    from: { path: '^src/', pathNot: SPEC },
    to: { dependencyTypes: ['npm-dev'] },
  },
  {
    name: 'no-undeclared-dependencies',
    comment: 'A package that only another package brings along can vanish with any update.',
    from: { path: '^src/' },
    to: { dependencyTypes: ['npm-no-pkg', 'npm-unknown'] },
  },
  {
    name: 'everything-resolves',
    comment: 'An import that the cruise cannot follow would escape every other rule.',
    from: {},
    to: { couldNotResolve: true },
  },
];

module.exports = {
  forbidden: [...Object.entries(MODULES).flatMap(rulesOfModule), ...generalRules].map((rule) => ({
    ...rule,
    severity: 'error',
  })),
  options: {
    // Without it type-only imports, which the compiler erases, would slip through.
    tsPreCompilationDeps: true,
    tsConfig: { fileName: join(__dirname, 'tsconfig.json') },
    doNotFollow: { path: 'node_modules' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'require', 'node', 'default', 'types'],
      extensions: ['.ts', '.js', '.mjs', '.cjs', '.json', '.d.ts'],
    },
  },
};
