import assert from "node:assert/strict";
import { defaultCapabilities } from "../security/capabilities.ts";
import { seccompOf } from "./select.ts";

const subject = { arch: "amd64", kernelVersion: [6, 1] as const, capabilities: defaultCapabilities };
const select = (asked: string, more: Partial<Parameters<typeof seccompOf>[0]> = {}): ReturnType<typeof seccompOf> =>
  seccompOf({ asked, configured: "", privileged: false, supported: true, subject, ...more });
const allowed = (filter: ReturnType<typeof seccompOf>, name: string): boolean =>
  filter?.syscalls?.some((rule) => rule.action === "SCMP_ACT_ALLOW" && rule.names.includes(name) && !rule.args) ??
  false;

describe("seccomp", () => {
  it("evaluates the default profile for plain containers", () => {
    const filter = select("");
    assert.equal(filter?.defaultAction, "SCMP_ACT_ERRNO");
    assert.deepEqual(filter?.architectures, ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32"]);
    assert.equal(filter?.syscalls?.length, 13);
    assert.equal(filter?.syscalls?.[0]?.names.length, 361);
    assert.deepEqual(
      ["read", "ptrace", "chroot", "arch_prctl", "mount", "bpf", "clone"].map((name) => allowed(filter, name)),
      [true, true, true, true, false, false, false],
    );
    assert.deepEqual(filter?.syscalls?.at(-2), { names: ["clone3"], action: "SCMP_ACT_ERRNO", errnoRet: 38 });
  });

  it("follows capabilities, architecture and kernel", () => {
    const admin = select("", { subject: { ...subject, capabilities: ["CAP_SYS_ADMIN"] } });
    assert.deepEqual([allowed(admin, "mount"), allowed(admin, "clone"), allowed(admin, "chroot")], [true, true, false]);
    const arm = select("", { subject: { ...subject, arch: "arm64" } });
    assert.deepEqual(arm?.architectures, ["SCMP_ARCH_AARCH64", "SCMP_ARCH_ARM"]);
    assert.deepEqual([allowed(arm, "cacheflush"), allowed(arm, "modify_ldt")], [true, false]);
    const old = select("", { subject: { ...subject, kernelVersion: [4, 7] } });
    assert.equal(allowed(old, "ptrace"), false);
    assert.equal(select("", { subject: { ...subject, arch: "ppc64le" } })?.architectures, undefined);
  });

  it("takes a profile in Docker's format", () => {
    const profile = JSON.stringify({
      defaultAction: "SCMP_ACT_ALLOW",
      defaultErrnoRet: 5,
      archMap: [{ architecture: "SCMP_ARCH_X86_64", subArchitectures: ["SCMP_ARCH_X86"] }],
      flags: ["SECCOMP_FILTER_FLAG_LOG"],
      syscalls: [
        { name: "chmod", action: "SCMP_ACT_ERRNO" },
        {
          names: ["chown"],
          action: "SCMP_ACT_ERRNO",
          errnoRet: 3,
          args: [{ index: 0, value: 18446744073709551615n.toString(), op: "SCMP_CMP_EQ" }],
          includes: { caps: ["CAP_CHOWN"] },
        },
        { names: ["mount"], action: "SCMP_ACT_ERRNO", excludes: { arches: ["amd64"] } },
        { names: ["umount"], action: "SCMP_ACT_ERRNO", includes: { minKernel: "3.0" } },
        { names: ["umount2"], action: "SCMP_ACT_ERRNO", includes: { minKernel: "99.0" } },
      ],
    }).replace('"18446744073709551615"', "18446744073709551615");
    assert.deepEqual(select(profile), {
      defaultAction: "SCMP_ACT_ALLOW",
      defaultErrnoRet: 5,
      architectures: ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86"],
      flags: ["SECCOMP_FILTER_FLAG_LOG"],
      syscalls: [
        { names: ["chmod"], action: "SCMP_ACT_ERRNO" },
        {
          names: ["chown"],
          action: "SCMP_ACT_ERRNO",
          errnoRet: 3,
          args: [{ index: 0, value: 18446744073709551615n, op: "SCMP_CMP_EQ" }],
        },
        { names: ["umount"], action: "SCMP_ACT_ERRNO" },
      ],
    });
  });

  it("knows when there is no filter", () => {
    assert.equal(select("unconfined"), undefined);
    assert.equal(select("", { privileged: true }), undefined);
    assert.equal(select("", { configured: "unconfined" }), undefined);
    assert.equal(select("", { supported: false }), undefined);
    assert.notEqual(select("builtin", { configured: "unconfined" }), undefined);
    assert.notEqual(select('{"defaultAction":"SCMP_ACT_ALLOW"}', { privileged: true }), undefined);
  });

  for (const [profile, words] of [
    ["[]", "json: cannot unmarshal array into Go value of type seccomp.Seccomp"],
    ["1", "json: cannot unmarshal number into Go value of type seccomp.Seccomp"],
    ["x", "invalid character 'x' looking for beginning of value"],
    ['{"defaultAction":"x"', "unexpected end of JSON input"],
    ["{} x", "invalid character 'x' after top-level value"],
    [
      '{"defaultAction":1}',
      "json: cannot unmarshal number into Go struct field Seccomp.defaultAction of type specs.LinuxSeccompAction",
    ],
    [
      '{"syscalls":1}',
      "json: cannot unmarshal number into Go struct field Seccomp.syscalls of type []*seccomp.Syscall",
    ],
    ['{"syscalls":[1]}', "json: cannot unmarshal number into Seccomp.syscalls.0 of type seccomp.Syscall"],
    ['{"syscalls":[{"names":[1]}]}', "json: cannot unmarshal number into Seccomp.syscalls.0.names.0 of type string"],
    [
      '{"syscalls":[{"args":[{"index":-1}]}]}',
      "json: cannot unmarshal number -1 into Go struct field Seccomp.syscalls.0.args.0.index of type uint",
    ],
    [
      '{"syscalls":[{"includes":{"caps":"x"}}]}',
      "json: cannot unmarshal string into Go struct field Seccomp.syscalls.0.includes.caps of type []string",
    ],
    [
      '{"syscalls":[{"includes":{"minKernel":4}}]}',
      'invalid kernel version: 4, expected "<kernel>.<major>": json: cannot unmarshal number into Go value of type string',
    ],
    [
      '{"syscalls":[{"excludes":{"minKernel":"4.8.1"}}]}',
      'invalid kernel version: "4.8.1", expected "<kernel>.<major>"',
    ],
    [
      '{"archMap":[{"subArchitectures":1}]}',
      "json: cannot unmarshal number into Go struct field Seccomp.archMap.0.subArchitectures of type []specs.Arch",
    ],
    [
      '{"flags":1}',
      "json: cannot unmarshal number into Go struct field Seccomp.flags of type []specs.LinuxSeccompFlag",
    ],
    [
      '{"defaultErrnoRet":-1}',
      "json: cannot unmarshal number -1 into Go struct field Seccomp.defaultErrnoRet of type uint",
    ],
  ] as const) {
    it(`tells in Docker's words that ${profile} is no profile`, () => {
      assert.throws(() => select(profile), {
        name: "Unknown",
        message: `Decoding seccomp profile failed: ${words}`,
      });
    });
  }

  for (const profile of [
    "null",
    '{"syscalls":[null]}',
    '{"syscalls":[{"names":["mkdir"],"action":"x","includes":null,"excludes":null,"args":[null]}]}',
    '{"archMap":[null]}',
    '{"flags":null,"architectures":null,"syscalls":null,"listenerPath":null}',
  ]) {
    it(`takes ${profile} for what Go does`, () => {
      assert.equal(select(profile)?.defaultAction, "");
    });
  }

  it("refuses what is no profile", () => {
    assert.throws(() => select("{bad"), /^Unknown: Decoding seccomp profile failed: /);
    assert.throws(() => select('{"syscalls":[{"name":"a","names":["b"]}]}'), /both 'name' and 'names' are specified/);
    assert.throws(
      () => select('{"architectures":["SCMP_ARCH_X86"],"archMap":[{"architecture":"SCMP_ARCH_X86_64"}]}'),
      /both 'architectures' and 'archMap' are specified/,
    );
    assert.throws(() => select("{}", { supported: false }), /seccomp is not enabled in your kernel/);
  });
});
