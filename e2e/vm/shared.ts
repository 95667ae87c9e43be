import { until } from "../host/until.ts";
import { Machine } from "./machine.ts";

/** The suites of Debian that README names; a run has one machine, of one of them. */
const suite = process.env["LONGSHORE_VM_SUITE"] ?? "bookworm";

let shared: Machine | undefined;

/** The machine of all tests of this run, with systemd's units running and an image named busybox. */
export function machine(): Machine {
  if (shared === undefined) throw new Error("the machine is not on");
  return shared;
}

/** `until` in the time of a machine without hardware's help. */
export function eventually<T>(what: string, probe: () => Promise<T>): Promise<NonNullable<T>> {
  return until(what, probe, 180_000);
}

/** As README says: the units of contrib/systemd. */
const install = `
  set -e
  cp /opt/longshore/contrib/systemd/*.service /etc/systemd/system/
  systemctl daemon-reload
  systemctl -q enable --now longshore-containerd longshore
`;

/** A small image, made on the spot of the machine's static busybox. */
const image = `
  set -e
  root=$(mktemp -d)
  mkdir -p $root/bin $root/etc $root/tmp $root/root
  cp $(command -v busybox) $root/bin/busybox
  for applet in $(busybox --list); do [ $applet = busybox ] || ln -s busybox $root/bin/$applet; done
  echo root:x:0:0:root:/root:/bin/sh >$root/etc/passwd
  echo root:x:0: >$root/etc/group
  tar -C $root -c . | docker import --change 'CMD ["sh"]' - busybox >/dev/null
  rm -rf $root
`;

export const mochaHooks = {
  async beforeAll(this: { timeout(ms: number): void }): Promise<void> {
    this.timeout(2_400_000);
    const on = process.env["LONGSHORE_VM_ON"];
    shared = on === undefined ? await Machine.boot(suite) : await Machine.attach(on);
    const slow = { timeoutMs: 600_000 };
    await shared.ok(install, slow);
    await shared.ok(image, slow);
  },
  async afterAll(): Promise<void> {
    await shared?.off();
  },
};
