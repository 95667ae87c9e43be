import type { Propagation } from "@longshore/docker-api";

const kinds: Record<string, string> = {
  ro: "access",
  rw: "access",
  z: "label",
  Z: "label",
  private: "propagation",
  rprivate: "propagation",
  shared: "propagation",
  rshared: "propagation",
  slave: "propagation",
  rslave: "propagation",
  nocopy: "copy",
  consistent: "consistency",
  cached: "consistency",
  delegated: "consistency",
};

/** The propagation of a bind that does not name one. */
export const defaultPropagation: Propagation = "rprivate";

export function isPropagation(word: string): word is Propagation {
  return kinds[word] === "propagation";
}

/** Whether `mode` is a comma list of known words, at most one of each kind; empty is valid. */
export function isValidMode(mode: string): boolean {
  if (mode === "") return true;
  const seen = new Set<string>();
  for (const word of mode.split(",")) {
    const kind = Object.hasOwn(kinds, word) ? kinds[word] : undefined;
    if (kind === undefined || seen.has(kind)) return false;
    seen.add(kind);
  }
  return true;
}

/** What the words of a valid mode ask for. */
export function parseMode(mode: string): { readOnly: boolean; noCopy: boolean; propagation?: Propagation } {
  const words = mode.split(",");
  const propagation = words.find(isPropagation);
  return {
    readOnly: words.includes("ro"),
    noCopy: words.includes("nocopy"),
    ...(propagation === undefined ? {} : { propagation }),
  };
}
