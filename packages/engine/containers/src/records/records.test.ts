import assert from "node:assert/strict";
import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isKind, messageOf } from "@longshore/errdefs";
import { silent } from "@longshore/logger";
import type { Reader } from "@longshore/records";
import { type Json, mutations } from "@longshore/records/testing";
import { loadContainers } from "../model/record-files.ts";
import { containerRecord } from "./container.ts";
import { hostConfigRecord } from "./host-config.ts";
import recorded from "./testdata/docker-28.5.json" with { type: "json" };

interface Recorded {
  config: { [key: string]: Json };
  hostConfig: { [key: string]: Json };
}
const docker = recorded as unknown as Record<string, Recorded>;

describe("records of containers, read as hostile input", () => {
  let base = "";
  beforeEach(async () => {
    base = await mkdtemp(join(tmpdir(), "records-"));
    await mkdir(join(base, "containers"));
    await mkdir(join(base, "damaged"));
  });
  afterEach(() => rm(base, { recursive: true }));

  async function store(...records: Recorded[]): Promise<void> {
    for (const { config, hostConfig } of records) {
      const dir = join(base, "containers", String(config["ID"]));
      await mkdir(dir);
      await writeFile(join(dir, "config.v2.json"), JSON.stringify(config));
      await writeFile(join(dir, "hostconfig.json"), JSON.stringify(hostConfig));
    }
  }
  const load = () => loadContainers(join(base, "containers"), join(base, "damaged"), silent);

  it("those of Docker 28.5 come up with all that they say", async () => {
    const records = Object.entries(docker).filter(([name]) => name.startsWith("overlay2/"));
    await store(...records.map(([, each]) => each));
    const loaded = new Map((await load()).map((each) => [each.record.Name, each]));
    assert.deepEqual([...loaded.keys()].sort(), records.map(([, { config }]) => config["Name"]).sort());
    assert.deepEqual(await readdir(join(base, "damaged")), []);
    const { record, hostConfig } = loaded.get("/c-run")!;
    const { NetworkSettings: _networks, ...shown } = docker["overlay2/run"]!.config;
    const dir = join(base, "containers", record.ID);
    for (const key of ["Path", "Args", "Created", "Image", "Driver", "RestartCount", "HasBeenStartedBefore"] as const)
      assert.deepEqual(record[key], shown[key], key);
    assert.equal(record.LogPath, join(dir, `${record.ID}-json.log`));
    assert.equal(record.HostsPath, join(dir, "hosts"));
    assert.deepEqual(Object.keys(record.MountPoints), ["/anon", "/data", "/hostetc"]);
    assert.deepEqual(record.EndpointRequests, { bridge: {} });
    assert.deepEqual(hostConfig.PortBindings, { "80/tcp": [{ HostIp: "127.0.0.1", HostPort: "0" }] });
    for (const [name, { hostConfig: given }] of records) {
      const read: Record<string, unknown> = { ...hostConfigRecord(given, "") };
      for (const [key, value] of Object.entries(given)) assert.deepEqual(read[key], value, `${name}: ${key}`);
    }
    const created = loaded.get("/c-created")!;
    assert.deepEqual(created.record.EndpointRequests["c-net"]?.Aliases, ["al"]);
    assert.equal(created.record.LogPath, join(base, "containers", created.record.ID, `${created.record.ID}-json.log`));
    assert.equal(
      loaded.get("/c-restarting")!.record.LogPath,
      join(base, "containers", loaded.get("/c-restarting")!.record.ID, "local-logs/container.log"),
    );
    assert.equal(loaded.get("/c-sharing")!.record.HostsPath, join(dir, "hosts"), "its donor's");
  });

  for (const name of ["overlay2/run", "overlay2/created", "containerd/run"]) {
    const { config, hostConfig } = docker[name]!;
    it(`${name}: whatever stands in the place of any value, the record is read whole or refused in words`, () => {
      const counts = { read: 0, refused: 0 };
      const attempt = (tree: Json, read: Reader<object>): void => {
        for (const changed of mutations(tree)) {
          let result: object;
          try {
            result = read(changed, "");
          } catch (error) {
            assert.ok(isKind(error, "DataLoss"), `${messageOf(error)}: ${JSON.stringify(changed).slice(0, 200)}`);
            assert.match(messageOf(error), / (is|no) /);
            counts.refused++;
            continue;
          }
          if (++counts.read % 10 === 0) assert.deepEqual(read(JSON.parse(JSON.stringify(result)), ""), result);
        }
      };
      attempt(config, containerRecord);
      attempt(hostConfig, hostConfigRecord);
      assert.ok(counts.read > 500 && counts.refused > 500, JSON.stringify(counts));
    });
  }

  it("two of one name, folders and pipes in the place of files, wrong ids: set aside, the rest comes up", async () => {
    const good = docker["overlay2/run"]!;
    const id = (digit: string): string => digit.repeat(64);
    await store(good, { ...good, config: { ...good.config, ID: id("f") } });
    const { config, hostConfig } = docker["overlay2/exited"]!;
    await store({ config: { ...config, ID: id("e") }, hostConfig });
    await rm(join(base, "containers", id("e"), "hostconfig.json"));
    await mkdir(join(base, "containers", id("e"), "hostconfig.json"));
    await mkdir(join(base, "containers", id("d"), "config.v2.json"), { recursive: true });
    await writeFile(join(base, "containers", id("c")), "a file");
    await mkdir(join(base, "containers", id("b")));
    await writeFile(join(base, "containers", id("b"), "config.v2.json"), "null");
    assert.equal((await load()).length, 1);
    assert.equal((await readdir(join(base, "damaged"))).length, 5);
    assert.equal((await readdir(join(base, "containers"))).length, 1);
  });
});
