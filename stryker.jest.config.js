import common from './jest.config.js';

/** Those of the domain alone: a mutant is put to all of its suites, some two thousand times. @type {import('jest').Config} */
export default {
  testEnvironment: '@stryker-mutator/jest-runner/jest-env/node',
  roots: ['<rootDir>/src'],
  testMatch: ['**/domain/**/*.spec.ts'],
  testPathIgnorePatterns: ['\\.property\\.spec\\.ts$'],
  modulePathIgnorePatterns: ['<rootDir>/dist/'],
  transform: common.transform,
  transformIgnorePatterns: common.transformIgnorePatterns,
};
