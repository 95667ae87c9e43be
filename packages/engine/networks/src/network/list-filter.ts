import type { Network } from "@longshore/docker-api";
import { InvalidArgument, Unknown } from "@longshore/errdefs";
import type { Filters } from "@longshore/list-filters";
import type { Networks } from "../contract.ts";
import { predefined } from "./network-create.ts";

/** Whether the filters of a list accept a network. @throws InvalidArgument, Unknown with Docker's texts */
export function networkFilter(filters: Filters, networks: Pick<Networks, "inUse">): (network: Network) => boolean {
  const types = filters.get("type");
  const unknown = types.find((type) => type !== "custom" && type !== "builtin");
  if (unknown !== undefined) throw new Unknown(`invalid filter: 'type'='${unknown}'`);
  let dangling: boolean | undefined;
  if (filters.get("dangling").length > 1)
    throw new InvalidArgument('got more than one value for filter key "dangling"');
  try {
    if (filters.has("dangling")) dangling = filters.bool("dangling", false);
  } catch (error) {
    throw new InvalidArgument(`invalid value for filter 'dangling', must be "true" (or "1"), or "false" (or "0")`, {
      cause: error,
    });
  }
  return (network) => {
    const builtin = predefined.includes(network.Name);
    return (
      filters.exact("driver", network.Driver) &&
      filters.match("id", network.Id) &&
      filters.match("name", network.Name) &&
      filters.exact("scope", network.Scope) &&
      filters.labels("label", network.Labels) &&
      (types.length === 0 || types.includes(builtin ? "builtin" : "custom")) &&
      (dangling === undefined || dangling === (!builtin && !networks.inUse(network.Id)))
    );
  };
}
