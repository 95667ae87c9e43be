import type { Longshore } from "../engine/longshore.ts";
import { debianRoot } from "../engine/tools.ts";

/** Imports the minimal Debian root (apt, curl, perl-base, iproute2) as `debian`, once. */
export async function importDebian(longshore: Longshore): Promise<void> {
  if ((await longshore.docker(["image", "inspect", "debian"])).code === 0) return;
  await longshore.ok(["import", "--change", 'CMD ["bash"]', debianRoot, "debian"]);
}
