import { bool, list, struct } from "@longshore/go-json";
import { checked } from "./scalars.ts";

const gcPolicy = struct("config.BuilderGCRule", { all: bool });

/** The build cache's configuration. */
export const builder = checked(
  struct("config.BuilderConfig", {
    gc: struct("config.BuilderGCConfig", { enabled: bool, policy: list(gcPolicy) }),
    entitlements: struct("config.BuilderEntitlements", {
      "network-host": bool,
      "security-insecure": bool,
      device: bool,
    }),
  }),
);
