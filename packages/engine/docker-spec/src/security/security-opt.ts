import { Unknown } from "@longshore/errdefs";

export interface SecurityOptions {
  noNewPrivileges: boolean;
  writableCgroups: boolean;
  /** Empty: not given. */
  apparmorProfile: string;
  /** JSON text, `unconfined`, `builtin`, or empty when not given. */
  seccompProfile: string;
  /** SELinux label options, `disable` among them. */
  labels: string[];
}

const booleans: Record<string, boolean> = {
  "1": true,
  t: true,
  T: true,
  true: true,
  TRUE: true,
  True: true,
  "0": false,
  f: false,
  F: false,
  false: false,
  FALSE: false,
  False: false,
};

/**
 * Parses `--security-opt`s: `key=value`, the older `key:value`, and the bare words
 * `no-new-privileges`, `writable-cgroups` and `disable`.
 * @param noNewPrivileges the engine's default
 * @throws Unknown `invalid --security-opt 1: "x"` without a value, `… 2: …` for what is not known
 */
export function parseSecurityOptions(options: readonly string[], noNewPrivileges: boolean): SecurityOptions {
  const parsed: SecurityOptions = {
    noNewPrivileges,
    writableCgroups: false,
    apparmorProfile: "",
    seccompProfile: "",
    labels: [],
  };
  for (const option of options) {
    if (option === "no-new-privileges") parsed.noNewPrivileges = true;
    else if (option === "writable-cgroups") parsed.writableCgroups = true;
    else if (option === "disable") parsed.labels.push("disable");
    else apply(parsed, option);
  }
  return parsed;
}

function apply(parsed: SecurityOptions, option: string): void {
  const separator = option.includes("=") ? "=" : ":";
  const at = option.indexOf(separator);
  if (at < 0) throw new Unknown(`invalid --security-opt 1: ${JSON.stringify(option)}`);
  const key = option.slice(0, at);
  const value = option.slice(at + 1);
  const boolean = Object.hasOwn(booleans, value) ? booleans[value] : undefined;
  if (key === "label") parsed.labels.push(value);
  else if (key === "apparmor") parsed.apparmorProfile = value;
  else if (key === "seccomp") parsed.seccompProfile = value;
  else if (key === "no-new-privileges" && boolean !== undefined) parsed.noNewPrivileges = boolean;
  else if (key === "writable-cgroups" && boolean !== undefined) parsed.writableCgroups = boolean;
  else throw new Unknown(`invalid --security-opt 2: ${JSON.stringify(option)}`);
}
