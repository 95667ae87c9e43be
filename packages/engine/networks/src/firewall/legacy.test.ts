import assert from "node:assert/strict";
import { legacyChanges } from "./legacy.ts";

describe("the older backend of iptables", () => {
  const policies = (forward: string) => ["-P INPUT ACCEPT", `-P FORWARD ${forward}`, "-P OUTPUT ACCEPT"];
  const changes = (listed: string[]) => legacyChanges(listed, "OURS", ["br0"]);
  const accepts = ["-A OURS -i br0 -j ACCEPT", "-A OURS -o br0 -j ACCEPT"];

  it("gets the administrator's chain, and ours where it drops", () => {
    assert.deepEqual(changes(policies("ACCEPT")), [":DOCKER-USER - [0:0]", "-I FORWARD 1 -j DOCKER-USER"]);
    assert.deepEqual(changes(policies("DROP")), [
      ":DOCKER-USER - [0:0]",
      ":OURS - [0:0]",
      ...accepts,
      "-I FORWARD 1 -j DOCKER-USER",
      "-I FORWARD 2 -j OURS",
    ]);
  });

  it("is left as it is when all stands, rules of others behind it", () => {
    assert.deepEqual(
      changes([
        ...policies("ACCEPT"),
        "-N DOCKER-USER",
        "-A FORWARD -j DOCKER-USER",
        "-A DOCKER-USER -s 192.0.2.9/32 -j DROP",
      ]),
      [],
    );
    const all = [
      ...policies("DROP"),
      "-N DOCKER-USER",
      "-N OURS",
      "-A FORWARD -j DOCKER-USER",
      "-A FORWARD -j OURS",
      "-A FORWARD -i eth0 -j ACCEPT",
      ...accepts,
    ];
    assert.deepEqual(changes(all), []);
  });

  it("is put in order again, the administrator's chain untouched", () => {
    const moved = [
      ...policies("DROP"),
      "-N DOCKER-USER",
      "-N OURS",
      "-A FORWARD -i eth0 -j ACCEPT",
      "-A FORWARD -j DOCKER-USER",
      "-A FORWARD -j OURS",
      ...accepts,
    ];
    assert.deepEqual(changes(moved), [
      ":OURS - [0:0]",
      ...accepts,
      "-D FORWARD -j DOCKER-USER",
      "-D FORWARD -j OURS",
      "-I FORWARD 1 -j DOCKER-USER",
      "-I FORWARD 2 -j OURS",
    ]);
    const open = moved.map((line) => line.replace("FORWARD DROP", "FORWARD ACCEPT"));
    assert.deepEqual(changes(open), [
      ":OURS - [0:0]",
      "-D FORWARD -j DOCKER-USER",
      "-D FORWARD -j OURS",
      "-I FORWARD 1 -j DOCKER-USER",
    ]);
  });

  it("takes an administrator's conditional jump for what it is, and never deletes a chain with the rest", () => {
    const used = [
      ...policies("ACCEPT"),
      "-N DOCKER-USER",
      "-N OURS",
      "-A FORWARD -j DOCKER-USER",
      "-A FORWARD -i eth0 -j OURS",
      "-A FORWARD -s 192.0.2.0/24 -j DOCKER-USER",
      "-A OUTPUT -g OURS",
    ];
    assert.deepEqual(changes(used), []);
    assert.deepEqual(changes([...used, "-A OURS -i br0 -j ACCEPT"]), [
      ":OURS - [0:0]",
      "-D FORWARD -j DOCKER-USER",
      "-I FORWARD 1 -j DOCKER-USER",
    ]);
  });
});
