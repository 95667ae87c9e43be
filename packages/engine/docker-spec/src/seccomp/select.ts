import { Unknown } from "@longshore/errdefs";
import type { runtime } from "@longshore/oci";
import { defaultProfile } from "./default-profile.ts";
import { evaluateSeccomp } from "./evaluate.ts";
import { parseSeccompProfile } from "./profile.ts";
import type { SeccompSubject } from "./types.ts";

/**
 * The filter of a container: its own profile, else the engine's, else the built-in one. Privileged
 * containers have one only when they ask for it.
 * @param asked `--security-opt seccomp=`: JSON, `unconfined`, `builtin` or empty
 * @param configured the engine's profile in the same forms
 * @throws Unknown when a profile is no profile, or the kernel has no seccomp and one is asked for
 */
export function seccompOf(options: {
  asked: string;
  configured: string;
  privileged: boolean;
  supported: boolean;
  subject: SeccompSubject;
}): runtime.LinuxSeccomp | undefined {
  const { asked, configured, privileged, supported, subject } = options;
  if (asked === "unconfined" || (privileged && asked === "")) return undefined;
  if (!supported) {
    if (asked === "" || asked === "builtin") return undefined;
    throw new Unknown("seccomp is not enabled in your kernel, cannot run a custom seccomp profile");
  }
  const choice = asked || configured || "builtin";
  if (choice === "unconfined") return undefined;
  return evaluateSeccomp(choice === "builtin" ? defaultProfile : parseSeccompProfile(choice), subject);
}
