import assert from "node:assert/strict";
import { decode } from "@longshore/go-json";
import { createBody } from "./container-shapes.ts";
import { updateShape } from "@longshore/docker-api";

describe("JSON shapes", () => {
  it("match names in any case and drop unknown ones", () => {
    assert.deepEqual(decode(createBody, { image: "x", hostconfig: { memory: 1, nope: 1 }, Nope: 1 }), {
      Image: "x",
      HostConfig: { Memory: 1 },
    });
  });

  it("take null as absent or empty, and a string for a command", () => {
    assert.deepEqual(decode(createBody, { Image: null, Env: null, Cmd: "a b", Labels: null }), {
      Env: null,
      Cmd: ["a b"],
      Labels: null,
    });
  });

  it("take null as absent where documents leave out what is empty, and never as a list that is none", () => {
    assert.deepEqual(
      decode(createBody, {
        ExposedPorts: null,
        Shell: null,
        Healthcheck: { Test: null, Retries: 1 },
        HostConfig: { Mounts: [{ VolumeOptions: { Labels: null } }], Binds: null, Annotations: null },
      }),
      { Healthcheck: { Retries: 1 }, HostConfig: { Mounts: [{ VolumeOptions: {} }], Binds: null } },
    );
  });

  it("keep `__proto__` as a plain key of a map", () => {
    const decoded = decode(createBody, JSON.parse('{"Labels":{"__proto__":"x"}}')) as {
      Labels: Record<string, string>;
    };
    assert.deepEqual(Object.keys(decoded.Labels), ["__proto__"]);
  });

  it("refuse wrong types in the words of Docker's decoder", () => {
    const cases: [unknown, string][] = [
      [[], "array into Go value of type container.CreateRequest"],
      [{ Image: 1 }, "number into Go struct field .Image of type string"],
      [{ HostConfig: { Binds: "x" } }, "string into Go struct field .HostConfig.Binds of type []string"],
      [{ HostConfig: { Memory: 1.5 } }, "number 1.5 into Go struct field .HostConfig.Memory of type int64"],
      [{ Env: ["a", 1] }, "number into .Env.1 of type string"],
      [
        { HostConfig: { PortBindings: { "80/tcp": [{ HostPort: 80 }] } } },
        "number into Go struct field .HostConfig.PortBindings.80~1tcp.0.HostPort of type string",
      ],
      [{ Volumes: ["/a"] }, "array into Go struct field .Volumes of type map[string]struct {}"],
    ];
    assert.throws(() => decode(updateShape, { RestartPolicy: { Name: 5 } }), {
      message:
        "invalid JSON: json: cannot unmarshal number into Go struct field UpdateConfig.RestartPolicy.Name of type container.RestartPolicyMode",
    });
    for (const [value, text] of cases)
      assert.throws(() => decode(createBody, value), { message: `invalid JSON: json: cannot unmarshal ${text}` });
  });
});
