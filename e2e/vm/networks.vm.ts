import assert from "node:assert/strict";
import { docker, dockerOk, eventually, machine } from "./shared.ts";

/** Networks on links that the kernel of the tests' own machine does not have. */
describe("networks", () => {
  before(() => machine().ok("ip link show d0 2>/dev/null || ip link add d0 type dummy; ip link set d0 up"));
  after(() => machine().sh("ip link del d0"));

  for (const [title, driver, subnet, options, link] of [
    ["macvlan on a dummy", "macvlan", "10.77.1", ["-o", "parent=d0"], /macvlan mode bridge/],
    ["macvlan on a VLAN that it makes", "macvlan", "10.77.2", ["-o", "parent=d0.20"], /macvlan mode bridge/],
    ["macvlan without a parent", "macvlan", "10.77.3", [], /macvlan mode bridge/],
    ["ipvlan in L2 on a VLAN that it makes", "ipvlan", "10.77.4", ["-o", "parent=d0.30"], /ipvlan\s+mode l2/],
    ["ipvlan in L3 without a parent", "ipvlan", "10.77.5", ["-o", "ipvlan_mode=l3"], /ipvlan\s+mode l3/],
  ] as const) {
    it(`${title}: members reach each other by name, and its links go with it`, async () => {
      const name = `net-${subnet.replaceAll(".", "-")}`;
      const links = () => machine().ok("ip -o link | cut -d: -f2 | cut -d@ -f1 | grep -v veth | sort");
      const before = await links();
      await dockerOk("network", "create", "-d", driver, `--subnet=${subnet}.0/24`, ...options, name);
      await dockerOk("run", "-d", "--name", `${name}-a`, "--network", name, "busybox", "sleep", "1000");
      const seen = await dockerOk(
        "run",
        "--rm",
        "--network",
        name,
        "busybox",
        "ping",
        "-c",
        "1",
        "-W",
        "20",
        `${name}-a`,
      );
      assert.match(seen, /1 packets received/);
      const pid = await dockerOk("inspect", "-f", "{{.State.Pid}}", `${name}-a`);
      assert.match(await machine().ok(`nsenter -t ${pid} -n ip -d link show eth0`), link);
      const vlan = /\.(\d+)$/.exec(options[1] ?? "")?.[1];
      if (vlan !== undefined)
        assert.match(await machine().ok(`ip -d link show d0.${vlan}`), new RegExp(`vlan protocol 802.1Q id ${vlan} `));
      await dockerOk("rm", "-f", `${name}-a`);
      await dockerOk("network", "rm", name);
      assert.equal(await links(), before);
    });
  }

  it("publishes SCTP ports", async () => {
    const sctp = "import socket as s; c=s.socket(s.AF_INET, s.SOCK_STREAM, 132);";
    await dockerOk("run", "-d", "--name", "sctp", "-p", "9999:7/sctp", "busybox", "sleep", "1000");
    const pid = await dockerOk("inspect", "-f", "{{.State.Pid}}", "sctp");
    await machine()
      .ok(`systemd-run -q --unit=echo --property=RestartSec=1 nsenter -t ${pid} -n python3 -c "${sctp} c.bind(('', 7)); c.listen(5)
while True:
    p=c.accept()[0]; p.send(p.recv(99)); p.close()"`);
    const said = (address: string) =>
      machine().ok(
        `python3 -c "${sctp} c.settimeout(20); c.connect(('${address}', 9999)); c.send(b'over'); print(c.recv(99).decode())"`,
      );
    const own = await machine().ok(
      "ip -4 -o address show scope global | sed -nE 's#.*inet (10\\.0\\.2\\.[0-9]+)/.*#\\1#p'",
    );
    assert.equal(await eventually("SCTP gets there", () => said(own)), "over");
    await machine().ok("systemctl stop echo");
    await dockerOk("rm", "-f", "sctp");
    const { code } = await docker("port", "sctp");
    assert.notEqual(code, 0);
  });
});
