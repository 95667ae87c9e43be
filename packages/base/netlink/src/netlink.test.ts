import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createNetns, removeNetns } from "@longshore/sys";
import { inNetns } from "./testing/in-netns.ts";
import { addAddress, defaultRoute, deleteAddress, linkIndex, setUp } from "./link.ts";
import { attribute, message, NLM_F, u32 } from "./message.ts";
import { Rtnetlink } from "./rtnetlink.ts";

interface Shown {
  flags: string[];
  addr_info: { family: string; local: string; prefixlen: number; broadcast?: string }[];
}

describe("routing netlink", () => {
  let dir: string;
  let netns: string;
  let netlink: Rtnetlink;
  const ip = async (...args: string[]): Promise<string> => inNetns(netns, "ip", ...args);

  beforeEach(async () => {
    dir = mkdtempSync(join(tmpdir(), "longshore-netlink-"));
    netns = join(dir, "ns");
    createNetns(netns);
    await ip("link", "add", "d0", "type", "veth", "peer", "name", "d9");
    await ip("link", "set", "d9", "up");
    netlink = new Rtnetlink(netns);
  });
  afterEach(() => {
    netlink[Symbol.dispose]();
    removeNetns(netns);
    rmSync(dir, { recursive: true });
  });

  it("lays messages out as the kernel reads them", () => {
    const bytes = message(16, NLM_F.CREATE, attribute(3, Buffer.from("a")), attribute(4, u32(7)));
    assert.equal(bytes.length, 32);
    assert.equal(new DataView(bytes.buffer, bytes.byteOffset).getUint8(20), "a".charCodeAt(0));
  });

  it("sets links up, with addresses of both families and default routes, as ip shows them", async () => {
    const index = await linkIndex(netlink, "d0");
    await netlink.request([
      setUp(1),
      addAddress(index, "10.9.8.7", 20),
      addAddress(index, "fd00::7", 64),
      setUp(index),
      defaultRoute(index, "10.9.0.1"),
      defaultRoute(index, "fd00::1"),
    ]);
    await netlink.request([defaultRoute(index, "10.9.0.2")]);
    const [link] = JSON.parse(await ip("-j", "addr", "show", "dev", "d0")) as Shown[];
    assert.ok(link);
    assert.ok(link.flags.includes("UP"));
    const shown = link.addr_info
      .filter(({ local }) => !local.startsWith("fe80:"))
      .map(({ family, local, prefixlen, broadcast }) => ({ family, local, prefixlen, broadcast }));
    assert.deepEqual(shown, [
      { family: "inet", local: "10.9.8.7", prefixlen: 20, broadcast: "10.9.15.255" },
      { family: "inet6", local: "fd00::7", prefixlen: 64, broadcast: undefined },
    ]);
    await netlink.request([deleteAddress(index, "fd00::7", 64), deleteAddress(index, "10.9.8.9", 20)]);
    assert.doesNotMatch(await ip("addr", "show", "dev", "d0"), /fd00::7/);
    await netlink.request([addAddress(index, "fd00::7", 64), defaultRoute(index, "fd00::1")]);
    assert.match(await ip("route", "show", "default"), /^default via 10\.9\.0\.2 dev d0 *\n$/);
    assert.match(await ip("-6", "route", "show", "default"), /^default via fd00::1 dev d0 /);
  });

  it("names the step that the kernel refuses", async () => {
    const index = await linkIndex(netlink, "d0");
    const add = addAddress(index, "10.9.8.7", 24);
    await assert.rejects(netlink.request([add, add]), {
      message: "adding the address 10.9.8.7/24: file already exists",
      errno: 17,
    });
    await assert.rejects(linkIndex(netlink, "d1"), { message: "finding the link d1: no such device", errno: 19 });
  });
});
