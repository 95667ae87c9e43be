import assert from "node:assert/strict";
import { eventually, machine } from "./shared.ts";

/** systemd's units, as contrib/systemd has them. */
describe("under systemd", () => {
  const sh = (script: string) => machine().sh(script);
  const ok = (script: string) => machine().ok(script);
  const running = async (name: string): Promise<boolean> =>
    (await ok(`docker inspect -f '{{.State.Running}}' ${name}`)) === "true";
  const serves = (): Promise<unknown> =>
    eventually("the engine serves", () => ok("docker version -f '{{.Server.Version}}'"));

  it("runs a container", async () => {
    assert.equal(await ok("docker run --rm busybox echo hello"), "hello");
  });

  it("the units are up when the daemons serve, and say which process is theirs", async () => {
    for (const unit of ["longshore-containerd", "longshore"]) {
      const shown = await ok(`systemctl show -p Type,ActiveState,MainPID,Result ${unit}`);
      assert.match(shown, /Type=notify/);
      assert.match(shown, /ActiveState=active/);
    }
    assert.equal(await ok("systemctl show -p MainPID --value longshore"), await ok("cat /run/longshore/dockerd.pid"));
    // `systemctl restart` comes back when the engine serves, not before
    await ok("systemctl restart longshore && docker ps");
  });

  it("npm start and npm stop leave the units alone and say so", async () => {
    for (const command of ["start", "stop"]) {
      const { code, stderr, stdout } = await sh(`cd /opt/longshore && npm --silent ${command}`);
      assert.notEqual(code, 0, stdout);
      assert.match(stderr, /systemd runs the daemons \(longshore[^ ]*\.service\); nothing was changed/);
      assert.match(stderr, /systemctl/);
    }
    await ok("systemctl is-active longshore longshore-containerd && docker ps");
  });

  for (const [what, command] of [
    ["systemctl kill of both", "systemctl kill -s SIGKILL longshore longshore-containerd"],
    ["systemctl kill with SIGTERM", "systemctl kill longshore longshore-containerd"],
    ["systemctl stop and start", "systemctl stop longshore longshore-containerd && systemctl start longshore"],
    ["systemctl restart", "systemctl restart longshore-containerd longshore"],
  ] as const) {
    it(`${what} harms no container, nor what it writes`, async () => {
      const name = `kept-${what.replace(/\W+/g, "-").toLowerCase()}`;
      await ok(`docker run -d --name ${name} -p 127.0.0.1:8099:80 busybox sh -c \
        'mkdir /w; echo served >/w/index.html; httpd -p 80 -h /w; i=0; while :; do echo $i; i=$((i+1)); sleep 0.2; done'`);
      const pid = await ok(`docker inspect -f '{{.State.Pid}}' ${name}`);
      await ok(command);
      await serves();
      assert.ok(await running(name));
      assert.equal(await ok(`docker inspect -f '{{.State.Pid}}' ${name}`), pid);
      const served = (): Promise<string> =>
        ok(
          "python3 -c \"import urllib.request as r; print(r.urlopen('http://127.0.0.1:8099', timeout=5).read().decode())\"",
        );
      assert.match(await eventually("the port leads to it", served), /served/);
      const { stdout } = await sh(`docker stop -t 0 ${name} && docker logs ${name}`);
      const numbers = stdout
        .split("\n")
        .filter((line) => /^\d+$/.test(line))
        .map(Number);
      assert.deepEqual(numbers, [...numbers.keys()], "a line is missing");
      await ok(`docker rm ${name}`);
    });
  }

  it("a stop after a kill leaves no rule behind and succeeds", async () => {
    await ok("systemctl kill -s SIGKILL longshore");
    await serves();
    await ok(
      "docker network create left >/dev/null && docker run -d --rm --name left --network left busybox sleep 300",
    );
    await ok("systemctl kill -s SIGKILL longshore");
    await serves();
    await ok("docker rm -f left && docker network rm left");
    await ok("systemctl stop longshore");
    assert.equal(await ok("systemctl show -p Result,ExecMainStatus --value longshore"), "success\n0");
    assert.doesNotMatch(await ok("nft list ruleset"), /longshore/i);
    await ok("systemctl start longshore");
  });

  it("daemons that npm start has started keep the units from starting, which say so", async () => {
    await ok("systemctl stop longshore longshore-containerd");
    await ok("systemd-run -q --unit=by-hand /opt/longshore/bin/containerd");
    await eventually("containerd is up", () => ok("test -S /run/longshore/containerd/containerd.sock"));
    const { code } = await sh("systemctl start longshore-containerd");
    assert.notEqual(code, 0);
    assert.match(await ok("journalctl -b -u longshore-containerd -o cat | tail -n 20"), /another|in use|locked/i);
    await ok(
      "systemctl stop by-hand; systemctl reset-failed; systemctl start longshore-containerd longshore; docker ps",
    );
  });
});
