/** @type {import('@stryker-mutator/api/core').PartialStrykerOptions} */
export default {
  mutate: ['src/modules/*/domain/**/*.ts', '!**/*.spec.ts'],
  testRunner: 'jest',
  jest: { configFile: 'stryker.jest.config.js', enableFindRelatedTests: false },
  coverageAnalysis: 'perTest',
  // Of what is thrown by mistakes of the program only the type is promised, and texts are for people.
  mutator: { excludedMutations: ['StringLiteral'] },
  concurrency: 2,
  timeoutMS: 10_000,
  tempDirName: 'dist/stryker',
  ignorePatterns: ['dist', 'coverage', 'data', 'docs'],
  reporters: ['clear-text', 'json'],
  clearTextReporter: {
    allowColor: false,
    logTests: false,
    reportTests: false,
    reportScoreTable: true,
    skipFull: false,
  },
  jsonReporter: { fileName: 'dist/stryker.json' },
};
