import { bool, type Document, type Infer, leftOut, list, map, struct, text } from "@longshore/go-json";

const ipamConfig = struct("network.IPAMConfig", {
  Subnet: leftOut(text),
  IPRange: leftOut(text),
  Gateway: leftOut(text),
  AuxiliaryAddresses: leftOut(map(text)),
});

const ipam = struct("network.IPAM", { Driver: text, Options: map(text), Config: list(ipamConfig) });

/** The body of a network's creation. */
export const networkCreateShape = struct("network.CreateRequest", {
  Name: text,
  Driver: text,
  Scope: text,
  EnableIPv4: bool,
  EnableIPv6: bool,
  IPAM: ipam,
  Internal: bool,
  Attachable: bool,
  Ingress: bool,
  ConfigOnly: bool,
  ConfigFrom: struct("network.ConfigReference", { Network: text }),
  Options: map(text),
  Labels: map(text),
});

export type IPAM = Document<typeof ipam>;
export type IPAMConfig = Document<typeof ipamConfig>;
/** As a body asks for it. */
export type NetworkCreateRequest = Infer<typeof networkCreateShape>;
