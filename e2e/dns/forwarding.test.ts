import assert from "node:assert/strict";
import { shared } from "../engine/shared.ts";
import { askTcp, askUdp, say } from "./client.ts";
import { reply, type Script, Upstream } from "./upstream.ts";

const good: Script = (query) =>
  reply(query, [{ type: "A", name: query.questions?.[0]?.name ?? "", ttl: 7, data: "192.0.2.1" }]);
const many: Script = (query, overTcp) => {
  const all = Array.from({ length: 100 }, (_, i) => ({
    type: "A" as const,
    name: "big.x",
    ttl: 1,
    data: `192.0.2.${i}`,
  }));
  return overTcp || (query.additionals ?? []).length > 0 ? reply(query, all) : reply(query, [], 0, { flags: 0x380 });
};

/** What Docker 28.5.2 makes of the same servers, recorded. */
describe("the embedded DNS before other servers", () => {
  const [network, name] = ["e2e-fwd", "e2e-fwd"];
  const addresses = [1, 2, 3, 4].map((last) => `127.77.3.${last}`);
  let servers: Upstream[] = [];
  let pid = 0;
  const start = async (...options: string[]) => {
    await shared.docker(["rm", "-f", name]);
    await shared.ok([
      "run",
      "-d",
      "--name",
      name,
      "--network",
      network,
      ...addresses.flatMap((address) => ["--dns", address]),
      ...options,
      "busybox",
      "sleep",
      "1000",
    ]);
    pid = Number(await shared.ok(["inspect", "-f", "{{.State.Pid}}", name]));
    servers = await Promise.all(addresses.map((address) => Upstream.listen(`/proc/${pid}/ns/net`, address, good)));
  };
  const stop = () => Promise.all(servers.splice(0).map((server) => server.close()));
  /** The answer, how often each server was asked, and whether one had to be waited for in vain. */
  const ask = async (overTcp = false, question = "f.x") => {
    for (const { asked } of servers) asked.length = 0;
    const begin = performance.now();
    const answer = say(await (overTcp ? askTcp : askUdp)(pid, question));
    return { answer, asked: servers.map(({ asked }) => asked.length).join(), waited: performance.now() - begin > 3000 };
  };

  before(async () => {
    await shared.ok(["network", "create", network]);
    await start();
  });
  after(async () => {
    await stop();
    await shared.docker(["rm", "-f", name]);
    await shared.docker(["network", "rm", network]);
  });

  const next = { answer: "NOERROR [ra] A f.x 7 192.0.2.1", asked: "1,1,0,0", waited: false };
  const final = (answer: string) => ({ answer, asked: "1,0,0,0", waited: false });
  const cases: [string, Script, object, object?][] = [
    ["fails", (query) => reply(query, [], 2), next],
    ["refuses", (query) => reply(query, [], 5), next],
    ["does not know the operation", (query) => reply(query, [], 4), final("NOTIMP [ra]")],
    ["finds a fault", (query) => reply(query, [], 1), final("FORMERR [ra]")],
    ["knows that there is no such name", (query) => reply(query, [], 3), final("NXDOMAIN [ra]")],
    ["knows nothing of the type", (query) => reply(query, []), final("NOERROR [ra]")],
    ["talks nonsense", () => Buffer.from("x"), next],
    ["closes the connection", (query, overTcp) => (overTcp ? "close" : reply(query, [], 2)), next],
    [
      "answers late",
      async (query) => new Promise((resolve) => setTimeout(() => resolve(reply(query, [], 3)), 600)),
      { answer: "NXDOMAIN [ra]", asked: "1,0,0,0", waited: false },
    ],
  ];
  for (const [what, script, expected] of cases) {
    it(`a server that ${what}`, async () => {
      servers[0]!.script = script;
      assert.deepEqual(await ask(), expected);
      assert.deepEqual(await ask(true), expected);
    });
  }

  it("a server that is silent, or answers another query, has four seconds", async () => {
    const otherId = (query: Parameters<Script>[0]) => reply({ ...query, id: ((query.id ?? 0) + 1) % 65_536 }, []);
    servers[0]!.script = otherId;
    assert.deepEqual(await ask(true), next);
    servers[0]!.script = (query) => ((query.questions?.[0]?.name ?? "") === "silent.x" ? undefined : otherId(query));
    // Side by side: nobody waits for another's server.
    const begin = performance.now();
    const late = Promise.all([askUdp(pid, "silent.x"), askUdp(pid, "f.x")]);
    servers[1]!.script = (query) => reply(query, [], 3);
    assert.deepEqual((await late).map(say), ["NXDOMAIN [ra]", "NXDOMAIN [ra]"]);
    const seconds = (performance.now() - begin) / 1000;
    assert.ok(seconds > 3.9 && seconds < 7.5, `${seconds} s`);
    servers[1]!.script = good;
  });

  it("no more than three are asked, and when none has an answer that is a failure", async () => {
    for (const server of servers) server.script = (query) => reply(query, [], 5);
    assert.deepEqual(await ask(), { answer: "SERVFAIL []", asked: "1,1,1,0", waited: false });
    for (const server of servers) server.script = good;
  });

  it("truncated answers and sizes offered with EDNS pass", async () => {
    servers[0]!.script = many;
    const counts = async (answer: ReturnType<typeof askUdp>) => {
      const { flag_tc, answers } = await answer;
      return [flag_tc, answers?.length];
    };
    assert.deepEqual(await counts(askUdp(pid, "big.x")), [true, 0]);
    assert.deepEqual(await counts(askUdp(pid, "big.x", "A", { udpPayloadSize: 4096 })), [false, 100]);
    assert.deepEqual(await counts(askTcp(pid, "big.x")), [false, 100]);
    servers[0]!.script = good;
  });

  it("with nobody there it fails at once; with ndots set names without dots stay inside", async () => {
    await stop();
    assert.deepEqual(await ask(), { answer: "SERVFAIL []", asked: "", waited: false });
    assert.deepEqual(await ask(true), { answer: "SERVFAIL []", asked: "", waited: false });
    await start("--dns-opt", "ndots:0");
    assert.equal((await ask(false, "single")).answer, "NOERROR [ra]");
    assert.deepEqual(servers[0]!.asked, []);
    assert.equal((await ask(false, "a.b")).answer, "NOERROR [ra] A a.b 7 192.0.2.1");
    assert.equal(say(await askUdp(pid, "single", "TXT")).split(" ")[0], "NOERROR");
    assert.deepEqual(servers[0]!.asked, ["A a.b", "TXT single"]);
  });
});
