import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { once } from "node:events";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { takeServiceManager } from "./notify.ts";

/** Node has no datagram sockets in the file system. */
const receiver =
  "import socket,sys\ns=socket.socket(socket.AF_UNIX,socket.SOCK_DGRAM)\np=sys.argv[1]\ns.bind(p.replace('@','\\0',1) if p[0]=='@' else p)\nprint('bound',flush=True)\nfor _ in range(2): print(s.recv(4096).decode(),flush=True)";

function hasPython(): boolean {
  try {
    execFileSync("python3", ["-c", ""], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

describe("sd_notify", () => {
  let dir = "";
  before(() => (dir = mkdtempSync(join(tmpdir(), "notify-"))));
  after(() => rmSync(dir, { recursive: true }));

  for (const [kind, name] of [
    ["in the file system", "s"],
    ["in the abstract namespace", `@longshore-${process.pid}`],
  ] as const) {
    it(`a socket ${kind} gets the words, and nobody else the socket`, async function () {
      if (!hasPython()) return this.skip();
      const path = name.startsWith("@") ? name : join(dir, name);
      const child = spawn("python3", ["-c", receiver, path], { stdio: ["ignore", "pipe", "inherit"] });
      let said = "";
      child.stdout.on("data", (bytes: Buffer) => (said += String(bytes)));
      await once(child.stdout, "data");
      const environment: NodeJS.ProcessEnv = { NOTIFY_SOCKET: path };
      const tell = takeServiceManager((error) => assert.fail(String(error)), environment);
      assert.deepEqual(environment, {});
      tell("READY=1");
      tell("STOPPING=1");
      await once(child, "close");
      assert.equal(said, "bound\nREADY=1\nSTOPPING=1\n");
    });
  }

  it("says so when nobody listens, and nothing without a manager", () => {
    const codes: unknown[] = [];
    for (const path of [join(dir, "none"), `/${"x".repeat(200)}`, ""])
      takeServiceManager((error) => codes.push((error as NodeJS.ErrnoException).code), { NOTIFY_SOCKET: path })(
        "READY=1",
      );
    assert.deepEqual(codes, ["ENOENT", "ENAMETOOLONG"]);
  });
});
