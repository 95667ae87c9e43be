import { Unknown } from "@longshore/errdefs";

const option = "com.docker.network.endpoint.ifname";
/** The kernel's limit, without the ending zero byte. */
const maxLength = 15;

function refusal(name: string, used: ReadonlySet<string>): string | undefined {
  if (name.length > maxLength) return "numerical result out of range";
  if (/[\s/:]/.test(name) || name === "." || name === "..") return "invalid argument";
  return name === "lo" || used.has(name) ? "file exists" : undefined;
}

/**
 * What an endpoint's link is called in the container: what was asked for, or the first free `ethN`.
 * @param used names of the container's other links
 * @param link what the link is called in the error
 * @throws Unknown `failed to add interface … to sandbox: …` for a name that cannot be
 */
export function chooseIfname(
  driverOpts: Record<string, string> | null | undefined,
  prefix: string,
  used: ReadonlySet<string>,
  link: string,
): string {
  const wish = driverOpts?.[option] ?? "";
  if (wish === "") {
    for (let i = 0; ; i++) if (!used.has(`${prefix}${i}`)) return `${prefix}${i}`;
  }
  const why = refusal(wish, used);
  if (why !== undefined)
    throw new Unknown(
      `failed to add interface ${link} to sandbox: error renaming interface "${link}" to "${wish}": ${why}`,
    );
  return wish;
}
