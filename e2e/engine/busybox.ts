import { copyFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { must } from "../host/exec.ts";
import type { Longshore } from "./longshore.ts";

/** Imports a small image made of the machine's static busybox, with every applet, a root and a nobody user. */
export async function importBusybox(longshore: Pick<Longshore, "ok">, name = "busybox"): Promise<void> {
  const root = mkdtempSync(join(tmpdir(), "busybox-"));
  try {
    for (const dir of ["bin", "etc", "tmp", "root", "home", "var"]) mkdirSync(join(root, dir));
    const busybox = (await must("which", ["busybox"])).trim();
    copyFileSync(busybox, join(root, "bin/busybox"));
    for (const applet of (await must(busybox, ["--list"])).split("\n")) {
      if (applet && applet !== "busybox") symlinkSync("busybox", join(root, "bin", applet));
    }
    writeFileSync(
      join(root, "etc/passwd"),
      "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/home:/bin/false\n",
    );
    writeFileSync(join(root, "etc/group"), "root:x:0:\nnogroup:x:65534:\nextra:x:777:nobody\n");
    const archive = join(root, "..", `${root.split("/").pop()}.tar`);
    await must("tar", ["-C", root, "-cf", archive, "."]);
    await longshore.ok(["import", "--change", 'CMD ["sh"]', archive, name]);
    rmSync(archive);
  } finally {
    rmSync(root, { recursive: true });
  }
}
