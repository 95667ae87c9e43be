import { contentContract } from "./content.ts";
import { leaseContract } from "./leases.ts";
import { recordContract } from "./records.ts";
import { snapshotContract } from "./snapshots.ts";
import type { ContractSubject } from "./subject.ts";
import { taskContract } from "./tasks.ts";

/**
 * What clients take for granted of containerd, as mocha's tests: the fake and the real one are held to the same.
 * @param open brings a containerd up, once for all tests
 */
export function containerdContract(open: () => Promise<ContractSubject>): void {
  let opened: ContractSubject | undefined;
  const subject = (): ContractSubject => {
    if (opened === undefined) throw new Error("the contract's subject is not open");
    return opened;
  };
  before(async () => {
    opened = await open();
  });
  after(() => opened?.close());
  describe("leases", () => leaseContract(subject));
  describe("content", () => contentContract(subject));
  describe("records", () => recordContract(subject));
  describe("snapshots", () => snapshotContract(subject));
  describe("tasks", () => taskContract(subject));
}
