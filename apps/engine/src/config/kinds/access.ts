import { type AccessConfig, checkEngineKeys } from "../files/engine-keys.ts";
import { type Kind, noFlag } from "./kind.ts";

/** The engine's own keys. */
export const access: Kind<AccessConfig> = {
  placeholder: "",
  object: true,
  parse: noFlag,
  read: (value, path) => checkEngineKeys(value, path.join(".")),
};
