import assert from "node:assert/strict";
import { atOnce, concurrencyOf, inNamespace, leaseOf, namespaceOf, underLease } from "./metadata.ts";

describe("the metadata of calls", () => {
  it("names what the client asked for", () => {
    const metadata = { ...inNamespace("moby"), ...underLease("l").metadata, ...atOnce(3) };
    assert.deepEqual([namespaceOf({ metadata }), leaseOf({ metadata }), concurrencyOf({ metadata })], ["moby", "l", 3]);
    assert.deepEqual([leaseOf({ metadata: {} }), concurrencyOf({ metadata: {} })], [undefined, undefined]);
    assert.throws(() => namespaceOf({ metadata: {} }), {
      name: "FailedPrecondition",
      message: "namespace is required: failed precondition",
    });
  });

  it("takes the first of several leases or namespaces that a client sends", () => {
    const metadata = { "containerd-namespace": "inner, outer", "containerd-lease": "second, first" };
    assert.deepEqual([namespaceOf({ metadata }), leaseOf({ metadata })], ["inner", "second"]);
  });

  it("takes no concurrency that is none", () => {
    for (const given of ["0", "-1", "x", "1e3", "10000000", ""])
      assert.equal(concurrencyOf({ metadata: { "longshore-concurrency": given } }), undefined, given);
  });
});
