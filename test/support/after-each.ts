import { takeContractFaults } from './contract-faults.ts';

/** Jest's `setupFilesAfterEnv`: fails a test that got an answer which the OpenAPI document does not describe. */
afterEach(() => {
  expect(takeContractFaults()).toEqual([]);
});
