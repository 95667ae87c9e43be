import assert from "node:assert/strict";
import type { Attached } from "../engine/attached.ts";
import { shared } from "../engine/shared.ts";
import { until } from "../host/until.ts";

const [p, q] = ["\x10", "\x11"];

/** What is typed, in pieces, with what of all of it has reached the process after each, and whether that ends the attachment: as with Docker 28.5. */
const cases: { what: string; tty?: boolean; keys?: string; typed: [piece: string, passed: string][]; ends: boolean }[] =
  [
    {
      what: "the standard keys at once",
      typed: [
        ["a", "a"],
        [`${p}${q}z`, "a"],
      ],
      ends: true,
    },
    {
      what: "in pieces",
      typed: [
        ["a", "a"],
        [p, "a"],
        [q, "a"],
      ],
      ends: true,
    },
    {
      what: "begun only",
      typed: [
        [p, ""],
        ["b", `${p}b`],
      ],
      ends: false,
    },
    {
      what: "begun in what breaks them",
      typed: [
        [p, ""],
        [p, p + p],
        [q, p + p + q],
      ],
      ends: false,
    },
    { what: "the standard ones where others are named", keys: "a,b,c", typed: [[p + q, p + q]], ends: false },
    {
      what: "three of one's own",
      keys: "a,b,c",
      typed: [
        ["xab", "x"],
        ["d", "xabd"],
        ["abc", "xabd"],
      ],
      ends: true,
    },
    {
      what: "control keys and DEL",
      keys: "ctrl-@,DEL",
      typed: [
        ["x\0", "x"],
        ["\x7f", "x"],
      ],
      ends: true,
    },
    {
      what: "of more than a shim searches for",
      keys: Array(70).fill("k").join(),
      typed: [
        ["k".repeat(69), ""],
        ["k", ""],
      ],
      ends: true,
    },
    { what: "without a terminal", tty: false, typed: [[p + q, p + q]], ends: false },
    { what: "named, without a terminal", tty: false, keys: "a,b", typed: [["ab", "ab"]], ends: false },
  ];

describe("detach keys", () => {
  const api = shared.api;
  const ids: string[] = [];
  afterEach(() => Promise.all(ids.splice(0).map((id) => api.call("DELETE", `/containers/${id}?force=1`))));

  class Session {
    readonly container: string;
    readonly #stream: Attached;
    readonly #tty: boolean;
    ended = false;

    private constructor(container: string, stream: Attached, tty: boolean) {
      this.container = container;
      this.#stream = stream;
      this.#tty = tty;
      void stream.ended.then(() => (this.ended = true));
    }

    static async open(kind: "attach" | "exec", tty: boolean, keys: string): Promise<Session> {
      const Cmd = ["sh", "-c", `${tty ? "stty raw -echo;" : ""} printf ready; exec cat`];
      const own = kind === "attach" ? { Cmd, Tty: tty, OpenStdin: true } : { Cmd: ["sleep", "1000"] };
      const container = await api.create({ Image: "busybox", ...own });
      ids.push(container);
      const start = () => api.call("POST", `/containers/${container}/start`);
      let stream: Attached;
      if (kind === "attach") {
        stream = await api.attach(container, `stream=1&stdin=1&stdout=1&detachKeys=${encodeURIComponent(keys)}`);
        await start();
      } else {
        await start();
        stream = await api.exec(container, { Cmd, Tty: tty, AttachStdin: true, AttachStdout: true, DetachKeys: keys });
      }
      const session = new Session(container, stream, tty);
      await until("the process is ready", () => session.#shown.startsWith("ready"));
      return session;
    }

    get #shown(): string {
      return this.#tty ? this.#stream.raw.toString("latin1") : this.#stream.output;
    }

    get passed(): string {
      return this.#shown.slice("ready".length);
    }

    async type(piece: string, passed: string): Promise<void> {
      this.#stream.socket.write(Buffer.from(piece, "latin1"));
      await until(`${JSON.stringify(passed)} has come back`, () => this.passed.length >= passed.length);
    }

    async running(): Promise<boolean> {
      const { State } = await api.get<{ State: { Running: boolean } }>(`/containers/${this.container}/json`);
      return State.Running;
    }
  }

  for (const kind of ["attach", "exec"] as const) {
    it(`${kind}: end the attachment and not the process`, async () => {
      const since = Date.now() / 1000;
      const results = await Promise.all(
        cases.map(async ({ what, tty = true, keys = "", typed, ends }) => {
          const session = await Session.open(kind, tty, keys);
          for (const [piece, passed] of typed) await session.type(piece, passed);
          if (ends) await until(`${what}: the stream ends`, () => session.ended);
          else await session.type("!", `${typed.at(-1)?.[1]}!`);
          return { what, passed: session.passed.replace("!", ""), ended: session.ended, id: session.container };
        }),
      );
      assert.deepEqual(
        results.map(({ what, passed, ended }) => ({ what, passed, ended })),
        cases.map(({ what, typed, ends }) => ({ what, passed: typed.at(-1)?.[1], ended: ends })),
      );
      for (const { id } of results)
        assert.ok((await api.get<{ State: { Running: boolean } }>(`/containers/${id}/json`)).State.Running);
      const event = kind === "attach" ? "detach" : "exec_detach";
      const filters = encodeURIComponent(JSON.stringify({ event: [event], container: results.map(({ id }) => id) }));
      const told = String(
        await api.call("GET", `/events?since=${since}&until=${Date.now() / 1000}&filters=${filters}`),
      );
      const detached = told
        .split("\n")
        .filter(Boolean)
        .map((line) => (JSON.parse(line) as { id: string }).id);
      assert.deepEqual(
        results
          .filter(({ ended }) => ended)
          .map(({ what, id }) => [what, detached.filter((each) => each === id).length]),
        results.filter(({ ended }) => ended).map(({ what }) => [what, 1]),
      );
    });
  }

  it("end what has outlived the engine, too", async () => {
    const sessions = await Promise.all((["attach", "exec"] as const).map((kind) => Session.open(kind, true, "")));
    await shared.engine.kill();
    for (const session of sessions) await session.type("away", "away");
    await shared.engine.start();
    for (const session of sessions) {
      await session.type(p + q, "away");
      await until("the stream ends", () => session.ended);
      assert.ok(await session.running());
    }
  });
});
