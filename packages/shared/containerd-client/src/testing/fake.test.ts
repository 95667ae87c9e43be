import { containerdContract } from "./contract/contract.ts";
import { FakeContainerd } from "./fake.ts";
import type { FakeProcess } from "./process.ts";

const document = (args: readonly string[]): { typeUrl: string; value: Uint8Array } => ({
  typeUrl: "json",
  value: Buffer.from(JSON.stringify({ args })),
});

/** The script of a process that is `sh -c`. */
function script({ spec }: FakeProcess): string {
  const { args } = JSON.parse(Buffer.from(spec?.value ?? []).toString()) as { args: string[] };
  return args.at(-1) ?? "";
}

describe("the fake containerd", () => {
  containerdContract(() => {
    const fake = new FakeContainerd({ namespace: "contract" });
    fake.behaviour.onStart = (process) => {
      const code = /^exit (\d+)$/.exec(script(process))?.[1];
      return code === undefined ? undefined : Number(code);
    };
    fake.behaviour.onSignal = (process, signal) => {
      if (signal === 15) return script(process).startsWith("trap 'exit 7'") ? 7 : undefined;
      return 128 + signal;
    };
    return Promise.resolve({
      client: fake.client(),
      namespace: "contract",
      snapshotter: "overlayfs",
      runtime: "io.containerd.fake.v2",
      spec: (_id, args) => document(args),
      process: document,
      rootfs: () => [],
      close: () => Promise.resolve(),
    });
  });
});
