import { ApiError, type EngineApi } from "../engine/api.ts";

/** A command that is cut short, in the stock CLI's words. */
export interface Command {
  args: string[];
  /** What it finds: commands that run before. */
  before?: string[][];
  /** Whether all is there, or gone, that it was to bring about. */
  done: (api: EngineApi) => Promise<boolean>;
  /** Whether it has begun and can neither be finished nor be repeated before this is undone. */
  begun?: (api: EngineApi) => Promise<boolean>;
  /** Whether it passes by what it cannot remove, and succeeds all the same, as Docker does. */
  skips?: boolean;
  /** Whether what had come stays for a day, so that the next try goes on from there. */
  resumes?: boolean;
  /** Uses what it made: a success that is only said is none. */
  use?: string[];
  /** Takes away what it made; may be run when nothing is there. */
  undo: string[][];
}

export interface CommandFiles {
  /** An image that the registry has, and the same one in an archive; neither is in the engine. */
  pullable: string;
  archive: string;
  loadable: string;
  /** A subnet for networks that are made. */
  subnet: string;
}

const all =
  (...paths: string[]) =>
  async (api: EngineApi): Promise<boolean> =>
    (await Promise.all(paths.map((path) => api.has(path)))).every(Boolean);
const none =
  (...paths: string[]) =>
  async (api: EngineApi): Promise<boolean> =>
    (await Promise.all(paths.map((path) => api.has(path)))).every((there) => !there);

/** Whether a container is in one of these states; false when there is none. */
const inState =
  (name: string, ...wanted: string[]) =>
  async (api: EngineApi): Promise<boolean> => {
    try {
      return wanted.includes((await api.inspect(name)).State.Status);
    } catch (error) {
      if (error instanceof ApiError && error.status === 404) return false;
      throw error;
    }
  };

const noDangling = async (api: EngineApi): Promise<boolean> =>
  (await api.get<unknown[]>(`/images/json?filters=${encodeURIComponent('{"dangling":["true"]}')}`)).length === 0;

const container = (name: string): string => `/containers/${name}/json`;
const image = (name: string): string => `/images/${name}/json`;
const remove = (name: string): string[] => ["rm", "-f", "-v", name];

/** The commands that are cut short; `kept` is a container that runs, with files of its own. */
export function commandsOf({ pullable, archive, loadable, subnet }: CommandFiles): Command[] {
  const volumes = ["volume", "create", "--label", "of=killed"];
  // Two with the same content are one image: the comment makes them differ.
  const dangling = ["commit", "-m", "dangling", "kept"];
  return [
    {
      args: ["pull", pullable],
      done: all(image(pullable)),
      resumes: true,
      use: ["run", "--rm", "--network", "none", pullable, "test", "-s", "/var/tree/100"],
      undo: [["rmi", pullable]],
    },
    {
      args: ["load", "-q", "-i", archive],
      done: all(image(loadable)),
      use: ["run", "--rm", "--network", "none", loadable, "test", "-s", "/var/tree/100"],
      undo: [["rmi", loadable]],
    },
    // An image without a name may be there of a commit that had no answer.
    {
      args: ["commit", "kept", "committed"],
      done: all(image("committed")),
      use: ["run", "--rm", "--network", "none", "committed", "cat", "/own"],
      undo: [
        ["rmi", "committed"],
        ["image", "prune", "-f"],
      ],
    },
    {
      args: ["create", "--name", "made", "-v", "named:/n", "-v", "/anonymous", "busybox", "true"],
      done: all(container("made")),
      use: ["start", "-a", "made"],
      undo: [remove("made"), ["volume", "rm", "-f", "named"], ["volume", "prune", "-f"]],
    },
    {
      args: ["rm", "-v", "old"],
      before: [["run", "--name", "old", "-v", "/anonymous", "busybox", "touch", "/x"]],
      done: none(container("old")),
      undo: [],
    },
    {
      args: ["rm", "old"],
      before: [["run", "--name", "old", "-v", "/anonymous", "busybox", "touch", "/anonymous/x"]],
      done: async (api) =>
        (await none(container("old"))(api)) && (await api.get<{ Volumes: unknown[] }>("/volumes")).Volumes.length === 1,
      undo: [["volume", "prune", "-f"]],
    },
    {
      args: ["rm", "-f", "live"],
      before: [["run", "-d", "--name", "live", "-p", "127.0.0.1::80", "busybox", "sleep", "1000"]],
      done: none(container("live")),
      undo: [],
    },
    {
      args: ["container", "prune", "-f", "--filter", "label=of=killed"],
      before: [
        ["create", "--name", "old", "--label", "of=killed", "busybox"],
        ["create", "--name", "older", "--label", "of=killed", "busybox"],
      ],
      done: none(container("old"), container("older")),
      skips: true,
      undo: [],
    },
    { args: ["image", "prune", "-f"], before: [dangling], done: noDangling, undo: [] },
    {
      args: ["rmi", "-f", "unwanted"],
      before: [["commit", "kept", "unwanted"]],
      done: none(image("unwanted")),
      undo: [["image", "prune", "-f"]],
    },
    {
      args: ["system", "prune", "-f", "--volumes"],
      before: [
        ["create", "--name", "old", "busybox"],
        dangling,
        ["network", "create", "--subnet", subnet, "net"],
        ["volume", "create"],
      ],
      done: async (api) =>
        (await none(container("old"), "/networks/net")(api)) &&
        (await noDangling(api)) &&
        (await api.get<{ Volumes: unknown[] }>("/volumes")).Volumes.length === 0,
      skips: true,
      undo: [],
    },
    {
      args: [...volumes, "vol"],
      done: all("/volumes/vol"),
      use: ["run", "--rm", "--network", "none", "-v", "vol:/v", "busybox", "touch", "/v/x"],
      undo: [["volume", "rm", "-f", "vol"]],
    },
    {
      args: ["volume", "prune", "-a", "-f", "--filter", "label=of=killed"],
      before: [
        [...volumes, "vol"],
        [...volumes, "other"],
      ],
      done: none("/volumes/vol", "/volumes/other"),
      undo: [],
    },
    {
      args: ["network", "create", "--subnet", subnet, "net"],
      done: all("/networks/net"),
      use: ["run", "--rm", "--network", "net", "busybox", "ip", "route", "get", "1.1.1.1"],
      undo: [["network", "prune", "-f"]],
    },
    {
      args: ["network", "rm", "net"],
      before: [["network", "create", "--subnet", subnet, "net"]],
      done: none("/networks/net"),
      undo: [],
    },
    {
      args: [
        "run",
        "-d",
        "--name",
        "web",
        "-p",
        "127.0.0.1::80",
        "-v",
        "vol:/v",
        "busybox",
        "httpd",
        "-f",
        "-h",
        "/etc",
      ],
      done: inState("web", "running"),
      begun: inState("web", "created", "exited"),
      use: ["exec", "web", "wget", "-q", "-O", "-", "http://127.0.0.1/passwd"],
      undo: [remove("web"), ["volume", "rm", "-f", "vol"]],
    },
    {
      args: ["run", "--name", "job", "busybox", "true"],
      done: inState("job", "exited"),
      begun: inState("job", "created", "running"),
      undo: [remove("job")],
    },
    // Its client may die between its creation and its start: then nothing will start it, nor remove it.
    {
      args: ["run", "--rm", "--name", "brief", "busybox", "true"],
      done: none(container("brief")),
      begun: inState("brief", "created"),
      undo: [remove("brief")],
    },
    {
      args: ["stop", "-t", "0", "live"],
      before: [["run", "-d", "--name", "live", "-p", "127.0.0.1::80", "busybox", "sleep", "1000"]],
      done: inState("live", "exited"),
      undo: [remove("live")],
    },
    {
      args: ["restart", "-t", "0", "live"],
      before: [["run", "-d", "--name", "live", "-p", "127.0.0.1::80", "busybox", "sleep", "1000"]],
      done: inState("live", "running"),
      use: ["exec", "live", "true"],
      undo: [remove("live")],
    },
  ];
}
