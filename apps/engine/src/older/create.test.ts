import assert from "node:assert/strict";
import type { ContainerConfig, EndpointSettings, HostConfigRequest } from "@longshore/docker-api";
import { httpStatusOf, messageOf } from "@longshore/errdefs";
import { apiChanges } from "../server/version/api-changes.ts";
import { compareVersions } from "../server/version/api-version.ts";
import { adaptCreate, type CreateRequest } from "./create.ts";

const mac = "02:42:ac:11:00:77";
const deprecated =
  "The container-wide MacAddress field is now deprecated. It should be specified in EndpointsConfig instead.";

interface Sent {
  config?: Partial<ContainerConfig>;
  hostConfig?: HostConfigRequest;
  endpoints?: Record<string, Partial<EndpointSettings> | null>;
}

/** What is asked, and what of the request is left, or the refusal; in the words of Docker 28.5. */
const cases: [what: string, version: string, sent: Sent, seen: unknown][] = [
  [
    "the default network by its name",
    "1.51",
    { hostConfig: { NetworkMode: "default" }, endpoints: { default: { GwPriority: 2 } } },
    { mode: "bridge", endpoints: { bridge: { GwPriority: 2 } } },
  ],
  [
    "a MAC address of the container for its network",
    "1.51",
    { config: { MacAddress: mac } },
    { mode: "bridge", endpoints: { bridge: { MacAddress: mac } }, mac: "", warnings: [deprecated] },
  ],
  [
    "a MAC address, and another network than the mode's",
    "1.51",
    { config: { MacAddress: mac }, endpoints: { other: {} } },
    "400 unable to migrate container-wide MAC address to a specific network: HostConfig.NetworkMode must match the identity of a network in NetworkSettings.Networks",
  ],
  [
    "a MAC address for the only network there is",
    "1.43",
    { config: { MacAddress: mac }, endpoints: { other: {} } },
    { mode: "bridge", endpoints: { other: { GwPriority: 0, MacAddress: mac } }, mac },
  ],
  [
    "two MAC addresses",
    "1.51",
    { config: { MacAddress: mac }, endpoints: { bridge: { MacAddress: "02:42:ac:11:00:78" } } },
    "400 the container-wide MAC address must match the endpoint-specific MAC address for the main network, or be left empty",
  ],
  [
    "a MAC address without a network",
    "1.43",
    { config: { MacAddress: mac }, hostConfig: { NetworkMode: "host" } },
    "400 conflicting options: mac-address and the network mode",
  ],
  [
    "a MAC address on a network of its own name only",
    "1.44",
    { config: { MacAddress: mac }, hostConfig: { NetworkMode: "host" } },
    { mode: "host", endpoints: {}, mac: "", warnings: [deprecated] },
  ],
  [
    "a sysctl of the first interface",
    "1.47",
    { hostConfig: { Sysctls: { "net.ipv4.conf.eth0.forwarding": "1" } } },
    {
      mode: "bridge",
      endpoints: {
        bridge: { DriverOpts: { "com.docker.network.endpoint.sysctls": "net.ipv4.conf.IFNAME.forwarding=1" } },
      },
      warnings: [
        'Migrated sysctl "net.ipv4.conf.eth0.forwarding" to DriverOpts{"com.docker.network.endpoint.sysctls":"net.ipv4.conf.IFNAME.forwarding=1"}.',
      ],
    },
  ],
  [
    "a sysctl of another interface",
    "1.47",
    { hostConfig: { Sysctls: { "net.ipv4.conf.eth1.forwarding": "1" } } },
    "500 unable to determine network endpoint for sysctl net.ipv4.conf.eth1.forwarding, use driver option 'com.docker.network.endpoint.sysctls' to set per-interface sysctls",
  ],
  [
    "a sysctl, and another network than the mode's",
    "1.47",
    { hostConfig: { Sysctls: { "net.ipv4.conf.eth0.forwarding": "1" } }, endpoints: { other: {} } },
    "400 unable to find a network for sysctl net.ipv4.conf.eth0.forwarding: HostConfig.NetworkMode must match the identity of a network in NetworkSettings.Networks",
  ],
  [
    "read-only all the way down, too early",
    "1.43",
    { hostConfig: { Mounts: [{ Type: "bind", BindOptions: { ReadOnlyForceRecursive: true } }] } },
    "400 BindOptions.ReadOnlyForceRecursive needs API v1.44 or newer",
  ],
  ...(["VolumeOptions", "TmpfsOptions"] as const).map((options): (typeof cases)[number] => [
    `${options} of a bind`,
    "1.42",
    { hostConfig: { Mounts: [{ Type: "bind", [options]: {} }] } },
    `400 ${options} must not be specified on mount type "bind"`,
  ]),
  [
    "BindOptions of a volume",
    "1.42",
    { hostConfig: { Mounts: [{ Type: "volume", BindOptions: {} }] } },
    '400 BindOptions must not be specified on mount type "volume"',
  ],
  [
    "ImageOptions of a bind, which are for the mount's own check",
    "1.51",
    { hostConfig: { Mounts: [{ Type: "bind", ImageOptions: {} }] } },
    { mode: "bridge", endpoints: {} },
  ],
];

describe("create requests of older API versions", () => {
  for (const [what, version, { config = {}, hostConfig = {}, endpoints = {} }, seen] of cases) {
    it(`${what}, in ${version}`, () => {
      const request: CreateRequest = structuredClone({ config, hostConfig, endpoints });
      let result: unknown;
      try {
        const warnings = adaptCreate(request, (change) => compareVersions(version, apiChanges[change]) >= 0, 1);
        const { MacAddress } = request.config;
        result = {
          mode: request.hostConfig.NetworkMode,
          endpoints: request.endpoints,
          ...(MacAddress === undefined ? {} : { mac: MacAddress }),
          ...(warnings.length === 0 ? {} : { warnings }),
        };
      } catch (error) {
        result = `${httpStatusOf(error)} ${messageOf(error)}`;
      }
      assert.deepEqual(result, seen);
    });
  }
});
