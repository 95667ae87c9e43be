/**
 * What is not the same in every API version that the engine speaks: each change, and the first version that
 * has it. Routes ask for a change by its name (`speaks`), never for a version, so this is all there is; the
 * cases of `e2e/api/api-versions.test.ts` are one for each entry. Source: Docker's own server, 28.5.
 */
export const apiChanges = {
  /** `info`: security options are `name=…,key=value`; a bare name before. */
  infoSecurityOptionValues: "1.25",
  /** create: `AutoRemove` is the engine's work; the client's before. */
  createAutoRemove: "1.25",
  /** A list of networks leaves out who is connected to them. */
  networkListBrief: "1.28",
  /** Attaching by web socket: binary messages; text before. */
  webSocketBinary: "1.28",
  /** wait: `condition`, and an answer whose head comes at once. */
  waitCondition: "1.30",
  /** pull and import: `platform`. */
  pullPlatform: "1.32",
  /** create: containers have an IPC namespace of their own unless they say otherwise; a shareable one before. */
  createIpcDefault: "1.40",
  /** create: `BindOptions.NonRecursive`. */
  createNonRecursiveBind: "1.40",
  /** create: `KernelMemoryTCP`. */
  createKernelMemoryTcp: "1.40",
  /** update: `PidsLimit`. */
  updatePidsLimit: "1.40",
  /** create: on cgroup v1, too, the engine's configuration decides about the cgroup namespace; the host's before. */
  createCgroupnsDefault: "1.41",
  /** create: `platform`. */
  createPlatform: "1.41",
  /** stats: `one-shot`. */
  statsOneShot: "1.41",
  /** A list of images has no `filter`, which was one reference. */
  imageListWithoutFilter: "1.41",
  /** create: `BindOptions.CreateMountpoint`. */
  createBindMountpoint: "1.42",
  /** create: options of another type of mount are an error. */
  createMountOptionsChecked: "1.42",
  /** create: `ConsoleSize`. */
  createConsoleSize: "1.42",
  /** create and update: `KernelMemory` is gone. */
  withoutKernelMemory: "1.42",
  /** stop and restart: `signal`. */
  stopSignal: "1.42",
  /** exec: `ConsoleSize`, at creation and start. */
  execConsoleSize: "1.42",
  /** Streams in frames have a media type of their own: logs, attach, exec. */
  multiplexedMediaType: "1.42",
  /** Attaching by web socket: `stdin`, `stdout` and `stderr`; all of them before. */
  webSocketStreams: "1.42",
  /** A list of images: `shared-size`. */
  imageListSharedSize: "1.42",
  /** disk usage: `type`. */
  diskUsageType: "1.42",
  /** disk usage: the size of the build cache is the sum of its records. */
  diskUsageWithoutBuilderSize: "1.42",
  /** prune of volumes: anonymous ones, unless `all` is asked for. */
  volumePruneAnonymous: "1.42",
  /** create of a volume: `ClusterVolumeSpec`. */
  clusterVolumes: "1.42",
  /** create: `Annotations`. */
  createAnnotations: "1.43",
  /** A list of images: what has no name has none; `<none>:<none>` before. */
  imageListNameless: "1.43",
  /** create: `Healthcheck.StartInterval`. */
  createStartInterval: "1.44",
  /** create: read-only binds are read-only all the way down; the mount itself before. */
  createRecursiveReadOnly: "1.44",
  /** create: more than one network. */
  createEndpoints: "1.44",
  /** create: MAC addresses are those of endpoints. */
  createEndpointMacAddress: "1.44",
  /** `info`: what each runtime says of itself. */
  infoRuntimeStatus: "1.44",
  /** images: there is no `VirtualSize`. */
  withoutVirtualSize: "1.44",
  /** create: `VolumeOptions.Subpath`. */
  createVolumeSubpath: "1.45",
  /** inspect of a container: aliases are those that were given; its short ID and hostname, too, before. */
  inspectGivenAliases: "1.45",
  /** A list of containers: annotations. */
  containerListAnnotations: "1.46",
  /** push: `platform`. */
  pushPlatform: "1.46",
  /** `info`: containerd's address and namespaces. */
  infoContainerd: "1.46",
  /** events: images have a `create`. */
  imageCreateEvents: "1.46",
  /** A list of images: `manifests`. */
  imageListManifests: "1.47",
  /** `info`: nothing of registries for artifacts that may not be distributed. */
  infoWithoutNondistributable: "1.47",
  /** create: priorities of gateways. */
  createGatewayPriority: "1.48",
  /** create: mounts of images. */
  createImageMounts: "1.48",
  /** create: a volume driver that no mount takes notice of is warned of. */
  createVolumeDriverWarning: "1.48",
  /** create: sysctls of interfaces are those of endpoints; moved to the first one before. */
  createEndpointSysctls: "1.48",
  /** A list of containers and their inspect: the image's manifest. */
  containerManifestDescriptor: "1.48",
  /** create of a network: `EnableIPv4`. */
  networkEnableIPv4: "1.48",
  /** save, load and history: `platform`. */
  imageTransferPlatform: "1.48",
  /** inspect of an image: `manifests`. */
  imageInspectManifests: "1.48",
  /** images: `Descriptor`. */
  imageDescriptor: "1.48",
  /** inspect of an image: `platform`. */
  imageInspectPlatform: "1.49",
  /** `info`: the firewall's backend. */
  infoFirewallBackend: "1.49",
  /** `info`: no expected commits of components. */
  infoWithoutExpectedCommits: "1.49",
  /** `info`: nothing of netfilter on bridges, which was always false. */
  infoWithoutBridgeNetfilter: "1.50",
  /** inspect of an image: members of the configuration that belong to containers are gone; empty before. */
  imageInspectBriefConfig: "1.50",
  /** removal of an image: `platforms`. */
  imageRemovePlatforms: "1.50",
  /** A list of images: how many containers use each; -1 before. */
  imageListContainers: "1.51",
} as const satisfies Record<string, `1.${number}`>;

export type ApiChange = keyof typeof apiChanges;
