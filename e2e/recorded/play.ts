import assert from "node:assert/strict";
import { basename, join } from "node:path";
import { repository } from "../engine/tools.ts";
import { Traffic } from "./traffic.ts";
import { normalize, readTranscript, type Section, writeTranscript } from "./transcript.ts";
import { World } from "./world.ts";

/** Names of transcripts, separated by commas, that are recorded: the stock engine runs, and what it says is written into them. Only these are played then. */
const recorded = (process.env["LONGSHORE_RECORD"] ?? "").split(",").filter(Boolean);
const recording = recorded.length > 0;
/** Names of transcripts, likewise, that alone are played. */
const chosen = recording ? recorded : (process.env["LONGSHORE_PLAY"] ?? "").split(",").filter(Boolean);

/** What transcripts' commands may use beside the machine's programs. */
const prelude = `
API="curl -s --unix-socket \${DOCKER_HOST#unix://}"
api() { curl -s --unix-socket "\${DOCKER_HOST#unix://}" -X "$1" "http://docker$2" \${3:+-H "Content-Type: application/json" -d "$3"} -w '%{http_code}\\n'; }
on() { local netns="$1_netns"; shift; nsenter --net="\${!netns}" "$@"; }
`;

class Player {
  readonly #world = new World(recording);
  readonly #traffic = new Traffic();
  #started = false;

  async #netns(name: string): Promise<string> {
    if (["host", "outside", "trusted"].includes(name)) return this.#world.netns(name);
    return `/proc/${await this.#world.ok(["inspect", "-f", "{{.State.Pid}}", name])}/ns/net`;
  }

  async #perform(command: string): Promise<string> {
    const [verb = "", ...words] = command.split(/\s+/);
    if (verb === "engine") {
      this.#traffic.close();
      await this.#world.engine(
        words.filter((word) => !word.startsWith("{")),
        words.find((word) => word.startsWith("{")),
      );
      this.#started = true;
    } else if (verb === "serve") for (const name of words) await this.#traffic.serve(name, await this.#netns(name));
    else if (verb === "reach") {
      const arrow = words.indexOf("->");
      const from = await Promise.all(
        words.slice(0, arrow).map(async (name) => ({ name, netns: await this.#netns(name) })),
      );
      return this.#traffic.reach(from, words.slice(arrow + 1));
    } else throw new Error(`what is @ ${command}`);
    return "";
  }

  async #output(command: string): Promise<string> {
    const text = command.slice(2);
    if (command.startsWith("@")) return this.#perform(text);
    if (!this.#started) await this.#perform("engine");
    const { code, stdout } = await this.#world.run("bash", ["-c", `${prelude}\nexec 2>&1\n${text}`]);
    return `${normalize(stdout, this.#world.dir)}${code === 0 ? "" : `[${code}]\n`}`;
  }

  /** Plays a section. @returns what was expected, and what was printed */
  async play({ steps }: Section): Promise<[expected: string, seen: string]> {
    let expected = "";
    let seen = "";
    for (const step of steps) {
      const output = await this.#output(step.command);
      if (recording) step.output = output;
      const wanted = recording ? output : (step.ours ?? step.output);
      expected += `${step.command}\n${wanted}`;
      seen += `${step.command}\n${output}`;
    }
    return [expected, seen];
  }

  clear(): Promise<void> {
    return this.#world.clear();
  }

  start(): Promise<void> {
    return this.#world.start();
  }

  async dispose(): Promise<void> {
    this.#traffic.close();
    await this.#world.dispose();
  }
}

/** So many worlds are played at once: much of it is waiting for answers that do not come. */
const atOnce = 4;

/**
 * Tests, one for each section of the transcripts `names`, that what their commands print is what the stock engine's clients printed.
 * @param options.apart whether sections begin without the containers, volumes and files of those before
 */
export function playTranscripts(names: readonly string[], options: { apart: boolean }): void {
  const played = chosen.length > 0 ? names.filter((name) => chosen.includes(basename(name))) : names;
  const transcripts = played.map((name) => {
    const path = join(repository, "e2e/recorded", `${name}.txt`);
    return { name, path, sections: readTranscript(path), played: new Map<Section, Promise<[string, string]>>() };
  });

  /** Each has its own world, so that they do not wait for each other. */
  async function playOne({ path, sections, played }: (typeof transcripts)[number]): Promise<void> {
    const player = new Player();
    try {
      await player.start();
      for (const section of sections) {
        if (options.apart) await player.clear();
        const result = player.play(section);
        played.set(section, result);
        await result.catch(() => undefined);
      }
    } finally {
      await player.dispose();
    }
    if (recording) writeTranscript(path, sections);
  }

  describe("as the stock engine does it", () => {
    before(async function () {
      this.timeout(600_000);
      // Each world and each daemon in it listens for the end of the tests.
      process.setMaxListeners(50);
      const waiting = [...transcripts];
      await Promise.all(
        Array.from({ length: atOnce }, async () => {
          for (let next = waiting.shift(); next; next = waiting.shift()) await playOne(next);
        }),
      );
    });
    for (const { name, sections, played } of transcripts) {
      for (const section of sections) {
        it(`${basename(name)}: ${section.title}`, async () => {
          const [expected, seen] = (await played.get(section)) ?? [];
          assert.equal(seen, expected);
        });
      }
    }
  });
}
