/*
 * Jest 30 cannot `require` ES modules before Node 24.9, and its own ES-module mode needs an experimental flag. So swc
 * turns everything that is an ES module into CommonJS for the tests: our sources, and these packages.
 */
const ES_MODULE_PACKAGES = ['@nestjs', '@seriousme', 'cookie', 'content-disposition', 'typebox', 'uuid', 'jose'];

const common = {
  swcrc: false,
  sourceMaps: 'inline',
  module: { type: 'commonjs' },
};

const typescript = {
  ...common,
  jsc: {
    target: 'es2022',
    parser: { syntax: 'typescript', decorators: true, dynamicImport: true },
    transform: {
      legacyDecorator: true,
      decoratorMetadata: true,
      useDefineForClassFields: false,
      verbatimModuleSyntax: true,
    },
    keepClassNames: true,
  },
};

// A package may mix both kinds of module, so swc looks at each file before it decides what it is.
const javascript = {
  ...common,
  isModule: 'unknown',
  jsc: { target: 'es2022', parser: { syntax: 'ecmascript' }, keepClassNames: true },
};

/** @type {import('jest').Config} */
export default {
  testEnvironment: 'node',
  roots: ['<rootDir>/src', '<rootDir>/test'],
  testMatch: ['**/*.spec.ts'],
  globalSetup: '<rootDir>/test/support/services.ts',
  setupFilesAfterEnv: ['<rootDir>/test/support/after-each.ts'],
  globalTeardown: '<rootDir>/test/support/drop-databases.ts',
  reporters: ['default', '<rootDir>/test/support/no-empty-run.cjs'],
  // The planted violations are input of the architecture suite, not part of the program.
  modulePathIgnorePatterns: ['<rootDir>/dist/', '<rootDir>/test/architecture/violations/'],
  transform: {
    '\\.ts$': ['@swc/jest', typescript],
    '\\.m?js$': ['@swc/jest', javascript],
  },
  transformIgnorePatterns: [`/node_modules/(?!(?:.*/node_modules/)?(?:${ES_MODULE_PACKAGES.join('|')})/)`],
  // Generous: a suite that starts servers shares two slow cores with another one. LONG=1: see test/support/counts.ts.
  testTimeout: process.env.LONG === '1' ? 3_600_000 : 300_000,
  maxWorkers: 2,
  // Each suite leaves some of its modules in its worker; past the 4 GB of V8 it would die, and long before that it is slow.
  workerIdleMemoryLimit: '1GB',
  // Counters in the code (istanbul) cost a tenth of the time; V8's own coverage more than doubles it.
  coverageProvider: 'babel',
  collectCoverageFrom: ['src/**/*.ts', '!src/**/*.spec.ts'],
  coverageReporters: ['text-summary', 'lcovonly'],
  coverageThreshold: { global: { lines: 90 } },
};
