import { DeadlineExceeded, messageOf, Unknown } from "@longshore/errdefs";
import { Child, type ChildOptions } from "@longshore/sys";
import type { Bundle } from "../bundle.ts";
import type { RuntimeConfig } from "../contract.ts";

export interface ShimCommand {
  binary: string;
  bundle: Bundle;
  action: "start" | "delete";
  stdin?: Uint8Array;
  timeoutMs: number;
}

export interface ShimOutput {
  stdout: Buffer;
  stderr: string;
}

/** How long output may trail the exit: a child of the shim that holds the pipe must not hold us. */
const outputGraceMs = 500;

/** The environment of a shim. */
export function environment(namespace: string, config: RuntimeConfig): NodeJS.ProcessEnv {
  const { NOTIFY_SOCKET: _notify, NODE_OPTIONS: _options, ...inherited } = process.env;
  return {
    ...inherited,
    TTRPC_ADDRESS: config.ttrpcAddress,
    GRPC_ADDRESS: config.address,
    NAMESPACE: namespace,
    MAX_SHIM_VERSION: "2",
    GOMAXPROCS: "2",
  };
}

function argumentsOf({ bundle, action }: ShimCommand, config: RuntimeConfig): string[] {
  return [
    ...[
      "-namespace",
      bundle.namespace,
      "-address",
      config.address,
      "-publish-binary",
      config.containerdBinary,
      "-id",
      bundle.id,
    ],
    ...(action === "delete" ? ["-bundle", bundle.path] : []),
    ...(config.debug ? ["-debug"] : []),
    action,
  ];
}

/** @throws Unknown in containerd's words when the file cannot be executed */
export function startProcess(file: string, args: readonly string[], options: ChildOptions): Child {
  try {
    return new Child(file, args, options);
  } catch (cause) {
    throw new Unknown(`fork/exec ${file}: ${messageOf(cause)}`, { cause });
  }
}

/**
 * Runs a shim's `start` or `delete` in the bundle, in a session of its own so that what it starts
 * outlives us.
 * @throws Unknown with what the shim wrote when it fails, DeadlineExceeded
 */
export function runShim(command: ShimCommand, config: RuntimeConfig): Promise<ShimOutput> {
  return new Promise((resolve, reject) => {
    const { binary, bundle, action } = command;
    const child = startProcess(binary, argumentsOf(command, config), {
      cwd: bundle.path,
      env: environment(bundle.namespace, config),
      detached: true,
    });
    if (action === "start") config.place?.(child.pid); // what it starts comes after it
    const stdout: Buffer[] = [];
    const stderr: Buffer[] = [];
    child.stdout.on("data", (chunk: Buffer) => stdout.push(chunk));
    child.stderr.on("data", (chunk: Buffer) => stderr.push(chunk));
    // A shim that does not read its parameters closes the pipe.
    child.stdin.on("error", () => undefined);
    child.stdin.end(command.stdin ?? new Uint8Array());
    const timer = setTimeout(() => {
      child.kill("SIGKILL");
      reject(new DeadlineExceeded(`${binary} ${action}: context deadline exceeded`));
    }, command.timeoutMs);
    let grace: NodeJS.Timeout | undefined;
    const finish = (code: number | null, signal: NodeJS.Signals | null): void => {
      clearTimeout(timer);
      clearTimeout(grace);
      child.stdout.destroy();
      child.stderr.destroy();
      const output = { stdout: Buffer.concat(stdout), stderr: Buffer.concat(stderr).toString("utf8") };
      if (code === 0) return resolve(output);
      const said = `${output.stderr}${output.stdout.toString("utf8")}`.trim();
      reject(new Unknown(`${said}: ${signal === null ? `exit status ${code}` : `signal: ${signal}`}`));
    };
    child.once("exit", (code, signal) => (grace = setTimeout(() => finish(code, signal), outputGraceMs)));
    void child.closed().then(() => finish(child.exitCode, child.signalCode));
  });
}
