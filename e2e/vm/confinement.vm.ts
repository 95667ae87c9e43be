import assert from "node:assert/strict";
import { docker, dockerOk, machine } from "./shared.ts";

/** What of a container's walls a kernel with AppArmor and recursive read-only mounts adds. */
describe("confinement", () => {
  const current = ["cat", "/proc/self/attr/current"];

  it("AppArmor's default profile is loaded, and is that of containers", async () => {
    const [plain, privileged, asked] = await Promise.all([
      dockerOk("run", "--rm", "busybox", ...current),
      dockerOk("run", "--rm", "--privileged", "busybox", ...current),
      dockerOk("run", "--rm", "--security-opt=apparmor=unconfined", "busybox", ...current),
    ]);
    assert.equal(plain, "docker-default (enforce)");
    assert.equal(privileged, "unconfined");
    assert.equal(asked, "unconfined");
    assert.match(await machine().ok("cat /sys/kernel/security/apparmor/profiles"), /^docker-default \(enforce\)$/m);
  });

  it("an exec has it, too; a signal from outside ends the container", async () => {
    await dockerOk(
      "run",
      "-d",
      "--name",
      "walled",
      "busybox",
      "sh",
      "-c",
      "trap 'exit 7' TERM; while :; do sleep 0.1; done",
    );
    assert.equal(await dockerOk("exec", "walled", ...current), "docker-default (enforce)");
    await dockerOk("stop", "-t", "60", "walled");
    assert.equal(await dockerOk("inspect", "-f", "{{.State.ExitCode}}", "walled"), "7");
    await dockerOk("rm", "walled");
  });

  it("it refuses mounts that the capability alone would allow", async () => {
    const mount = ["busybox", "mount", "-t", "tmpfs", "none", "/tmp"];
    const [confined, free] = await Promise.all([
      docker("run", "--rm", "--cap-add=SYS_ADMIN", ...mount),
      docker("run", "--rm", "--cap-add=SYS_ADMIN", "--security-opt=apparmor=unconfined", ...mount),
    ]);
    assert.match(confined.stderr, /[Pp]ermission denied/);
    assert.equal(free.code, 0, free.stderr);
  });

  it("read-only mounts are so all the way down, unless they are to be writable there", async () => {
    await machine().ok("mkdir -p /srv/top/below && mount -t tmpfs none /srv/top/below");
    const run = (options: string) =>
      docker(
        "run",
        "--rm",
        `--mount=type=bind,src=/srv/top,dst=/m,readonly${options}`,
        "busybox",
        "sh",
        "-c",
        "touch /m/a; touch /m/below/a && echo written",
      );
    const [usual, forced, writable] = await Promise.all([
      run(""),
      run(",bind-recursive=readonly,bind-propagation=rprivate"),
      run(",bind-recursive=writable"),
    ]);
    for (const { stdout, stderr } of [usual, forced]) {
      assert.equal(stdout, "", stderr);
      assert.equal(stderr.match(/Read-only file system/g)?.length, 2, stderr);
    }
    assert.equal(writable.stdout, "written\n");
    await machine().ok("umount /srv/top/below");
  });
});
