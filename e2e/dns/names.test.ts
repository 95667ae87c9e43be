import assert from "node:assert/strict";
import { shared } from "../engine/shared.ts";
import { addresses, askTcp, askUdp, say } from "./client.ts";
import { reply, Upstream } from "./upstream.ts";

/** Answers as Docker 28.5.2 gives them to the same questions; where ours differ it is said. */
describe("names in networks", () => {
  const [front, back, internal] = ["E2e-names", "e2e-names-b", "e2e.names-int"];
  const pids = new Map<string, number>();
  let outside: Upstream;

  const run = async (name: string, network: string, ...options: string[]) => {
    await shared.ok([
      "run",
      "-d",
      "--name",
      name,
      "--network",
      network,
      "--dns",
      "127.77.2.1",
      ...options,
      "busybox",
      "sleep",
      "1000",
    ]);
    pids.set(name, Number(await shared.ok(["inspect", "-f", "{{.State.Pid}}", name])));
  };
  const ask = async (from: string, name: string, type: "A" | "AAAA" | "PTR" | "MX" | "TXT" | "SRV" = "A") =>
    say(await askUdp(pids.get(from)!, name, type));
  const found = async (from: string, name: string, type: "A" | "AAAA" = "A") =>
    addresses(await askUdp(pids.get(from)!, name, type));

  before(async () => {
    await shared.ok([
      "network",
      "create",
      "--ipv6",
      "--subnet",
      "10.214.71.0/24",
      "--subnet",
      "fd00:214:71::/64",
      front,
    ]);
    await shared.ok(["network", "create", "--subnet", "10.214.72.0/24", back]);
    await shared.ok(["network", "create", "--internal", "--subnet", "10.214.73.0/24", internal]);
    await run(
      "e2e-n-web",
      front,
      "--ip",
      "10.214.71.10",
      "--ip6",
      "fd00:214:71::10",
      "--network-alias",
      "www",
      "--network-alias",
      "Pool",
      "--hostname",
      "webhost",
    );
    await shared.ok(["network", "connect", "--ip", "10.214.72.10", "--alias", "both", back, "e2e-n-web"]);
    await run("E2e-n-Two", front, "--ip", "10.214.71.11", "--network-alias", "pool", "--network-alias", "both");
    await run(
      "e2e-n-v4",
      back,
      "--ip",
      "10.214.72.11",
      "--network-alias",
      "pool",
      "--network-alias",
      "with.dots",
      "--link",
      "e2e-n-web:weblink",
    );
    await run("e2e-n-int", internal, "--ip", "10.214.73.11");
    outside = await Upstream.listen(`/proc/${pids.get("e2e-n-web")}/ns/net`, "127.77.2.1", (query) => {
      const { name = "", type = "A" } = query.questions?.[0] ?? {};
      if (type === "TXT") return reply(query, [{ type, name, ttl: 7, data: ["one", "two"] }]);
      if (type === "SRV")
        return reply(query, [{ type, name, ttl: 7, data: { port: 1, target: "x.y", weight: 2, priority: 3 } }]);
      return reply(query, [], 3);
    });
  });

  after(async () => {
    await outside.close();
    await shared.docker(["rm", "-f", ...pids.keys()]);
    await shared.docker(["network", "rm", front, back, internal]);
  });
  beforeEach(() => {
    outside.asked.length = 0;
  });

  it("are those of containers, aliases, host names and short ids, in any case, with a dot at the end or the network's name", async () => {
    const id = (await shared.ok(["inspect", "-f", "{{.Id}}", "E2e-n-Two"])).slice(0, 12);
    for (const name of ["e2e-n-two", "E2E-N-TWO", "e2e-n-two.", "E2e-n-Two.E2e-names", id])
      assert.deepEqual(await found("e2e-n-web", name), ["10.214.71.11"], name);
    for (const name of ["www", "webhost", "e2e-n-web.E2e-names"])
      assert.deepEqual(await found("e2e-n-web", name), ["10.214.71.10"], name);
    for (const name of ["with.dots", "with.dots.e2e-names-b", "e2e-n-v4.e2e-names-b"])
      assert.deepEqual(await found("e2e-n-web", name), ["10.214.72.11"], name);
    assert.deepEqual(await found("e2e-n-int", "e2e-n-int.e2e.names-int"), ["10.214.73.11"]);
    assert.equal(await ask("e2e-n-web", "WWW"), "NOERROR [ra] A WWW 600 10.214.71.10");
    assert.equal(await ask("e2e-n-web", "www", "AAAA"), "NOERROR [ra] AAAA www 600 fd00:214:71::10");
    assert.deepEqual(outside.asked, []);
  });

  it("are looked up in one network after the other, by the networks' names", async () => {
    assert.deepEqual(await found("e2e-n-web", "pool"), ["10.214.71.10", "10.214.71.11"]);
    assert.deepEqual(await found("e2e-n-web", "pool.e2e-names-b"), ["10.214.72.11"]);
    assert.deepEqual(await found("e2e-n-web", "both"), ["10.214.71.11"]);
    assert.deepEqual(await found("e2e-n-v4", "both"), ["10.214.72.10"]);
    assert.deepEqual(await found("e2e-n-v4", "weblink"), ["10.214.72.10"]);
    assert.deepEqual(await found("e2e-n-v4", "weblink.e2e-names-b"), ["10.214.72.10"]);
    const first = new Set<string>();
    for (let i = 0; i < 64 && first.size < 2; i++) {
      const [record] = (await askUdp(pids.get("e2e-n-web")!, "pool")).answers ?? [];
      if (record?.type === "A") first.add(record.data);
    }
    assert.equal(first.size, 2, "each address comes first now and then");
  });

  it("have reverse names, over TCP as well", async () => {
    assert.equal(
      await ask("e2e-n-web", "11.71.214.10.in-addr.arpa", "PTR"),
      "NOERROR [ra] PTR 11.71.214.10.in-addr.arpa 600 E2e-n-Two.E2e-names",
    );
    assert.equal(
      await ask("e2e-n-v4", "10.72.214.10.in-addr.arpa", "PTR"),
      "NOERROR [ra] PTR 10.72.214.10.in-addr.arpa 600 e2e-n-web.e2e-names-b",
    );
    const six = `0.1.${"0.".repeat(14)}`.concat("0.0.0.0.1.7.0.0.4.1.2.0.0.0.d.f.ip6.arpa");
    assert.match(await ask("e2e-n-web", six, "PTR"), / 600 e2e-n-web\.E2e-names$/);
    assert.deepEqual(addresses(await askTcp(pids.get("e2e-n-web")!, "pool")), ["10.214.71.10", "10.214.71.11"]);
    assert.deepEqual(outside.asked, []);
  });

  it("do not leak: what one family or mail lacks is known to be absent", async () => {
    assert.equal(await ask("e2e-n-web", "e2e-n-v4", "AAAA"), "NOERROR [ra]");
    assert.equal(await ask("e2e-n-web", "e2e-n-v4", "MX"), "NOERROR [ra]");
    assert.deepEqual(outside.asked, []);
  });

  it("change with the container's", async () => {
    await shared.ok(["rename", "E2e-n-Two", "e2e-n-second"]);
    assert.deepEqual(await found("e2e-n-web", "e2e-n-second"), ["10.214.71.11"]);
    assert.equal(await ask("e2e-n-web", "e2e-n-two"), "NXDOMAIN [ra]");
    await shared.ok(["rename", "e2e-n-second", "E2e-n-Two"]);
    assert.deepEqual(await found("e2e-n-web", "e2e-n-two"), ["10.214.71.11"]);
  });

  it("of other networks, and other types, are asked for outside", async () => {
    assert.equal(await ask("e2e-n-web", "e2e-n-int"), "NXDOMAIN [ra]");
    assert.equal(await ask("e2e-n-web", "11.73.214.10.in-addr.arpa", "PTR"), "NXDOMAIN [ra]");
    assert.match(await ask("e2e-n-web", "www", "TXT"), /^NOERROR \[ra\] TXT www 7 /);
    assert.equal(
      await ask("e2e-n-web", "_http._tcp.www", "SRV"),
      "NOERROR [ra] SRV _http._tcp.www 7 {priority:3,weight:2,port:1,target:x.y}",
    );
    assert.deepEqual(outside.asked, ["A e2e-n-int", "PTR 11.73.214.10.in-addr.arpa", "TXT www", "SRV _http._tcp.www"]);
    assert.match(await ask("e2e-n-int", "www"), /^SERVFAIL/);
  });
});
