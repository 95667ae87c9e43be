import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { silent } from "@longshore/logger";
import type { Sandboxes } from "@longshore/networks";
import { fastify } from "fastify";
import { Metrics, type MetricsSource } from "./metrics.ts";
import { measureRequests } from "./requests.ts";
import { serveMetrics } from "./serve.ts";

const source: MetricsSource = {
  containers: () =>
    (["running", "running", "restarting", "paused", "exited", "created", "dead"] as const).map((status) => ({
      status,
    })),
  events: () => ({ logged: 7, listeners: 2 }),
  info: async () => ({ ID: "id", Driver: "overlayfs", OperatingSystem: 'A "system"\n', ServerVersion: "28.5.2" }),
};

/** The values of a metric's series, as they stand in the text. */
function valuesOf(text: string, name: string): string[] {
  return text.split("\n").filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `));
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

describe("metrics", () => {
  it("have the names, labels and kinds of dockerd's", async () => {
    const metrics = new Metrics();
    metrics.health.ended(false);
    metrics.health.ended(true);
    metrics.health.begun(0.3);
    metrics.hostInfo.observe("system_info", 0.1);
    metrics.imageActions.observe("pull", 20);
    metrics.networkActions.observe("allocate", 0.007);
    const text = await metrics.text(source);
    assert.deepEqual(
      text.split("\n").filter((line) => line.startsWith("# TYPE engine_")),
      [
        "# TYPE engine_daemon_container_actions_seconds histogram",
        "# TYPE engine_daemon_container_states_containers gauge",
        "# TYPE engine_daemon_engine_cpus_cpus gauge",
        "# TYPE engine_daemon_engine_info gauge",
        "# TYPE engine_daemon_engine_memory_bytes gauge",
        "# TYPE engine_daemon_events_subscribers_total gauge",
        "# TYPE engine_daemon_events_total counter",
        "# TYPE engine_daemon_health_check_start_duration_seconds histogram",
        "# TYPE engine_daemon_health_checks_failed_total counter",
        "# TYPE engine_daemon_health_checks_total counter",
        "# TYPE engine_daemon_host_info_functions_seconds histogram",
        "# TYPE engine_daemon_image_actions_seconds histogram",
        "# TYPE engine_daemon_network_actions_seconds histogram",
      ],
    );
    assert.deepEqual(valuesOf(text, "engine_daemon_container_states_containers"), [
      'engine_daemon_container_states_containers{state="paused"} 1',
      'engine_daemon_container_states_containers{state="running"} 3',
      'engine_daemon_container_states_containers{state="stopped"} 3',
    ]);
    assert.deepEqual(valuesOf(text, "engine_daemon_engine_info"), [
      'engine_daemon_engine_info{architecture="",commit="",daemon_id="id",graphdriver="overlayfs",kernel="",os="A \\"system\\"\\n",os_type="",os_version="",version="28.5.2"} 1',
    ]);
    assert.deepEqual(
      [
        "engine_daemon_events_total",
        "engine_daemon_events_subscribers_total",
        "engine_daemon_health_checks_total",
        "engine_daemon_health_checks_failed_total",
        "engine_daemon_health_check_start_duration_seconds_sum",
      ].flatMap((name) => valuesOf(text, name)),
      [
        "engine_daemon_events_total 7",
        "engine_daemon_events_subscribers_total 2",
        "engine_daemon_health_checks_total 2",
        "engine_daemon_health_checks_failed_total 1",
        "engine_daemon_health_check_start_duration_seconds_sum 0.3",
      ],
    );
    // Prometheus wants buckets that add up, and each line in its form.
    assert.deepEqual(
      valuesOf(text, "engine_daemon_network_actions_seconds_bucket").map((line) => line.slice(66)),
      [
        ...['"0.005"} 0', '"0.01"} 1', '"0.025"} 1', '"0.05"} 1', '"0.1"} 1', '"0.25"} 1', '"0.5"} 1'],
        ...['"1"} 1', '"2.5"} 1', '"5"} 1', '"10"} 1', '"+Inf"} 1'],
      ],
    );
    assert.ok(valuesOf(text, "engine_daemon_image_actions_seconds_bucket").at(-2)?.endsWith(" 0"));
    for (const line of text.split("\n"))
      assert.match(
        line,
        /^(|# (HELP|TYPE) \S+ .+|[a-z_]+(\{[a-z_]+="([^"\\]|\\.)*"(,[a-z_]+="([^"\\]|\\.)*")*\})? \d[\d.e+-]*)$/,
      );
  });

  it("count what the API does with containers and images, when it succeeds", async () => {
    const metrics = new Metrics();
    const app = fastify();
    measureRequests(app as unknown as Parameters<typeof measureRequests>[0], metrics);
    for (const [method, url] of [
      ["POST", "/containers/create"],
      ["POST", "/containers/:name/start"],
      ["DELETE", "/containers/:name"],
      ["GET", "/containers/:name/json"],
      ["GET", "/images/*"],
    ] as const)
      app.route({
        method,
        url,
        handler: (request, reply) => reply.code(request.url.includes("none") ? 404 : 200).send(),
      });
    for (const [method, url] of [
      ["POST", "/containers/create"],
      ["POST", "/containers/create"],
      ["POST", "/containers/a/start"],
      ["POST", "/containers/none/start"],
      ["DELETE", "/containers/a"],
      ["GET", "/containers/a/json"],
      ["GET", "/images/a/b/history"],
      ["GET", "/images/a/json"],
    ] as const)
      await app.inject({ method, url });
    const text = await metrics.text(source);
    assert.deepEqual(
      ["container", "image"].flatMap((what) => valuesOf(text, `engine_daemon_${what}_actions_seconds_count`)),
      [
        // Each of these has a series from the start, as with dockerd, which counts one for it.
        ['container_actions_seconds_count{action="changes"} 1'],
        ['container_actions_seconds_count{action="commit"} 1'],
        ['container_actions_seconds_count{action="create"} 3'],
        ['container_actions_seconds_count{action="delete"} 2'],
        ['container_actions_seconds_count{action="start"} 2'],
        ['image_actions_seconds_count{action="history"} 1'],
      ].map(([line]) => `engine_daemon_${line}`),
    );
    await app.close();
  });

  it("tell how long the network takes, and leave it what it is", async () => {
    class Network {
      #made = 0;
      readonly kind = "fake";
      async allocate(): Promise<number> {
        return ++this.#made;
      }
      async release(): Promise<void> {
        throw new Error("no");
      }
      get(): number {
        return this.#made;
      }
    }
    const metrics = new Metrics();
    const network = metrics.watch(new Network() as unknown as Sandboxes) as unknown as Network;
    assert.deepEqual([await network.allocate(), network.get(), network.kind], [1, 1, "fake"]);
    await assert.rejects(network.release(), /no/);
    assert.deepEqual(valuesOf(await metrics.text(source), "engine_daemon_network_actions_seconds_count"), [
      'engine_daemon_network_actions_seconds_count{action="allocate"} 1',
    ]);
  });

  it("are served at /metrics of an address alone, which somebody else may have", async () => {
    const address = `127.0.0.1:${await freePort()}`;
    const end = await serveMetrics(address, async () => "a 1\n", silent);
    try {
      const answer = await fetch(`http://${address}/metrics`);
      assert.deepEqual(
        [answer.status, answer.headers.get("content-type"), await answer.text()],
        [200, "text/plain; version=0.0.4; charset=utf-8", "a 1\n"],
      );
      for (const path of ["/", "/metrics/x", "//metrics"])
        assert.equal((await fetch(`http://${address}${path}`)).status, 404, path);
      await assert.rejects(
        serveMetrics(address, async () => "", silent),
        /^Unknown: metrics-addr: listen tcp 127\.0\.0\.1:/,
      );
    } finally {
      await end();
    }
    await assert.rejects(fetch(`http://${address}/metrics`));
  });
});
