import type { Platform } from "./image.ts";

const architectures: Readonly<Record<string, string>> = {
  x64: "amd64",
  x86_64: "amd64",
  "x86-64": "amd64",
  aarch64: "arm64",
  armhf: "arm",
  armel: "arm",
  ia32: "386",
  i386: "386",
};

/** One spelling for each platform: Go's architecture names, and no variant where it is the only usual one. */
export function normalizePlatform(platform: Platform): Platform {
  const architecture = architectures[platform.architecture.toLowerCase()] ?? platform.architecture.toLowerCase();
  const given = platform.variant?.toLowerCase() ?? "";
  let variant = /^\d+$/.test(given) ? `v${given}` : given;
  if (architecture === "arm64" && variant === "v8") variant = "";
  if (architecture === "amd64" && variant === "v1") variant = "";
  if (architecture === "arm" && variant === "") variant = platform.architecture === "armel" ? "v6" : "v7";
  return { os: platform.os.toLowerCase() || "linux", architecture, ...(variant === "" ? {} : { variant }) };
}

/** The platform of this machine. */
export function hostPlatform(): Platform {
  return normalizePlatform({ os: process.platform, architecture: process.arch });
}

/** `linux/arm/v7` */
export function formatPlatform(platform: Platform): string {
  const { os, architecture, variant } = normalizePlatform(platform);
  return [os, architecture, ...(variant === undefined ? [] : [variant])].join("/");
}

/** What runs on a platform, the best first: older variants too, and 32-bit ARM on 64-bit ARM. */
function runnable(platform: Platform): string[] {
  const { os, architecture, variant = "" } = normalizePlatform(platform);
  const version = Number(variant.slice(1));
  const down = (from: number, to: number, name: string): string[] =>
    Array.from({ length: Math.max(0, from - to + 1) }, (_, index) => `${os}/${name}/v${from - index}`);
  if (architecture === "arm64") return [formatPlatform(platform), ...down(8, 5, "arm")];
  if (architecture === "arm") return down(version, 5, "arm");
  if (architecture === "amd64" && version > 1) return [...down(version, 2, "amd64"), `${os}/amd64`];
  return [formatPlatform(platform)];
}

/** How well a platform suits: 0 is best, undefined not at all. Without wishes everything suits. */
export type PlatformRank = (platform: Platform) => number | undefined;

export function rankPlatforms(wanted: readonly Platform[]): PlatformRank {
  const order = wanted.flatMap(runnable);
  return (platform) => {
    if (order.length === 0) return 0;
    const rank = order.indexOf(formatPlatform(platform));
    return rank === -1 ? undefined : rank;
  };
}
