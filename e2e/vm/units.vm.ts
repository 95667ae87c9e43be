import assert from "node:assert/strict";
import { docker, dockerOk, engineServes, eventually, machine } from "./shared.ts";

/** The daemons under systemd, by the units of contrib/systemd. */
describe("under systemd", () => {
  const ok = (script: string) => machine().ok(script);
  const inspect = (name: string, format: string) => dockerOk("inspect", "-f", format, name);

  it("the units are up when the daemons serve, and know their processes", async () => {
    for (const unit of ["longshore-containerd", "longshore"])
      assert.equal(await ok(`systemctl show -p Type,ActiveState --value ${unit}`), "notify\nactive");
    const main = await ok("systemctl show -p MainPID --value longshore");
    assert.equal(await ok("cat /run/longshore/dockerd.pid"), main);
    // it comes back when the engine serves, not before
    assert.equal(await ok("systemctl restart longshore && docker run --rm busybox echo hello"), "hello");
  });

  it("npm start and npm stop leave the units alone and say so", async () => {
    for (const command of ["start", "stop"]) {
      const { code, stderr, stdout } = await machine().sh(`cd /opt/longshore && npm --silent ${command}`);
      assert.notEqual(code, 0, stdout);
      assert.match(stderr, /systemd runs the daemons \(longshore[^ ]*\.service\); nothing was changed/);
      assert.match(stderr, /systemctl/);
    }
    await ok("systemctl -q is-active longshore longshore-containerd");
  });

  it("shims and docker-proxy are outside of the daemons' units", async () => {
    await dockerOk("run", "-d", "--name", "outside", "-p", "127.0.0.1:8098:80", "busybox", "sleep", "1000");
    const members = (unit: string) =>
      ok(`for p in $(cat /sys/fs/cgroup/system.slice/${unit}.service/cgroup.procs); do
      tr '\\0' ' ' </proc/$p/cmdline; echo; done`);
    const shims = await members("longshore-shims");
    assert.match(shims, /containerd-shim-longshore-v2/);
    assert.match(shims, /docker-proxy/);
    for (const unit of ["longshore", "longshore-containerd"])
      assert.equal((await members(unit)).trim().split("\n").length, 1, await members(unit));
    await dockerOk("rm", "-f", "outside");
  });

  describe("a container that serves and writes", () => {
    let pid = "";
    const script =
      "mkdir /w; echo served >/w/index.html; httpd -h /w; i=0; while :; do echo $i; i=$((i+1)); sleep 1; done";
    const get = "import urllib.request as r; print(r.urlopen('http://127.0.0.1:8099', timeout=20).read().decode())";
    before(async () => {
      await dockerOk("run", "-d", "--name", "kept", "-p", "127.0.0.1:8099:80", "busybox", "sh", "-c", script);
      pid = await inspect("kept", "{{.State.Pid}}");
    });
    after(() => docker("rm", "-f", "kept"));

    for (const [what, command] of [
      ["a kill of all that is in the units", "systemctl kill -s SIGKILL longshore longshore-containerd"],
      // the engine's predecessor was killed: what that left of the firewall is in the way of nothing
      ["a stop and a start of both", "systemctl stop longshore longshore-containerd && systemctl start longshore"],
      ["a stop of the shims' unit", "systemctl stop longshore-shims && systemctl restart longshore-containerd"],
    ] as const) {
      it(`goes on, and its port with it, over ${what}`, async () => {
        await ok(command);
        await engineServes();
        assert.equal(await inspect("kept", "{{.State.Running}} {{.State.Pid}}"), `true ${pid}`);
        assert.match(await eventually("the port leads to it", () => ok(`python3 -c "${get}"`)), /served/);
        assert.equal(await ok("systemctl --failed --no-legend"), "");
      });
    }

    it("has lost no line", async () => {
      await dockerOk("stop", "-t", "0", "kept");
      const numbers = (await dockerOk("logs", "kept")).split("\n").filter((line) => /^\d+$/.test(line));
      assert.ok(numbers.length > 1);
      assert.deepEqual(numbers, [...numbers.keys()].map(String));
    });
  });

  it("a stop of the engine after a kill succeeds and leaves no rule", async () => {
    await ok("systemctl kill -s SIGKILL longshore");
    await engineServes();
    await ok("systemctl stop longshore");
    assert.equal(await ok("systemctl show -p Result,ExecMainStatus --value longshore"), "success\n0");
    assert.doesNotMatch(await ok("nft list ruleset"), /longshore/i);
    await ok("systemctl start longshore");
    await engineServes();
  });

  it("units do not start beside daemons that run already, and say so", async () => {
    await ok(
      "systemctl stop longshore longshore-containerd; systemd-run -q --unit=by-hand /opt/longshore/bin/containerd",
    );
    await eventually("containerd is up", () => ok("test -S /run/longshore/containerd/containerd.sock && echo up"));
    assert.notEqual((await machine().sh("systemctl start longshore-containerd")).code, 0);
    assert.match(await ok("journalctl -b -u longshore-containerd -o cat | tail -n 20"), /another|in use|lock/i);
    await ok("systemctl stop by-hand; systemctl reset-failed; systemctl start longshore-containerd longshore");
    await engineServes();
    assert.equal((await docker("ps")).code, 0);
  });
});
