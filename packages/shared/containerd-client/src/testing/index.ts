export { FakeContainerd, type FakeOptions, type RecordedCall } from "./fake.ts";
export type { CallName, FaultOptions, Held } from "./faults.ts";
export type { Behaviour, FakeProcess, FakeTask } from "./process.ts";
export type { Store } from "./store.ts";
export { containerdContract } from "./contract/contract.ts";
export type { ContractSubject } from "./contract/subject.ts";
