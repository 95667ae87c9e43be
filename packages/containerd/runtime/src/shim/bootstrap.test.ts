import assert from "node:assert/strict";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { AnySchema } from "@bufbuild/protobuf/wkt";
import {
  BootstrapParamsSchema,
  BootstrapResultSchema,
} from "@longshore/proto/containerd/runtime/bootstrap/v1/bootstrap";
import { decodeStart, decodeStored, encodeStart, encodeStored } from "./bootstrap.ts";
import { shimName } from "./binary.ts";

describe("shim bootstrap", () => {
  const config = {
    root: "/r",
    state: "/s",
    address: "/s/c.sock",
    ttrpcAddress: "/s/c.sock.ttrpc",
    containerdBinary: "/c",
    shimDirs: [],
    debug: true,
    version: "v2.1.4",
  };
  const expected = { version: 3, address: "unix:///run/s/x", protocol: "ttrpc" };

  it("reads the answers of all generations of shims", () => {
    assert.deepEqual(
      decodeStart(Buffer.from(toBinary(BootstrapResultSchema, create(BootstrapResultSchema, expected)))),
      expected,
    );
    assert.deepEqual(decodeStart(Buffer.from(JSON.stringify(expected))), expected);
    assert.deepEqual(decodeStart(Buffer.from('{"version":2,"address":"unix:///a"}')), {
      version: 2,
      address: "unix:///a",
      protocol: "ttrpc",
    });
    assert.deepEqual(decodeStart(Buffer.from("unix:///run/s/x\n")), { ...expected, version: 2 });
    assert.deepEqual(decodeStored(encodeStored(expected)), expected);
  });

  it("refuses what it does not speak", () => {
    assert.throws(
      () => decodeStart(Buffer.from('{"version":4,"address":"unix:///a"}')),
      /unsupported shim version \(4\)/,
    );
    assert.throws(
      () => decodeStart(Buffer.from('{"version":3,"address":"unix:///a","protocol":"grpc"}')),
      /unsupported protocol: grpc/,
    );
    assert.throws(() => decodeStart(Buffer.from("")), /did not report its address/);
    assert.throws(() => decodeStored("{"), /bootstrap.json cannot be read/);
  });

  it("passes options inside the parameters, and bare to shims of the first generation", () => {
    const options = create(AnySchema, { typeUrl: "containerd.runc.v1.Options", value: Uint8Array.of(1) });
    const params = fromBinary(
      BootstrapParamsSchema,
      encodeStart("/x/containerd-shim-runc-v2", "ns", "id", options, config),
    );
    assert.equal(params.extensions[0]?.value?.typeUrl, options.typeUrl);
    assert.deepEqual([params.namespace, params.instanceId, params.socketDir], ["ns", "id", "/s/s"]);
    assert.equal(
      fromBinary(AnySchema, encodeStart("/x/containerd-shim-runc-v1", "ns", "id", options, config)).typeUrl,
      options.typeUrl,
    );
    const deep = { ...config, state: `/${"d".repeat(41)}` };
    assert.equal(
      fromBinary(BootstrapParamsSchema, encodeStart("/x/shim", "ns", "id", undefined, deep)).socketDir,
      undefined,
    );
  });

  it("names the binary after the runtime", () => {
    assert.equal(shimName("io.containerd.runc.v2"), "containerd-shim-runc-v2");
    assert.equal(shimName("io.containerd.longshore.v2"), "containerd-shim-longshore-v2");
    for (const bad of ["runc", "a/b.c", ".v2"]) assert.throws(() => shimName(bad), /invalid runtime name/);
  });
});
