import { execFile } from "node:child_process";
import { promisify } from "node:util";
import type { SystemVersion } from "@longshore/docker-api";
import type { Engine } from "../engine.ts";

const run = promisify(execFile);

async function output(binary: string, args: string[]): Promise<string> {
  try {
    return (await run(binary, args)).stdout;
  } catch {
    return "";
  }
}

/** Versions of the default OCI runtime: it does not change while the engine runs. */
let runtime: Promise<{ version: string; commit: string }> | undefined;

export async function runtimeVersion(engine: Engine): Promise<{ version: string; commit: string }> {
  const { defaultRuntime, runtimes } = engine.containers.settings;
  runtime ??= output(runtimes[defaultRuntime]?.binary ?? "", ["--version"]).then((text) => ({
    version: /version (\S+)/.exec(text)?.[1] ?? "",
    commit: /commit: (\S+)/.exec(text)?.[1] ?? "",
  }));
  return runtime;
}

const features = new Map<string, Promise<string>>();

/** What an OCI runtime can do, as its `features` command prints it in JSON; empty when it has no such command. */
export async function runtimeFeatures(binary: string): Promise<string> {
  const known = features.get(binary) ?? output(binary, ["features"]).then(compactJson);
  features.set(binary, known);
  return known;
}

function compactJson(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text));
  } catch {
    return "";
  }
}

let init: Promise<string> | undefined;

/** Version of the init binary that `--init` puts into containers. */
export async function initVersion(engine: Engine): Promise<string> {
  const { initPath } = engine.containers.settings.engine;
  if (initPath === "") return "";
  init ??= output(initPath, ["--version"]).then((text) => /version (\S+)/.exec(text)?.[1] ?? "");
  return init;
}

/** The parts below the engine, as `docker version` lists them. */
export async function componentVersions(engine: Engine): Promise<SystemVersion["Components"]> {
  const containerd = await engine.containers.containerd.version.version({}).catch(() => undefined);
  const { version, commit } = await runtimeVersion(engine);
  return [
    {
      Name: "containerd",
      Version: containerd?.version.replace(/^v/, "") ?? "",
      Details: { GitCommit: containerd?.revision ?? "" },
    },
    { Name: engine.containers.settings.defaultRuntime, Version: version, Details: { GitCommit: commit } },
    { Name: "docker-init", Version: await initVersion(engine), Details: { GitCommit: "" } },
  ];
}
