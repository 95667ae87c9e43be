import { address, addressList, ipSlice, pools, readFormerAddress } from "../kinds/addresses.ts";
import { texts } from "../kinds/lists.ts";
import { mapOfMaps } from "../kinds/maps.ts";
import { flag, int, text } from "../kinds/scalars.ts";
import { atLeastZero, checkDnsSearch, checkFixedCidrV6, checkHostGateway } from "../checks.ts";
import { option } from "./option.ts";

/** The default bridge, and what all networks are made of. */
export const networksOptions = {
  "allow-direct-routing": option(flag, {
    help: "Allow remote access to published ports on container IP addresses",
    fallback: false,
  }),
  bip: option(text, { help: "IPv4 address for the default bridge", fallback: "" }),
  bip6: option(text, { help: "IPv6 address for the default bridge", fallback: "" }),
  bridge: option(text, { short: "b", help: "Attach containers to a network bridge", fallback: "" }),
  "default-address-pool": option(pools, {
    key: "default-address-pools",
    help: "Default address pools for node specific local networks",
    fallback: [],
  }),
  "default-gateway": option(address, {
    help: "Default gateway IPv4 address for the default bridge network",
    fallback: "",
  }),
  "default-gateway-v6": option(address, {
    help: "Default gateway IPv6 address for the default bridge network",
    fallback: "",
  }),
  "default-network-opt": option(mapOfMaps, {
    key: "default-network-opts",
    help: "Default network options",
    fallback: {},
  }),
  dns: option(ipSlice, { help: "DNS server to use", fallback: [] }),
  "dns-opt": option(texts, { key: "dns-opts", help: "DNS options to use", fallback: [] }),
  "dns-search": option(texts, { help: "DNS search domains to use", fallback: [], check: checkDnsSearch }),
  "fixed-cidr": option(text, { help: "IPv4 subnet for the default bridge network", fallback: "" }),
  "fixed-cidr-v6": option(text, {
    help: "IPv6 subnet for the default bridge network",
    fallback: "",
    check: checkFixedCidrV6,
  }),
  "host-gateway-ip": option(addressList, {
    key: "host-gateway-ips",
    former: { key: "host-gateway-ip", read: readFormerAddress },
    help: "IP addresses that the special 'host-gateway' string in --add-host resolves to. Defaults to the IP addresses of the default bridge",
    fallback: [],
    check: checkHostGateway,
  }),
  icc: option(flag, { help: "Enable inter-container communication for the default bridge network", fallback: true }),
  ip: option(address, { help: "Host IP for port publishing from the default bridge network", fallback: "0.0.0.0" }),
  "ip-forward": option(flag, { help: "Enable IP forwarding in system configuration", fallback: true }),
  "ip-forward-no-drop": option(flag, {
    help: "Do not set the filter-FORWARD policy to DROP when enabling IP forwarding",
    fallback: false,
  }),
  "ip-masq": option(flag, { help: "Enable IP masquerading for the default bridge network", fallback: true }),
  ip6tables: option(flag, { help: "Enable addition of firewall rules for IPv6", fallback: true }),
  iptables: option(flag, { help: "Enable addition of firewall rules", fallback: true }),
  ipv6: option(flag, { help: "Enable IPv6 networking for the default bridge network", fallback: false }),
  mtu: option(int, {
    help: 'Set the MTU for the default "bridge" network',
    fallback: 1500,
    check: atLeastZero("default MTU"),
  }),
  "userland-proxy": option(flag, { help: "Use userland proxy for loopback traffic", fallback: true }),
  "userland-proxy-path": option(text, {
    help: "Path to the userland proxy binary",
    fallback: "",
    unserved: "the engine's own docker-proxy runs",
  }),
};
