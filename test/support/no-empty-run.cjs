/**
 * A run that executed no test proves nothing, so it fails. Jest by itself fails when no file matched, but not when the
 * files that matched held no test to run (all skipped, or none of the name given by `-t`).
 */
module.exports = class NoEmptyRun {
  onRunComplete(_contexts, results) {
    this.isEmpty = results.numPassedTests + results.numFailedTests === 0;
    if (this.isEmpty) process.stderr.write('No test ran, so this run fails.\n');
  }

  /** What it returns makes Jest exit with 1. */
  getLastError() {
    return this.isEmpty ? new Error('No test ran') : undefined;
  }
};
