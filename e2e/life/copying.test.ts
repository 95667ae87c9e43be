import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { buffer } from "node:stream/consumers";
import { exec } from "../host/exec.ts";
import { until } from "../host/until.ts";
import { shared } from "../engine/shared.ts";
import { begin, roundsOr } from "./testing/containers.ts";

const { api } = shared;
const rounds = roundsOr(1);
const files = 40;
const script = [
  "[ -e /big/done ] && exec sleep 100",
  "mkdir /big; i=0",
  `while [ $i -lt ${files} ]; do head -c 300000 /bin/busybox >/big/f$i; i=$((i+1)); done`,
  "touch /big/done; exec sleep 100",
].join("\n");

/** A container with a tree of some 12 MB that nobody has looked at since it was mounted: what goes of it is missed. */
async function withTree(AutoRemove: boolean): Promise<string> {
  const id = await api.create({
    Image: "busybox",
    Cmd: ["sh", "-c", script],
    StopSignal: "KILL",
    HostConfig: { NetworkMode: "none", AutoRemove },
  });
  await api.call("POST", `/containers/${id}/start`);
  await until("the tree is there", () => api.has(`/containers/${id}/archive?path=/big/done`));
  await api.call("POST", `/containers/${id}/restart`);
  return id;
}

/** Has containerd take away what lies about: several times, for what a removal that waits for nobody comes to late. */
async function collect(container: string): Promise<void> {
  for (let i = 0; i < 8; i++) {
    const id = `e2e-copying-${container}-${i}`;
    await api.containerd.leases.create({ id });
    await api.containerd.leases.delete({ id, sync: true });
  }
}

type End = (id: string) => Promise<unknown>;

/** How a container goes while its files are in use. */
const ends: Record<string, { autoRemove: boolean; end: End }> = {
  "ends and goes by itself": { autoRemove: true, end: (id) => api.ask("POST", `/containers/${id}/kill`) },
  "is removed by force": { autoRemove: false, end: (id) => api.ask("DELETE", `/containers/${id}?force=1`) },
};

async function gone(id: string): Promise<void> {
  await until("the container is gone", async () => !(await api.has(`/containers/${id}/json`)));
}

/** Reads an answer that begins before the container goes and ends after it. @returns names of the files in it */
async function read(path: string, id: string, end: End): Promise<string> {
  const { call, answer } = begin("GET", path);
  call.end();
  const response = await answer;
  response.pause();
  const ended = end(id);
  await api.wait(id);
  await collect(id);
  const archive = await buffer(response);
  await Promise.all([ended, gone(id)]);
  if (response.statusCode !== 200) return `${response.statusCode} ${archive.toString().slice(0, 500)}`;
  const listed = await exec("tar", ["-tf", "-"], { input: archive });
  return `${listed.stdout}${listed.stderr}`;
}

/** Sends an archive whose second half comes when the container goes. @returns the status of the answer */
async function write(archive: Buffer, id: string, end: End): Promise<number> {
  const { call, answer } = begin("PUT", `/containers/${id}/archive?path=/big`);
  const half = archive.length >> 1;
  call.write(archive.subarray(0, half));
  await until("the first half is being unpacked", () => api.has(`/containers/${id}/archive?path=/big/bin`));
  const ended = end(id);
  await api.wait(id);
  await collect(id);
  call.end(archive.subarray(half));
  const { statusCode } = await answer;
  await Promise.all([ended, gone(id)]);
  return statusCode ?? 0;
}

/** Two folders; the second one is made after the container has ended. */
const archive = execFileSync("tar", ["-cf", "-", "-C", "/", "bin/busybox", "etc/passwd"], { maxBuffer: 16 << 20 });

describe("a container whose files are in use", () => {
  for (const [how, { autoRemove, end }] of Object.entries(ends)) {
    it(`stays whole for copies and exports when it ${how}`, async function () {
      this.timeout(60_000 + rounds * 6000);
      const odd: string[] = [];
      const round = async (what: string, use: (id: string) => Promise<unknown>, wanted: unknown): Promise<void> => {
        const id = await withTree(autoRemove);
        try {
          const found = await use(id);
          if (found !== wanted) odd.push(`${what}: ${String(found)}`);
        } finally {
          await api.ask("DELETE", `/containers/${id}?force=1`);
        }
      };
      const count = (names: string): number | string => (names.match(/big\/f\d+/g)?.length ?? 0) || names;
      for (let done = 0; done < rounds; done++) {
        await Promise.all([
          round("copied", async (id) => count(await read(`/containers/${id}/archive?path=/big`, id, end)), files),
          round("exported", async (id) => count(await read(`/containers/${id}/export`, id, end)), files),
          round("unpacked", (id) => write(archive, id, end), 200),
        ]);
      }
      assert.deepEqual(odd, []);
    });
  }

  it("lends them to nobody once it is being removed", async () => {
    const id = await withTree(false);
    const { call, answer } = begin("GET", `/containers/${id}/archive?path=/big`);
    call.end();
    const response = await answer;
    response.pause();
    const removed = api.ask("DELETE", `/containers/${id}?force=1`);
    await api.wait(id);
    for (const [method, path] of [
      ["GET", `/containers/${id}/archive?path=/big`],
      ["GET", `/containers/${id}/export`],
      ["POST", `/commit?container=${id}`],
    ] as const) {
      await until("the removal waits", async () => (await api.ask(method, path)).status === 409);
    }
    await buffer(response);
    assert.equal((await removed).status, 204);
  });
});
