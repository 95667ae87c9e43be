import { join } from "node:path";
import { containerdContract } from "@longshore/containerd-client/testing";
import { contractSubject } from "../engine/contract.ts";
import { shared } from "../engine/shared.ts";

describe("what clients take for granted of our containerd", () => {
  containerdContract(() => contractSubject(join(shared.dir, "containerd.sock"), `contract-${process.pid}`));
});
