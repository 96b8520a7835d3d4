/** Answers that were not as documented. A test that catches what its requests throw must not hide one. */
const faults: string[] = [];

export function rememberContractFault(fault: string): void {
  faults.push(fault);
}

/** @returns what was remembered since the last call */
export function takeContractFaults(): string[] {
  return faults.splice(0);
}
