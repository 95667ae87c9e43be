import assert from "node:assert/strict";
import type { HostConfig } from "@longshore/docker-api";
import { NotFound, httpStatusOf, messageOf } from "@longshore/errdefs";
import type { MountRecord } from "../contract.ts";
import { completeContainerConfig, completeHostConfig, type Given } from "../options/complete.ts";
import { hostFacts } from "../testing/machine.ts";
import { checkCreateRequest } from "../verify/request.ts";
import { parseMountPoints } from "./points.ts";
import { checkMount } from "./validate.ts";

const present = new Set(["/tmp"]);
const pathExists = (path: string): Promise<boolean> => Promise.resolve(present.has(path));

async function parse(
  volumes: Record<string, Record<string, never>>,
  given: Given<Pick<HostConfig, "Binds" | "Mounts" | "Tmpfs" | "VolumesFrom" | "VolumeDriver">>,
): Promise<MountRecord[]> {
  const hostConfig = completeHostConfig(given);
  checkCreateRequest(completeContainerConfig({}), hostConfig, hostFacts.sysInfo);
  for (const mount of hostConfig.Mounts ?? []) await checkMount(mount, pathExists);
  const mountPointsOf = (name: string): Promise<MountRecord[]> =>
    Promise.reject(new NotFound(`No such container: ${name}`));
  return parseMountPoints({
    config: { Volumes: volumes },
    hostConfig,
    dataRoot: "/var/lib/peer",
    mountPointsOf,
    pathExists,
  });
}

type Shown = [type: string, destination: string, mode: string, writable: boolean, propagation: string];

const show = (records: MountRecord[]): Shown[] =>
  records
    .map((r): Shown => [r.Type, r.Destination, r.Relabel ?? "", r.RW, r.Propagation ?? ""])
    .toSorted((a, b) => (a[1] < b[1] ? -1 : 1));

/** What Docker 28.5 answers, and the mounts that inspect then shows. */
const accepted: [volumes: string[], given: Parameters<typeof parse>[1], mounts: Shown[]][] = [
  [[], { Binds: ["rel:/x"] }, [["volume", "/x", "z", true, ""]]],
  [[], { Binds: ["/x"] }, [["volume", "/x", "z", true, ""]]],
  [[], { Binds: ["/tmp:/y:cached"] }, [["bind", "/y", "cached", true, "rprivate"]]],
  [[], { Mounts: [{ Type: "tmpfs", Target: "/x", TmpfsOptions: { SizeBytes: -1 } }] }, [["tmpfs", "/x", "", true, ""]]],
  [
    [],
    { Mounts: [{ Type: "tmpfs", Target: "/x", TmpfsOptions: { Mode: 999, SizeBytes: 4097 } }] },
    [["tmpfs", "/x", "", true, ""]],
  ],
  [
    [],
    { Mounts: [{ Type: "tmpfs", Target: "/x", TmpfsOptions: { Options: [["exec"]] } }] },
    [["tmpfs", "/x", "", true, ""]],
  ],
  [[], { Mounts: [{ Type: "image", Source: "specimg:1", Target: "/x" }] }, [["image", "/x", "", false, "rprivate"]]],
  [
    [],
    { Mounts: [{ Type: "bind", Source: "/tmp", Target: "/x", BindOptions: { ReadOnlyForceRecursive: true } }] },
    [["bind", "/x", "", true, "rprivate"]],
  ],
  [
    [],
    {
      Mounts: [
        {
          Type: "bind",
          Source: "/tmp",
          Target: "/x",
          ReadOnly: true,
          BindOptions: { ReadOnlyForceRecursive: true, ReadOnlyNonRecursive: true },
        },
      ],
    },
    [["bind", "/x", "", false, "rprivate"]],
  ],
  [
    [],
    {
      Mounts: [
        { Type: "bind", Source: "/tmp", Target: "/x", ReadOnly: true, BindOptions: { ReadOnlyForceRecursive: true } },
      ],
    },
    [["bind", "/x", "", false, "rprivate"]],
  ],
  [
    [],
    { Mounts: [{ Type: "bind", Source: "/tmp", Target: "/x", BindOptions: { ReadOnlyNonRecursive: true } }] },
    [["bind", "/x", "", true, "rprivate"]],
  ],
  [
    [],
    { Mounts: [{ Type: "bind", Source: "/tmp/spec-nope", Target: "/x", BindOptions: { CreateMountpoint: true } }] },
    [["bind", "/x", "", true, "rprivate"]],
  ],
  [
    [],
    { Tmpfs: { "/x": "" }, Mounts: [{ Type: "bind", Source: "/tmp", Target: "/x" }] },
    [["bind", "/x", "", true, "rprivate"]],
  ],
  [["x"], {}, [["volume", "x", "", true, ""]]],
  [["/"], {}, [["volume", "/", "", true, ""]]],
  [["/a:/b"], {}, [["volume", "/a:/b", "", true, ""]]],
  [["/a/"], {}, [["volume", "/a", "", true, ""]]],
  [["/a/"], { Binds: ["/tmp:/a"] }, [["bind", "/a", "", true, "rprivate"]]],
  [["/a"], { Tmpfs: { "/a": "" } }, []],
  [[], { Binds: ["/tmp:/proc"] }, [["bind", "/proc", "", true, "rprivate"]]],
  [[], { Binds: ["/tmp:/dev/foo"] }, [["bind", "/dev/foo", "", true, "rprivate"]]],
  [
    [],
    { Binds: ["/tmp:/x", "named:/n:ro,nocopy", "/:/host", "/tmp:/s:rslave"] },
    [
      ["bind", "/host", "", true, "rslave"],
      ["volume", "/n", "ro,nocopy", false, ""],
      ["bind", "/s", "rslave", true, "rslave"],
      ["bind", "/x", "", true, "rprivate"],
    ],
  ],
  [
    [],
    { Mounts: [{ Type: "bind", Source: "/tmp", Target: "/x", Consistency: "foo" }] },
    [["bind", "/x", "", true, "rprivate"]],
  ],
];

const refused: [volumes: string[], given: Parameters<typeof parse>[1], status: number, message: string][] = [
  [
    [],
    { Binds: ["/x:rel"] },
    500,
    "invalid volume specification: '/x:rel': invalid mount config for type \"bind\": invalid mount path: 'rel' mount path must be absolute",
  ],
  [
    [],
    { Binds: ["/x:/"] },
    500,
    "invalid volume specification: '/x:/': invalid mount config for type \"bind\": invalid specification: destination can't be '/'",
  ],
  [[], { Binds: ["/x:/y:foo"] }, 500, "invalid mode: foo"],
  [[], { Binds: ["/x:/y:ro,rw"] }, 500, "invalid mode: ro,rw"],
  [[], { Binds: ["/x:/y", "/z:/y"] }, 400, "Duplicate mount point: /y"],
  [[], { Binds: ["/x:/y:ro:z"] }, 500, "invalid volume specification: '/x:/y:ro:z'"],
  [[], { Binds: [""] }, 500, "invalid volume specification: ''"],
  [[], { Binds: [":/x"] }, 500, "invalid volume specification: ':/x'"],
  [[], { Binds: ["/x:"] }, 500, "invalid volume specification: '/x:'"],
  [[], { Binds: ["/tmp:/y:rshared,shared"] }, 500, "invalid mode: rshared,shared"],
  [
    [],
    { Binds: ["vol:/y:rshared"] },
    500,
    "invalid volume specification: 'vol:/y:rshared': invalid mount config for type \"volume\": field BindOptions must not be specified",
  ],
  [
    [],
    { Binds: ["/tmp:/y:nocopy"] },
    500,
    "invalid volume specification: '/tmp:/y:nocopy': invalid mount config for type \"bind\": field VolumeOptions must not be specified",
  ],
  [[], { Binds: ["/tmp:/y:z,Z"] }, 500, "invalid mode: z,Z"],
  [
    [],
    { Mounts: [{ Type: "bind", Source: "/nope", Target: "/x" }] },
    400,
    'invalid mount config for type "bind": bind source path does not exist: /nope',
  ],
  [
    [],
    { Mounts: [{ Type: "bind", Source: "nope", Target: "/x" }] },
    400,
    "invalid mount config for type \"bind\": invalid mount path: 'nope' mount path must be absolute",
  ],
  [[], { Mounts: [{ Source: "/tmp", Target: "/x" }] }, 400, 'invalid mount config for type "": mount type unknown'],
  [
    [],
    { Mounts: [{ Type: "foo" as "bind", Source: "/tmp", Target: "/x" }] },
    400,
    'invalid mount config for type "foo": mount type unknown',
  ],
  [
    [],
    { Mounts: [{ Type: "bind", Source: "/tmp" }] },
    400,
    'invalid mount config for type "bind": field Target must not be empty',
  ],
  [
    [],
    { Mounts: [{ Type: "bind", Source: "/tmp", Target: "x" }] },
    400,
    "invalid mount config for type \"bind\": invalid mount path: 'x' mount path must be absolute",
  ],
  [
    [],
    { Mounts: [{ Type: "bind", Source: "/tmp", Target: "/" }] },
    400,
    "invalid mount config for type \"bind\": invalid specification: destination can't be '/'",
  ],
  [
    [],
    { Mounts: [{ Type: "bind", Target: "/x" }] },
    400,
    'invalid mount config for type "bind": field Source must not be empty',
  ],
  [
    [],
    { Mounts: [{ Type: "bind", Source: "/tmp", Target: "/x", VolumeOptions: {} }] },
    400,
    'invalid mount config for type "bind": field VolumeOptions must not be specified',
  ],
  [
    [],
    { Mounts: [{ Type: "volume", Source: "v", Target: "/x", BindOptions: {} }] },
    400,
    'invalid mount config for type "volume": field BindOptions must not be specified',
  ],
  [
    [],
    { Mounts: [{ Type: "tmpfs", Target: "/x", BindOptions: {} }] },
    400,
    'invalid mount config for type "tmpfs": field BindOptions must not be specified',
  ],
  [
    [],
    { Mounts: [{ Type: "tmpfs", Source: "a", Target: "/x" }] },
    400,
    'invalid mount config for type "tmpfs": field Source must not be specified',
  ],
  [
    [],
    { Mounts: [{ Type: "volume", Target: "/x", ReadOnly: true }] },
    400,
    'invalid mount config for type "volume": must not set ReadOnly mode when using anonymous volumes',
  ],
  [
    [],
    { Mounts: [{ Type: "bind", Source: "/tmp", Target: "/x", BindOptions: { Propagation: "foo" as "private" } }] },
    400,
    'invalid mount config for type "bind": invalid propagation mode: foo',
  ],
  [
    [],
    { Mounts: [{ Type: "tmpfs", Target: "/x", TmpfsOptions: { Options: [["foo", "bar"]] } }] },
    400,
    'invalid mount config for type "tmpfs": invalid option: foo',
  ],
  [
    [],
    { Mounts: [{ Type: "tmpfs", Target: "/x", TmpfsOptions: { Options: [null] } }] },
    400,
    'invalid mount config for type "tmpfs": invalid option array length',
  ],
  [
    [],
    { Mounts: [{ Type: "npipe", Source: "a", Target: "/x" }] },
    400,
    'invalid mount config for type "npipe": mount type unknown',
  ],
  [
    [],
    { Mounts: [{ Type: "cluster", Source: "a", Target: "/x" }] },
    400,
    'invalid mount config for type "cluster": mount type unknown',
  ],
  [
    [],
    { Mounts: [{ Type: "volume", Source: "v", Target: "/x", VolumeOptions: { Subpath: "../a" } }] },
    400,
    'invalid mount config for type "volume": subpath must be a relative path within the volume',
  ],
  [
    [],
    { Mounts: [{ Type: "volume", Target: "/x", VolumeOptions: { Subpath: "a" } }] },
    400,
    'invalid mount config for type "volume": must not set Subpath when using anonymous volumes',
  ],
  [
    [],
    {
      Mounts: [
        { Type: "bind", Source: "/tmp", Target: "/x" },
        { Type: "bind", Source: "/tmp", Target: "/x" },
      ],
    },
    400,
    "Duplicate mount point: /x",
  ],
  [
    [],
    { Binds: ["/tmp:/x"], Mounts: [{ Type: "bind", Source: "/tmp", Target: "/x/" }] },
    400,
    "Duplicate mount point: /x/",
  ],
  [[], { Binds: ["/tmp:/x"], Tmpfs: { "/x": "" } }, 400, "Duplicate mount point: /x"],
  [[], { VolumesFrom: [""] }, 400, "volumes-from specification cannot be an empty string"],
  [[], { VolumesFrom: ["a:foo"] }, 400, "invalid mode: foo"],
  [[], { VolumesFrom: ["a:ro:x"] }, 400, "invalid mode: ro:x"],
];

const volumesOf = (paths: string[]): Record<string, Record<string, never>> =>
  Object.fromEntries(paths.map((path) => [path, {}]));

describe("parseMountPoints", () => {
  for (const [volumes, given, mounts] of accepted) {
    it(`takes ${JSON.stringify(volumes)} ${JSON.stringify(given)}`, async () => {
      assert.deepEqual(show(await parse(volumesOf(volumes), given)), mounts);
    });
  }

  for (const [volumes, given, status, message] of refused) {
    it(`refuses ${JSON.stringify(volumes)} ${JSON.stringify(given)}`, async () => {
      await assert.rejects(parse(volumesOf(volumes), given), (error) => {
        assert.deepEqual([httpStatusOf(error), messageOf(error)], [status, message]);
        return true;
      });
    });
  }

  it("takes over the mounts of another container, read-only when asked", async () => {
    const other = await parse(volumesOf(["/data"]), { Binds: ["/tmp:/x"] });
    const hostConfig = completeHostConfig({ VolumesFrom: ["other:ro"], Binds: ["/tmp:/data"] });
    const records = await parseMountPoints({
      config: { Volumes: null },
      hostConfig,
      dataRoot: "/var/lib/peer",
      mountPointsOf: (name) => Promise.resolve(name === "other" ? other : []),
    });
    assert.deepEqual(show(records), [
      ["bind", "/data", "", true, "rprivate"],
      ["bind", "/x", "", false, "rprivate"],
    ]);
  });

  it("refuses a private bind around the data root", async () => {
    await assert.rejects(
      parse({}, { Binds: ["/var:/x:rprivate"] }),
      /must use either propagation mode "rslave" or "rshared"/,
    );
  });
});
