import type { HostConfig, Ulimit } from "@longshore/docker-api";
import { maxUint64, type runtime } from "@longshore/oci";

const value = (limit: number): number | bigint => (limit < 0 ? maxUint64 + BigInt(limit) + 1n : limit);

/** The container's ulimits and, for names that it does not set, the engine's defaults. */
export function rlimitsOf(hostConfig: Pick<HostConfig, "Ulimits">, defaults: readonly Ulimit[]): runtime.POSIXRlimit[] {
  const own = hostConfig.Ulimits ?? [];
  const inherited = defaults.filter(({ Name }) => !own.some((ulimit) => ulimit.Name === Name));
  return [...own, ...inherited].map(({ Name, Soft, Hard }) => ({
    type: `RLIMIT_${Name.toUpperCase()}`,
    hard: value(Hard),
    soft: value(Soft),
  }));
}
