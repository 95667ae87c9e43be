import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Config, loadConfig } from "./config.ts";
import { parseFlags } from "./flags.ts";
import { options } from "./options/table.ts";

describe("configuration", () => {
  let dir = "";
  let path = "";
  let ownPath = "";
  before(async () => {
    dir = await mkdtemp(join(tmpdir(), "config-"));
    path = join(dir, "daemon.json");
    ownPath = join(dir, "engine.json");
    await writeFile(ownPath, "");
  });
  after(() => rm(dir, { recursive: true }));

  async function load(json: string, ...args: string[]): Promise<Config> {
    await writeFile(path, json);
    return loadConfig(parseFlags(["--config-file", path, "--longshore-config-file", ownPath, ...args]));
  }

  async function refusal(json: string, ...args: string[]): Promise<string> {
    const error = await load(json, ...args).then(
      () => new Error("accepted"),
      (reason: unknown) => reason as Error,
    );
    return error.message.replace(`unable to configure the Docker daemon with file ${path}: `, "");
  }

  it("merges both places over the defaults", async () => {
    const config = await load(
      '{"labels":["a=b"],"default-shm-size":"1M","default-address-pools":[{"base":"10.0.0.0/8","size":24}]}',
      "-D",
      "-H",
      "unix:///a",
      "-H=tcp://127.0.0.1:1",
      "--log-opt",
      "max-size=1m",
      "--icc=false",
      "--default-ulimit",
      "nofile=1:2",
    );
    assert.deepEqual(config.labels, ["a=b"]);
    assert.equal(config.defaultShmSize, 1 << 20);
    assert.deepEqual(config.hosts, [
      { scheme: "unix", path: "/a" },
      { scheme: "tcp", host: "127.0.0.1", port: 1 },
    ]);
    assert.deepEqual(config.logOpts, { "max-size": "1m" });
    assert.equal(config.logLevel, "debug");
    assert.equal(config.network.icc, false);
    assert.deepEqual(config.network.defaultAddressPools, [{ base: "10.0.0.0/8", size: 24 }]);
    assert.deepEqual(
      (await load("{}", "--default-network-opt", "bridge=a=1", "--default-network-opt=bridge=b=x=y")).network
        .defaultNetworkOpts,
      { bridge: { a: "1", b: "x=y" } },
    );
    assert.deepEqual(
      (await load('{"default-network-opts":{"bridge":{"a":"1"}},"ip":"127.0.0.1"}')).network.defaultNetworkOpts,
      { bridge: { a: "1" } },
    );
    assert.deepEqual(config.defaultUlimits, { nofile: { Name: "nofile", Soft: 1, Hard: 2 } });
    assert.equal((await load("")).dataRoot, "/var/lib/longshore");
  });

  it("takes sockets and plugins that are named twice once", async () => {
    const twice = [
      "-H",
      "unix:///a",
      "-H",
      "tcp://127.0.0.1:1",
      "-H",
      "unix:///a",
      "--authorization-plugin",
      "p",
      "--authorization-plugin",
      "q",
      "--authorization-plugin",
      "p",
    ];
    const { hosts, authorizationPlugins } = await load("{}", ...twice);
    assert.deepEqual(hosts, [
      { scheme: "unix", path: "/a" },
      { scheme: "tcp", host: "127.0.0.1", port: 1 },
    ]);
    assert.deepEqual(authorizationPlugins, ["p", "q"]);
  });

  it("refuses what dockerd refuses, in its words", async () => {
    assert.equal(await refusal('{"foo":1}'), "the following directives don't match any configuration option: foo");
    assert.equal(
      await refusal('{"data-root":"/x","labels":["a=b"]}', "--label", "c=d", "--data-root", "/y"),
      "the following directives are specified both as a flag and in the configuration file: data-root: (from flag: /y, from file: /x), labels: (from flag: [c=d], from file: [a=b])",
    );
    assert.equal(
      await refusal('{"debug":"x"}'),
      "invalid JSON: json: cannot unmarshal string into Go struct field Config.debug of type bool",
    );
    assert.equal(
      await refusal('{"log-level":"zz"}'),
      "merged configuration validation from file and command line flags failed: invalid logging level: zz",
    );
    for (const [opts, reason] of [
      ['{"bridge":"x"}', "string into Go struct field Config.default-network-opts.bridge of type map[string]string"],
      ['{"bridge":{"a":1}}', "number into Go struct field Config.default-network-opts.bridge.a of type string"],
      ["[]", "array into Go struct field Config.default-network-opts of type map[string]map[string]string"],
    ]) {
      assert.equal(await refusal(`{"default-network-opts":${opts}}`), `invalid JSON: json: cannot unmarshal ${reason}`);
    }
    assert.equal(await refusal('{"ip":"foo"}'), "invalid JSON: invalid IP address: foo");
    for (const [runtimes, reason] of [
      ['{"x":{"path":1}}', "number into Go struct field Config.runtimes.x.path of type string"],
      ['{"x":1}', "number into Go struct field Config.runtimes.x of type system.Runtime"],
      ['{"x":{"runtimeArgs":[1]}}', "number into Config.runtimes.x.runtimeArgs.0 of type string"],
    ]) {
      assert.equal(await refusal(`{"runtimes":${runtimes}}`), `invalid JSON: json: cannot unmarshal ${reason}`);
    }
    for (const [option, reason] of [
      ["foo", "must be formatted 'opt=value'"],
      ["foo=bar", "unknown option: 'foo'"],
      ["native.cgroupdriver=", "must be formatted 'opt=value'"],
    ] as const) {
      assert.equal(
        await refusal("{}", "--exec-opt", option),
        `merged configuration validation from file and command line flags failed: invalid exec-opt (${option}): ${reason}`,
      );
    }
    await assert.rejects(
      loadConfig(parseFlags(["--config-file", "/nowhere/x"])),
      /open \/nowhere\/x: no such file or directory/,
    );
  });

  it("has every flag of dockerd 28.5, those that its --help does not show among them; docs/configuration.md names what is not served", () => {
    const docker =
      "add-runtime allow-direct-routing authorization-plugin bip bip6 bridge cdi-spec-dir cgroup-parent config-file containerd containerd-namespace containerd-plugins-namespace cpu-rt-period cpu-rt-runtime cri-containerd data-root debug default-address-pool default-cgroupns-mode default-gateway default-gateway-v6 default-ipc-mode default-network-opt default-runtime default-shm-size default-ulimit dns dns-opt dns-search exec-opt exec-root experimental feature fixed-cidr fixed-cidr-v6 group help host host-gateway-ip http-proxy https-proxy icc init init-path insecure-registry ip ip-forward ip-forward-no-drop ip-masq ip6tables iptables ipv6 label live-restore log-driver log-format log-level log-opt max-concurrent-downloads max-concurrent-uploads max-download-attempts metrics-addr mtu network-control-plane-mtu no-new-privileges no-proxy node-generic-resource pidfile raw-logs registry-mirror rootless seccomp-profile selinux-enabled shutdown-timeout storage-driver storage-opt swarm-default-advertise-addr tls tlscacert tlscert tlskey tlsverify userland-proxy userland-proxy-path userns-remap validate version allow-nondistributable-artifacts api-cors-header network-diagnostic-port restart";
    const ours = new Set<string>(options.filter(({ fileOnly }) => fileOnly !== true).map(({ flag }) => flag));
    assert.deepEqual(
      docker.split(" ").filter((flag) => !ours.has(flag)),
      [],
    );
    assert.deepEqual(
      [...ours].filter((flag) => !docker.split(" ").includes(flag)),
      ["longshore-config-file"],
    );
  });

  it("docs/configuration.md tells of each option that is not served, and what is done instead", () => {
    const docs = readFileSync(join(import.meta.dirname, "../../../../docs/configuration.md"), "utf8");
    const [, table = ""] = /\| key \| what is done instead \|\n\|---\|---\|\n((?:\|.*\n)*)/.exec(docs) ?? [];
    const rows = options.flatMap(({ flag, fileKey, unserved, unservedValues = [], fallback }) => [
      ...(unserved === undefined ? [] : [`| \`${fileKey ?? `--${flag}`}\` | ${unserved} |`]),
      ...unservedValues.map((each) => `| ${each.what} | ${each.warning(fallback).replace(/^.*?: /, "")} |`),
    ]);
    assert.equal(table, rows.map((row) => `${row}\n`).join(""));
  });

  it("reads the engine's own keys from a file of their own, and from daemon.json as before, with a note", async () => {
    const own = async (text: string, json = "{}"): Promise<Config> => {
      await writeFile(ownPath, text);
      try {
        return await load(json);
      } finally {
        await writeFile(ownPath, "");
      }
    };
    const { access, notes } = await own('{"max-unpacked-size":"1GB"}');
    assert.deepEqual([access, notes], [{ sockets: [], maxUnpacked: 2 ** 30 }, []]);
    const former = await own("", '{"longshore":{"max-unpacked-size":"1GB"}}');
    assert.deepEqual(former.access, access);
    assert.match(
      former.notes.join(),
      /^the key longshore of .*daemon\.json is still read; it belongs in .*engine\.json/,
    );
    const both = await own('{"audit-log":{"path":"/a"}}', '{"longshore":{"max-unpacked-size":"1GB"}}');
    assert.deepEqual(both.access, { ...access, audit: { path: "/a", reads: false } });
    await assert.rejects(own('{"max-unpacked-size":"1GB"}', '{"longshore":{"max-unpacked-size":"2GB"}}'), {
      message: `unable to configure the engine with file ${ownPath}: the following directives are specified both there and under longshore in daemon.json: max-unpacked-size`,
    });
    await assert.rejects(
      own('{"sockets":[{"path":"a"}]}'),
      /engine\.json: invalid JSON: sockets\[0\]: a further socket/,
    );
    await assert.rejects(
      loadConfig(parseFlags(["--longshore-config-file", join(dir, "none")])),
      /none: open .*none: no such file or directory/,
    );
  });

  it("names what is given and not served, once, and nothing that says nothing", async () => {
    const { warnings } = await load(
      '{"builder":{},"cdi-spec-dirs":[""],"userns-remap":"root","live-restore":true,"label":["a=b"],"features":{"containerd-snapshotter":false}}',
      "--storage-opt",
      "a=b",
    );
    assert.deepEqual(
      warnings.map((warning) => warning.split(" is not served")[0]?.split(" in daemon.json")[0]?.split(" cannot")[0]),
      ["the feature containerd-snapshotter", "storage-opts", "label"],
    );
  });

  it("takes runtimes of both places together, and a default for what is empty", async () => {
    const config = await load(
      '{"runtimes":{"a":{"path":"/a"}},"mtu":0,"log-driver":"","log-level":"WARN","ipv6":false}',
      "--add-runtime",
      "b=/b",
    );
    assert.deepEqual(
      [Object.keys(config.runtimes), config.network.mtu, config.logDriver, config.logLevel, config.network.ipv6],
      [["a", "b"], 1500, "json-file", "warn", false],
    );
  });

  it("refuses command lines that dockerd refuses", () => {
    assert.throws(() => parseFlags(["--foo"]), { message: "unknown flag: --foo\nSee 'dockerd --help'." });
    assert.throws(() => parseFlags(["--mtu"]), { message: "flag needs an argument: --mtu\nSee 'dockerd --help'." });
    assert.throws(() => parseFlags(["--shutdown-timeout", "x"]), {
      message:
        'invalid argument "x" for "--shutdown-timeout" flag: strconv.ParseInt: parsing "x": invalid syntax\nSee \'dockerd --help\'.',
    });
    assert.throws(() => parseFlags(["--ip", "foo"]), {
      message: 'invalid argument "foo" for "--ip" flag: failed to parse IP: "foo"\nSee \'dockerd --help\'.',
    });
    assert.throws(
      () => parseFlags(["--default-network-opt", "bridge=x"]),
      /invalid value "bridge=x" for map option, should be root-key=key=value/,
    );
    assert.throws(() => parseFlags(["--label", "xx"]), /bad attribute format: xx/);
    assert.throws(() => parseFlags(["extra"]), /accepts no arguments/);
  });
});
