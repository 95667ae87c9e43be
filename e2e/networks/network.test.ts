import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { connect, createServer } from "node:net";
import { networkInterfaces } from "node:os";
import { importDebian } from "../stock/debian.ts";
import { shared } from "../engine/shared.ts";
import { until } from "../host/until.ts";

/** A program that answers each connection on port 80 with one line. */
const server = ["busybox", "sh", "-c", "while :; do echo answered | nc -l -p 80; done"];

async function ask(address: string, port: number): Promise<string> {
  const socket = connect({ host: address, port, timeout: 2000 });
  socket.on("timeout", () => socket.destroy(new Error("timed out")));
  let text = "";
  for await (const chunk of socket) text += String(chunk);
  return text;
}

describe("networks", () => {
  const name = "e2e-net";
  afterEach(() => shared.docker(["rm", "-f", name, `${name}-2`]));

  it("ls and inspect show bridge, host and none", async () => {
    const rows = (await shared.ok(["network", "ls", "--format", "{{.Name}} {{.Driver}} {{.Scope}}"])).split("\n");
    for (const row of ["bridge bridge local", "host host local", "none null local"])
      assert.ok(rows.includes(row), rows.join("; "));
    const id = await shared.ok(["run", "-d", "--name", name, "busybox", "sleep", "100"]);
    const address = await shared.ok(["inspect", "-f", "{{.NetworkSettings.Networks.bridge.IPAddress}}", name]);
    assert.equal(
      await shared
        .ok([
          "network",
          "inspect",
          "-f",
          `{{(index .Containers "${id}").Name}} {{(index .Containers "${id}").IPv4Address}}`,
          "bridge",
        ])
        .then((text) => text.split("/")[0]),
      `${name} ${address}`,
    );
    assert.match(
      await shared.ok(["exec", name, "ip", "-4", "-o", "addr", "show", "eth0"]),
      new RegExp(address.replaceAll(".", "\\.")),
    );
    assert.equal((await shared.docker(["network", "rm", "bridge"])).code, 1);
  });

  it("a published port answers on loopback, on the host's own address and from another container", async () => {
    await shared.ok(["run", "-d", "--name", name, "-p", "80", ...server]);
    const published = await shared.ok(["port", name, "80/tcp"]);
    const port = Number(/^0\.0\.0\.0:(\d+)$/m.exec(published)?.[1]);
    await until("it answers on loopback", async () => (await ask("127.0.0.1", port)) === "answered\n");
    const own = Object.values(networkInterfaces())
      .flat()
      .find((each) => each?.family === "IPv4" && !each.internal)?.address;
    assert.ok(own);
    await until("it answers on the host's address", async () => (await ask(own, port)) === "answered\n");
    await until(
      "it answers another container",
      async () =>
        (await shared.docker(["run", "--rm", "busybox", "nc", "-w", "2", own, String(port)])).stdout === "answered\n",
    );
    await shared.ok(["stop", "-t", "0", name]);
    await assert.rejects(ask("127.0.0.1", port), /ECONNREFUSED/);
  });

  it("a port in use is refused with Docker's message, and nothing stays behind", async () => {
    const busy = createServer().listen(0, "0.0.0.0");
    await once(busy, "listening");
    const address = busy.address();
    assert.ok(address !== null && typeof address === "object");
    try {
      const refused = await shared.docker(["run", "--name", name, "-p", `${address.port}:80`, "busybox", "true"]);
      assert.equal(refused.code, 125);
      assert.match(
        refused.stderr,
        new RegExp(
          `failed to bind host port (for )?0\\.0\\.0\\.0:${address.port}(:[\\d.]+:80)?/tcp: address already in use`,
        ),
      );
      assert.equal(await shared.ok(["inspect", "-f", "{{.State.Status}}", name]), "created");
    } finally {
      busy.close();
    }
    await shared.ok(["start", name]);
    assert.match(
      (await shared.docker(["run", "--rm", "-p", "99999:80", "busybox", "true"])).stderr,
      /Invalid hostPort: 99999/,
    );
  });

  it("two containers reach each other, and two engines' worth of ports do not clash", async () => {
    await shared.ok(["run", "-d", "--name", name, ...server]);
    const address = await shared.ok(["inspect", "-f", "{{.NetworkSettings.Networks.bridge.IPAddress}}", name]);
    await until(
      "one answers the other",
      async () =>
        (await shared.docker(["run", "--rm", "busybox", "nc", "-w", "2", address, "80"])).stdout === "answered\n",
    );
  });

  it("udp ports are published too", async () => {
    await importDebian(shared);
    const echo =
      "use IO::Socket::INET; $s = IO::Socket::INET->new(LocalPort => 5000, Proto => 'udp'); while (defined $s->recv($m, 9000)) { $s->send($m) }";
    await shared.ok(["run", "-d", "--name", name, "-p", "127.0.0.1::5000/udp", "debian", "perl", "-e", echo]);
    const published = await shared.ok(["port", name]);
    const port = Number(/127\.0\.0\.1:(\d+)/.exec(published)?.[1]);
    const socket = createSocket("udp4");
    let answer = "";
    socket.on("message", (message) => (answer += message.toString()));
    try {
      await until("the echo comes back", () => {
        socket.send("ping", port, "127.0.0.1");
        return answer.includes("ping");
      });
    } finally {
      socket.close();
    }
  });

  it("host and container modes share a namespace", async () => {
    assert.match(
      await shared.ok(["run", "--rm", "--network", "host", "busybox", "ls", "/sys/class/net"]),
      /eth0|ens|enp|lo/,
    );
    await shared.ok(["run", "-d", "--name", name, ...server]);
    assert.equal(
      await shared.ok(["run", "--rm", "--network", `container:${name}`, "busybox", "nc", "-w", "2", "127.0.0.1", "80"]),
      "answered",
    );
  });
});
