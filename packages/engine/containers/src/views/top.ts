import { execFile } from "node:child_process";
import { promisify } from "node:util";
import type { ContainerTopResponse } from "@longshore/docker-api";
import { Conflict, InvalidArgument, Unknown } from "@longshore/errdefs";
import type { Container } from "../model/container.ts";
import { type Context, emitContainer } from "../model/context.ts";
import { whileAlive } from "../lifecycle/end/has-ended.ts";

const run = promisify(execFile);

/** Options like `pid=X` would hide the column by which processes are told apart. */
function checkArguments(args: string): void {
  if (/\s+([^\s]*)=\s*(PID[^\s]*)/.test(args))
    throw new InvalidArgument(`specifying "${/(\S*)=\s*PID/.exec(args)?.[0] ?? ""}" is not allowed`);
}

/** The processes of a running container, as ps on the host shows them. */
export async function topContainer(
  context: Context,
  container: Container,
  psArgs: string,
): Promise<ContainerTopResponse> {
  const args = psArgs === "" ? "-ef" : psArgs;
  checkArguments(args);
  const { State } = container.record;
  if (!State.Running) throw new Conflict(`container ${container.id} is not running`);
  if (State.Restarting)
    throw new Conflict(`Container ${container.id} is restarting, wait until the container is running`);
  const { processes } = await whileAlive(context, container, () =>
    context.containerd.tasks.listPids({ containerId: container.id }),
  );
  const pids = new Set(processes.map((entry) => entry.pid));
  // Naming the processes keeps ps from reading all others; some options do not go with it.
  const output = await ps([...args.split(/\s+/).filter((arg) => arg !== ""), "-q", [...pids].join(",")]).catch(() =>
    ps(args.split(/\s+/).filter((arg) => arg !== "")),
  );
  emitContainer(context, container, "top");
  return parse(output, pids);
}

async function ps(args: string[]): Promise<string> {
  try {
    return (await run("ps", args, { maxBuffer: 64 << 20 })).stdout;
  } catch (error) {
    const stderr = (error as { stderr?: string }).stderr ?? "";
    throw new Unknown(`ps: ${stderr.trim().split("\n")[0] ?? ""}`, { cause: error });
  }
}

function parse(output: string, pids: ReadonlySet<number>): ContainerTopResponse {
  const [header = "", ...lines] = output.trimEnd().split("\n");
  const Titles = header.trim().split(/\s+/);
  const column = Titles.indexOf("PID");
  if (column < 0) throw new Unknown("Couldn't find PID field in ps output");
  const Processes: string[][] = [];
  for (const line of lines) {
    const fields = line.trim().split(/\s+/);
    if (!pids.has(Number(fields[column]))) continue;
    // The last column is a command line, spaces included.
    Processes.push([...fields.slice(0, Titles.length - 1), fields.slice(Titles.length - 1).join(" ")]);
  }
  return { Processes, Titles };
}
