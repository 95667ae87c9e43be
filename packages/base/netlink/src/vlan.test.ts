import assert from "node:assert/strict";
import { closeSync, mkdtempSync, openSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createNetns, removeNetns } from "@longshore/sys";
import { inNetns } from "./testing/in-netns.ts";
import { directRoute, linkIndex, setUp } from "./link.ts";
import { NetlinkRefused, Rtnetlink, type Step } from "./rtnetlink.ts";
import { addDummy, addVlan, addVlanLink, deleteLink, type VlanOptions } from "./vlan.ts";

const EOPNOTSUPP = 95;

describe("netlink for links on other links", () => {
  let dir: string;
  let host: string;
  let container: string;
  let netlink: Rtnetlink;
  const ip = async (netns: string, ...args: string[]) => inNetns(netns, "ip", ...args);

  beforeEach(async () => {
    dir = mkdtempSync(join(tmpdir(), "longshore-vlan-"));
    host = join(dir, "host");
    container = join(dir, "container");
    createNetns(host);
    createNetns(container);
    await ip(host, "link", "add", "p0", "type", "bridge");
    netlink = new Rtnetlink(host);
  });
  afterEach(() => {
    netlink[Symbol.dispose]();
    removeNetns(host);
    removeNetns(container);
    rmSync(dir, { recursive: true });
  });

  async function add(vlan: VlanOptions): Promise<string> {
    const netns = openSync(container, "r");
    try {
      const mac = vlan.driver === "macvlan" ? "02:42:00:00:00:01" : "";
      await netlink.request([addVlanLink({ name: "eth0", parent: await linkIndex(netlink, "p0"), mac, netns }, vlan)]);
    } finally {
      closeSync(netns);
    }
    return ip(container, "-d", "link", "show", "eth0");
  }

  /** Kernels are built with and without these; both give an answer that shows whether the message is right. */
  async function unlessMissing<T>(action: Promise<T>): Promise<T | undefined> {
    try {
      return await action;
    } catch (error) {
      if (error instanceof NetlinkRefused && error.errno === EOPNOTSUPP) return undefined;
      throw error;
    }
  }

  it("makes macvlan links of each mode in the container's namespace", async () => {
    for (const mode of ["bridge", "private", "vepa", "passthru"] as const) {
      const shown = await add({ driver: "macvlan", mode });
      assert.match(shown, new RegExp(`macvlan mode ${mode}`));
      // In passthru mode a link has the address of its parent.
      if (mode !== "passthru") assert.match(shown, /02:42:00:00:00:01/);
      using inside = new Rtnetlink(container);
      await inside.request([deleteLink(await linkIndex(inside, "eth0"))]);
      await assert.rejects(linkIndex(inside, "eth0"), { errno: 19 });
    }
  });

  it("makes ipvlan links, dummies and VLANs where the kernel has them", async () => {
    const shown = await unlessMissing(add({ driver: "ipvlan", mode: "l3s", flag: "vepa" }));
    if (shown !== undefined) assert.match(shown, /ipvlan +mode l3s vepa/);
    const request = (step: Step) => unlessMissing(netlink.request([step]));
    if (await request(addDummy("d0"))) assert.match(await ip(host, "-d", "link", "show", "d0"), /dummy/);
    if (await request(addVlan("p0.7", await linkIndex(netlink, "p0"), 7)))
      assert.match(await ip(host, "-d", "link", "show", "p0.7"), /vlan protocol 802\.1Q id 7/);
  });

  it("routes all by a link", async () => {
    const index = await linkIndex(netlink, "p0");
    await netlink.request([setUp(1), setUp(index), directRoute(index, 4), directRoute(index, 6)]);
    assert.match(await ip(host, "route", "show", "default"), /^default dev p0 scope link/);
    assert.match(await ip(host, "-6", "route", "show", "default"), /^default dev p0 /);
  });
});
