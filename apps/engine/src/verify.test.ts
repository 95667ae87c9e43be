import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { loadConfig } from "./config/config.ts";
import { parseFlags } from "./config/flags.ts";
import { verifyStart } from "./verify.ts";

describe("what a start refuses, and --validate tells", () => {
  let dir = "";
  beforeEach(() => (dir = mkdtempSync(join(tmpdir(), "verify-"))));
  afterEach(() => rmSync(dir, { recursive: true }));

  async function verify(json: string, activated = false): Promise<void> {
    writeFileSync(join(dir, "daemon.json"), json);
    verifyStart(await loadConfig(parseFlags(["--config-file", join(dir, "daemon.json")])), { activated });
  }

  const refused: [string, RegExp][] = [
    [
      '{"log-driver":"gelf","log-opts":{"tag":"x"}}',
      /^failed to start daemon: failed to set log opts: gelf-address is a required parameter$/,
    ],
    [
      '{"log-opts":{"nosuch":"x"}}',
      /^failed to start daemon: failed to set log opts: unknown log opt 'nosuch' for json-file log driver$/,
    ],
    ['{"default-runtime":"nosuch"}', /^failed to start daemon: specified default runtime 'nosuch' does not exist$/],
    ['{"runtimes":{"x":{}}}', /^failed to start daemon: runtime x: either a runtimeType or a path must be configured$/],
    [
      '{"exec-opts":["native.cgroupdriver=foo"]}',
      /^failed to start daemon: native.cgroupdriver option foo not supported$/,
    ],
    ['{"seccomp-profile":"/nonexistent"}', /^failed to start daemon: opening seccomp profile \(\/nonexistent\) failed/],
    ['{"tlsverify":true,"tlscert":"/nonexistent"}', /^invalid TLS configuration: Could not load X509 key pair/],
  ];
  for (const [json, reason] of refused) it(json, () => assert.rejects(verify(json), { message: reason }));

  it("sockets of a service manager are missed by a start only", async () => {
    await verify('{"hosts":["fd://"]}');
    await assert.rejects(verify('{"hosts":["fd://"]}', true), /no sockets found via socket activation/);
  });

  it("a plugin's log driver may come later", () => verify('{"log-driver":"some/plugin:1","log-opts":{"a":"b"}}'));

  for (const name of ["buildkit/x", "image/overlay2/x", "overlay2/l/x", "swarm/x", "network/files/local-kv.db"]) {
    it(`a data root with ${name} is Docker's: refused by name, nothing written`, async () => {
      const root = join(dir, "docker");
      mkdirSync(dirname(join(root, name)), { recursive: true });
      writeFileSync(join(root, name), "");
      const before = readdirSync(root, { recursive: true });
      const json = JSON.stringify({ "data-root": root });
      await assert.rejects(verify(json), {
        message: new RegExp(`^failed to start daemon: ${root} is a data root of Docker`),
      });
      assert.deepEqual(readdirSync(root, { recursive: true }), before);
      writeFileSync(join(root, "engine.lock"), "");
      await verify(json);
    });
  }
});
