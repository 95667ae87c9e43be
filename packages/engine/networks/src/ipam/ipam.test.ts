import assert from "node:assert/strict";
import { validateIPAMConfig } from "./config.ts";
import { defaultPools, mustPrefix, randomUlaPool } from "./defaults.ts";
import { chooseAddress, chooseSubnet } from "./pool.ts";
import { formatAddress, formatPrefix, parseAddress } from "@longshore/ip";

describe("address pools", () => {
  it("chooses free subnets, jumping over what is in the way", () => {
    const choose = (...taken: string[]) => formatPrefix(chooseSubnet(defaultPools, taken.map(mustPrefix)));
    assert.equal(choose(), "172.17.0.0/16");
    assert.equal(choose("172.17.9.0/24"), "172.18.0.0/16");
    assert.equal(choose("172.16.0.0/12"), "192.168.0.0/20");
    assert.equal(choose("172.16.0.0/12", "192.168.0.0/19"), "192.168.32.0/20");
    assert.throws(
      () => choose("172.16.0.0/12", "192.168.0.0/16"),
      /^PermissionDenied: all predefined address pools have been fully subnetted$/,
    );
    assert.match(formatPrefix(chooseSubnet([randomUlaPool()], [])), /^fd[0-9a-f]{2}:.*::\/64$/);
  });

  it("gives the lowest free address, none twice, and no network or broadcast address", () => {
    const subnet = { prefix: mustPrefix("10.77.0.0/29"), range: mustPrefix("10.77.0.0/29") };
    const used = new Set<bigint>([parseAddress("10.77.0.1")!.value]);
    const given: string[] = [];
    for (let i = 0; i < 5; i++) {
      const address = chooseAddress(subnet, used, "n (id)");
      used.add(address.value);
      given.push(formatAddress(address));
    }
    assert.deepEqual(given, ["10.77.0.2", "10.77.0.3", "10.77.0.4", "10.77.0.5", "10.77.0.6"]);
    assert.throws(
      () => chooseAddress(subnet, used, "n (id)"),
      /^PermissionDenied: no available IPv4 addresses on this network's address pools: n \(id\)$/,
    );
    used.delete(parseAddress("10.77.0.3")!.value);
    assert.equal(formatAddress(chooseAddress(subnet, used, "n (id)")), "10.77.0.3");
    for (const wish of ["10.77.0.0", "10.77.0.7", "10.77.0.2"]) {
      assert.throws(
        () => chooseAddress(subnet, used, "n (id)", parseAddress(wish)),
        /^PermissionDenied: Address already in use$/,
      );
    }
    const range = { prefix: mustPrefix("10.77.0.0/24"), range: mustPrefix("10.77.0.128/25") };
    assert.equal(formatAddress(chooseAddress(range, new Set(), "n")), "10.77.0.128");
    assert.equal(formatAddress(chooseAddress(range, new Set(), "n", parseAddress("10.77.0.5"))), "10.77.0.5");
  });

  it("refuses wrong blocks with Docker's words, all at once", () => {
    const refused = (config: Parameters<typeof validateIPAMConfig>[0][number], text: string) =>
      assert.throws(() => validateIPAMConfig([config], true), {
        name: "InvalidArgument",
        message: `invalid network config:\n${text}`,
      });
    refused({ Subnet: "10.77.0.5/24" }, "invalid subnet 10.77.0.5/24: it should be 10.77.0.0/24");
    refused({ Subnet: "garbage" }, "invalid subnet garbage: invalid CIDR block notation");
    refused({ Gateway: "10.0.0.1" }, "invalid subnet : invalid CIDR block notation");
    refused(
      { Subnet: "10.77.0.0/24", IPRange: "10.77.0.0/16" },
      "invalid ip-range 10.77.0.0/16: CIDR block is bigger than its parent subnet 10.77.0.0/24",
    );
    refused(
      { Subnet: "10.77.0.0/24", Gateway: "10.78.0.9" },
      "invalid gateway 10.78.0.9: parent subnet 10.77.0.0/24 doesn't contain this address",
    );
    refused(
      { Subnet: "10.77.0.0/24", Gateway: "z", AuxiliaryAddresses: { h: "foo" } },
      "* invalid gateway z: invalid address\n* invalid auxiliary address h: invalid address",
    );
    validateIPAMConfig(
      [{ Subnet: "10.77.0.0/24", IPRange: "10.77.0.128/25", Gateway: "10.77.0.1" }, { Subnet: "fd01::/64" }],
      true,
    );
  });
});
