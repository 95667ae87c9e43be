import type { Any } from "@bufbuild/protobuf/wkt";
import { concurrencyOf, leaseOf, namespaceOf, receiveBytes, sendBytes } from "@longshore/containerd-client";
import { InvalidArgument, NotImplemented } from "@longshore/errdefs";
import type { CallContext, ServiceImplementation } from "@longshore/grpc";
import type { Logger } from "@longshore/logger";
import { hostPlatform } from "@longshore/oci";
import { unpackAny } from "@longshore/proto";
import type { Transfer as TransferDesc } from "@longshore/proto/containerd/services/transfer/v1/transfer";
import {
  type ImageExportStream,
  ImageExportStreamSchema,
  type ImageImportStream,
  ImageImportStreamSchema,
  type ImageStore,
  ImageStoreSchema,
  type OCIRegistry,
  OCIRegistrySchema,
  UnpackConfigurationSchema,
} from "@longshore/proto/containerd/types/transfer/transfer";
import { type Connections, Registry, type RegistryHosts, fixedSchemeHosts, hostsDirHosts } from "@longshore/remotes";
import {
  type ArchiveExportOptions,
  type Source,
  type Transfer,
  type TransferCall,
  pullReference,
} from "@longshore/transfer";
import type { ServerStream, StreamRegistry } from "./streams.ts";
import { credentialsOver, destinationOf, platformOf, progressOver, unpackTargetOf } from "./transfer-types.ts";

export interface TransferDeps {
  transfer: Transfer;
  streams: StreamRegistry;
  connections: Connections;
  /** For registries about whose hosts the client says nothing. */
  hosts: RegistryHosts;
  /** `longshore/1.2.3` */
  userAgent: string;
  log: Logger;
}

/** One call: what it transfers with, and the streams that end with it. */
class Call {
  readonly #deps: TransferDeps;
  readonly #context: CallContext;
  readonly #streams: ServerStream[] = [];
  readonly #progress: ReturnType<typeof progressOver>;

  constructor(deps: TransferDeps, context: CallContext, progressStream: string) {
    this.#deps = deps;
    this.#context = context;
    this.#progress = progressOver(progressStream === "" ? undefined : this.stream(progressStream));
  }

  /** @throws NotFound */
  stream(id: string): ServerStream {
    const stream = this.#deps.streams.get(namespaceOf(this.#context), id);
    this.#streams.push(stream);
    return stream;
  }

  get transferCall(): TransferCall {
    const namespace = namespaceOf(this.#context);
    const lease = leaseOf(this.#context);
    const concurrency = concurrencyOf(this.#context);
    const { signal } = this.#context;
    return {
      namespace,
      lease,
      signal,
      progress: this.#progress.sink,
      ...(concurrency === undefined ? {} : { concurrency }),
    };
  }

  source({ reference, resolver }: OCIRegistry): Source {
    const { connections, userAgent, log } = this.#deps;
    const auth = resolver === undefined || resolver.authStream === "" ? undefined : this.stream(resolver.authStream);
    const registry = new Registry({
      hosts: this.#hosts(resolver?.hostDir ?? "", resolver?.defaultScheme ?? ""),
      connections,
      userAgent,
      headers: resolver?.headers ?? {},
      log,
      ...(auth === undefined ? {} : { credentials: credentialsOver(auth, reference) }),
    });
    return { registry, reference: pullReference(reference) };
  }

  #hosts(hostDir: string, scheme: string): RegistryHosts {
    if (scheme !== "" && scheme !== "http" && scheme !== "https")
      throw new InvalidArgument(`unsupported default scheme "${scheme}"`);
    const hosts = scheme === "" ? this.#deps.hosts : fixedSchemeHosts(scheme);
    return hostDir === "" ? hosts : hostsDirHosts([hostDir], hosts);
  }

  /** Ends the streams once all progress is told. */
  async end(): Promise<void> {
    await this.#progress.sent();
    for (const stream of this.#streams) stream.close();
  }
}

function exportOptions(stream: ImageExportStream): ArchiveExportOptions {
  const platforms = stream.platforms.length === 0 ? [hostPlatform()] : stream.platforms.map(platformOf);
  return {
    ...(stream.allPlatforms ? {} : { platforms }),
    skipCompatibilityManifest: stream.skipCompatibilityManifest,
    skipNonDistributable: stream.skipNonDistributable,
  };
}

type Work = (call: Call) => Promise<unknown>;

function fromRegistry(deps: TransferDeps, source: OCIRegistry, destination: Any): Work | undefined {
  const store = unpackAny(destination, ImageStoreSchema);
  return store === undefined
    ? undefined
    : (call) => deps.transfer.pull(call.source(source), destinationOf(store), call.transferCall);
}

function fromStore({ transfer }: TransferDeps, source: ImageStore, destination: Any): Work | undefined {
  const registry = unpackAny(destination, OCIRegistrySchema);
  if (registry !== undefined) {
    return (call) =>
      transfer.push(
        { name: source.name, platforms: source.platforms.map(platformOf) },
        call.source(registry),
        call.transferCall,
      );
  }
  const store = unpackAny(destination, ImageStoreSchema);
  if (store !== undefined) return (call) => transfer.tag(source.name, destinationOf(store), call.transferCall);
  // No pair of the stock containerd's, which answers that it is not implemented: the client then goes layer by layer.
  const unpack = unpackAny(destination, UnpackConfigurationSchema);
  if (unpack !== undefined) return (call) => transfer.unpack(source.name, unpackTargetOf(unpack), call.transferCall);
  const stream = unpackAny(destination, ImageExportStreamSchema);
  if (stream === undefined) return undefined;
  return (call) => {
    const out = call.stream(stream.stream);
    return transfer.export(source, exportOptions(stream), (content) => sendBytes(out, content), call.transferCall);
  };
}

function fromStream({ transfer }: TransferDeps, source: ImageImportStream, destination: Any): Work | undefined {
  const store = unpackAny(destination, ImageStoreSchema);
  if (store !== undefined) {
    return (call) =>
      transfer.import(
        receiveBytes(call.stream(source.stream)),
        { forceCompress: source.forceCompress },
        destinationOf(store),
        call.transferCall,
      );
  }
  const echo = unpackAny(destination, ImageExportStreamSchema);
  return echo === undefined
    ? undefined
    : (call) => sendBytes(call.stream(echo.stream), receiveBytes(call.stream(source.stream)));
}

function workFor(deps: TransferDeps, source: Any, destination: Any): Work {
  const registry = unpackAny(source, OCIRegistrySchema);
  const store = unpackAny(source, ImageStoreSchema);
  const stream = unpackAny(source, ImageImportStreamSchema);
  const work =
    registry !== undefined
      ? fromRegistry(deps, registry, destination)
      : store !== undefined
        ? fromStore(deps, store, destination)
        : stream !== undefined
          ? fromStream(deps, stream, destination)
          : undefined;
  if (work === undefined)
    throw new NotImplemented(`method Transfer not implemented for ${source.typeUrl} to ${destination.typeUrl}`);
  return work;
}

/** containerd's Transfer service. */
export function transferService(deps: TransferDeps): ServiceImplementation<typeof TransferDesc> {
  return {
    async transfer({ source, destination, options }, context) {
      if (source === undefined || destination === undefined)
        throw new InvalidArgument("a transfer needs a source and a destination");
      const work = workFor(deps, source, destination);
      const call = new Call(deps, context, options?.progressStream ?? "");
      try {
        await work(call);
      } finally {
        await call.end();
      }
      return {};
    },
  };
}
