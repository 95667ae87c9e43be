import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { silent } from "@longshore/logger";
import { Firewalld } from "./firewalld.ts";

/** Does what firewalld 1.3 does for these requests, with its words; `dir` holds what it knows. */
const program = (dir: string) => `#!/bin/sh
cd ${dir}; echo "$*" >> log
case "$*" in
  --state) [ -e running ] && echo running || { echo "not running" >&2; exit 252; } ;;
  --get-zones) cat zones ;;
  --get-policies) cat policies ;;
  *--new-zone=docker) [ -e zone ] && { echo "Error: NAME_CONFLICT: new_zone(): 'docker'" >&2; exit 26; }; touch zone ;;
  *--new-policy=*) touch policy ;;
  --reload) [ -e zone ] && echo "block docker public" > zones; [ -e policy ] && echo "allow-host-ipv6 docker-forwarding" > policies; : > interfaces ;;
  *--list-interfaces) cat interfaces ;;
  *--change-interface=*) echo "\${2#--change-interface=}" >> interfaces ;;
  *--remove-interface=*) sed -i "/^\${2#--remove-interface=}$/d" interfaces ;;
esac
`;

describe("firewalld", () => {
  let dir = "";
  const path = process.env["PATH"] ?? "";
  const asked = (): string[] => {
    const lines = readFileSync(join(dir, "log"), "utf8").split("\n").filter(Boolean);
    writeFileSync(join(dir, "log"), "");
    return lines;
  };
  const interfaces = (): string[] => readFileSync(join(dir, "interfaces"), "utf8").split("\n").filter(Boolean);

  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), "firewalld-"));
    writeFileSync(join(dir, "firewall-cmd"), program(dir), { mode: 0o755 });
    for (const [name, content] of Object.entries({
      log: "",
      running: "",
      zones: "block public\n",
      policies: "allow-host-ipv6\n",
      interfaces: "",
    }))
      writeFileSync(join(dir, name), content);
    process.env["PATH"] = `${dir}${delimiter}${path}`;
  });
  afterEach(() => {
    process.env["PATH"] = path;
    rmSync(dir, { recursive: true });
  });

  it("has the bridges in Docker's zone, which is made once, and again after it has forgotten them", async () => {
    const firewalld = new Firewalld(silent);
    // An earlier engine died before the reload.
    writeFileSync(join(dir, "zone"), "");
    await firewalld.assign(["br0"]);
    assert.deepEqual(asked(), [
      "--state",
      ...["--get-zones", "--get-policies"],
      ...[
        "--permanent --new-zone=docker",
        "--permanent --zone=docker --set-target=ACCEPT",
        "--permanent --zone=docker --set-description=zone for docker bridge network interfaces",
      ],
      ...["--permanent --new-policy=docker-forwarding", "--permanent --policy=docker-forwarding --set-target=ACCEPT"],
      ...[
        "--permanent --policy=docker-forwarding --add-ingress-zone=ANY",
        "--permanent --policy=docker-forwarding --add-egress-zone=docker",
      ],
      "--reload",
      ...["--zone=docker --list-interfaces", "--zone=docker --change-interface=br0"],
    ]);
    await firewalld.assign(["br0", "br1"]);
    assert.deepEqual(interfaces(), ["br0", "br1"]);
    assert.ok(!asked().some((line) => line.includes("--new-") || line === "--reload"));
    writeFileSync(join(dir, "interfaces"), "");
    await firewalld.assign(["br0", "br1"]);
    assert.deepEqual(interfaces(), ["br0", "br1"]);
    writeFileSync(join(dir, "interfaces"), "br0\nbr1\ntheirs\n");
    await firewalld.assign([]);
    assert.deepEqual(interfaces(), ["theirs"]);
  });

  it("is left alone while it does not run, and not asked each time", async () => {
    const firewalld = new Firewalld(silent);
    rmSync(join(dir, "running"));
    await firewalld.assign(["br0"]);
    await firewalld.assign(["br0", "br1"]);
    assert.deepEqual(asked(), ["--state"]);
  });
});
