import { InvalidArgument } from "@longshore/errdefs";
import { boolOf } from "@longshore/go-values";
import type { NetworkCreateOptions } from "../contract.ts";

/** Driver options that stand for members of a create request, so that the daemon's configuration can have them for all networks. */
const families = [
  ["EnableIPv4", "com.docker.network.enable_ipv4"],
  ["EnableIPv6", "com.docker.network.enable_ipv6"],
] as const;

/**
 * A request with the address families that its options name. What it says itself holds, and the option is not shown then.
 * @throws InvalidArgument `driver-opt "x" is not a valid bool`
 */
export function withFamilies(request: NetworkCreateOptions): NetworkCreateOptions {
  const result = { ...request, Options: { ...request.Options } };
  for (const [member, option] of families) {
    const value = result.Options[option];
    if (value === undefined) continue;
    if (request[member] !== undefined) {
      delete result.Options[option];
      continue;
    }
    const enabled = boolOf(value);
    if (enabled === undefined) throw new InvalidArgument(`driver-opt ${JSON.stringify(option)} is not a valid bool`);
    result[member] = enabled;
  }
  return result;
}
