import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { unpackAny } from "@longshore/proto";
import { OptionsSchema } from "@longshore/proto/containerd/runc/v1/runc";
import { cgroupDriver } from "./config/exec-options.ts";
import type { RuntimeConfig } from "./config/kinds/texts.ts";
import { runtimesOf, writeRuntimeWrappers } from "./runtimes.ts";

describe("runtimes", () => {
  const settings = (runtimes: Record<string, RuntimeConfig>, defaultRuntime = "runc") =>
    runtimesOf({ dataRoot: "/d", execRoot: "/e", runtimes, defaultRuntime }, false);

  it("arguments reach the runtime as they were written, whatever the shell thinks of them", async () => {
    const dataRoot = await mkdtemp(join(tmpdir(), "runtimes-"));
    try {
      const config = {
        dataRoot,
        execRoot: "/e",
        runtimes: { x: { path: "/usr/bin/printf", runtimeArgs: ["%s|", "a b", "it's", "$HOME", ""] } },
        defaultRuntime: "runc",
      };
      await writeRuntimeWrappers(config);
      const binary = runtimesOf(config, false)["x"]?.binary ?? "";
      assert.equal(execFileSync(binary, ["c d", "*"], { encoding: "utf8" }), "a b|it's|$HOME||c d|*|");
    } finally {
      await rm(dataRoot, { recursive: true });
    }
  });

  it("refuses what dockerd refuses", () => {
    const refused: [Record<string, RuntimeConfig>, string][] = [
      [{ x: {} }, "runtime x: either a runtimeType or a path must be configured"],
      [
        { x: { path: "/a", runtimeType: "a.b" } },
        "runtime x: cannot configure both path and runtimeType for the same runtime",
      ],
      [{ x: { path: "/a", options: { a: 1 } } }, "runtime x: options cannot be used with a path runtime"],
      [{ x: { runtimeType: "a.b", runtimeArgs: ["a"] } }, "runtime x: args cannot be used with a runtimeType runtime"],
      [{ x: { runtimeType: "a.b", options: { TypeUrl: 1 } } }, "runtime x: (0, 0): Can't convert 1(float64) to string"],
      [
        { x: { runtimeType: "io.containerd.runc.v2", options: { SystemdCgroup: "yes" } } },
        "runtime x: (0, 0): Can't convert yes(string) to bool",
      ],
      [{ runc: { path: "/a" } }, "runtime name 'runc' is reserved"],
    ];
    for (const [runtimes, message] of refused) assert.throws(() => settings(runtimes), { message });
    assert.throws(() => settings({}, "nope"), { message: "specified default runtime 'nope' does not exist" });
    assert.ok(settings({}, "io.containerd.foo.v1"));
  });

  it("each engine keeps its runtimes' state apart", () => {
    for (const { options } of Object.values(settings({ x: { path: "/a" } })))
      assert.equal(unpackAny(options, OptionsSchema)?.root, "/e/runtime-runc");
  });

  it("the cgroup driver", () => {
    const driver = (execOpts: string[], systemd = false, cgroupParent = "") =>
      cgroupDriver({ execOpts, cgroupParent }, systemd);
    assert.deepEqual(
      [
        driver([]),
        driver([], true),
        driver(["native.cgroupdriver=cgroupfs"], true),
        driver(["Native.CgroupDriver=systemd"]),
      ],
      ["cgroupfs", "systemd", "cgroupfs", "systemd"],
    );
    assert.throws(() => driver(["native.cgroupdriver=foo"]), {
      message: "native.cgroupdriver option foo not supported",
    });
    assert.throws(() => driver(["native.cgroupdriver=none"]), {
      message: "native.cgroupdriver option none is internally used and cannot be specified manually",
    });
    assert.throws(
      () => driver(["native.cgroupdriver=systemd"], false, "foo"),
      /should be a valid slice named as "xxx.slice"/,
    );
    assert.equal(driver(["native.cgroupdriver=systemd"], false, "a-b.slice"), "systemd");
  });
});
