import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { defaultConfig, formatConfig, loadConfig, logLevel } from "./config.ts";

describe("containerd's configuration", () => {
  let dir: string;
  let path: string;

  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), "config-"));
    path = join(dir, "config.toml");
  });
  afterEach(() => rmSync(dir, { recursive: true }));

  it("reads what it prints", async () => {
    writeFileSync(path, formatConfig(defaultConfig()));
    assert.deepEqual(structuredClone(await loadConfig(path, true)), { config: defaultConfig(), ignored: [] });
  });

  it("reads containerd's files over the defaults, and names what it ignores", async () => {
    writeFileSync(
      path,
      'version = 2\nroot = "/r"\n[grpc]\naddress = "/x.sock"\nmax_recv_message_size = 1\nconstructor = 1\n[plugins."io.containerd.gc.v1.scheduler"]\npause_threshold = 0.1\n',
    );
    const { config, ignored } = await loadConfig(path, true);
    assert.equal(config.root, "/r");
    assert.equal(config.grpc.address, "/x.sock");
    assert.equal(config.state, defaultConfig().state);
    assert.deepEqual(ignored, ["grpc.max_recv_message_size", "grpc.constructor"]);
    assert.deepEqual(structuredClone(config.plugins), { "io.containerd.gc.v1.scheduler": { pause_threshold: 0.1 } });
  });

  it("refuses broken files, wrong types and old versions, and does without a file that nobody named", async () => {
    const absent = join(dir, "none.toml");
    assert.deepEqual((await loadConfig(absent, false)).config, defaultConfig());
    await assert.rejects(loadConfig(absent, true), {
      message: `failed to load TOML from ${absent}: open ${absent}: no such file or directory`,
    });
    for (const [text, problem] of [
      ["version = ", /failed to load TOML from/],
      ['version = 3\n[grpc]\nuid = "0"\n', /grpc\.uid must be a number/],
      [
        "version = 3\n[archive]\nmax_unpacked_bytes = -1\n",
        /archive\.max_unpacked_bytes must be a number of bytes: -1$/,
      ],
      [
        'version = 3\ndisabled_plugins = "io.containerd.grpc.v1.tasks"\n',
        /disabled_plugins must be a list of strings$/,
      ],
      ["version = 3\nrequired_plugins = [1]\n", /required_plugins must be a list of strings$/],
      [
        'version = 3\ndisabled_plugins = ["cri"]\n',
        /: invalid disabled plugin URI "cri" expect io\.containerd\.x\.vx$/,
      ],
      [
        'version = 3\nrequired_plugins = ["cri"]\n',
        /: invalid required plugin URI "cri" expect io\.containerd\.x\.vx$/,
      ],
      ["version = 3\nplugins = 1\n", /plugins must be a table$/],
      ["version = 3\ngrpc = 1\n", /grpc must be a table$/],
      ["version = 1\n", /unsupported config version `1`/],
    ] as const) {
      writeFileSync(path, text);
      await assert.rejects(loadConfig(path, true), problem);
    }
    assert.throws(() => logLevel("loud"), /not a valid logrus Level: "loud"/);
  });
});
