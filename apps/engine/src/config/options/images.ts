import { builder } from "../kinds/builder.ts";
import { texts } from "../kinds/lists.ts";
import { int, text } from "../kinds/scalars.ts";
import { maskCredentials } from "../mask.ts";
import { atLeastZero, checkMirrors, checkStorageDriver, isOtherDriver } from "../checks.ts";
import { option } from "./option.ts";

/** Images, their storage and registries. */
export const imagesOptions = {
  "allow-nondistributable-artifacts": option(texts, {
    hidden: true,
    deprecated: "Pushing nondistributable artifacts is now enabled by default. ",
    unserved: "nondistributable artifacts are always pushed",
    help: "Allow push of nondistributable artifacts to registry",
    fallback: [],
  }),
  builder: option(builder, {
    fileOnly: true,
    unserved: "the engine does not build images; a builder of docker buildx has its own configuration",
    help: "",
    fallback: {},
  }),
  "http-proxy": option(text, {
    under: "proxies",
    mask: maskCredentials,
    help: "HTTP proxy URL to use for outgoing traffic",
    fallback: "",
  }),
  "https-proxy": option(text, {
    under: "proxies",
    mask: maskCredentials,
    help: "HTTPS proxy URL to use for outgoing traffic",
    fallback: "",
  }),
  "insecure-registry": option(texts, {
    key: "insecure-registries",
    help: "Enable insecure registry communication",
    fallback: [],
    reload: "named",
  }),
  "max-concurrent-downloads": option(int, {
    help: "Set the max concurrent downloads",
    fallback: 3,
    reload: "always",
    check: atLeastZero("max concurrent downloads"),
  }),
  "max-concurrent-uploads": option(int, {
    help: "Set the max concurrent uploads",
    fallback: 5,
    reload: "always",
    check: atLeastZero("max concurrent uploads"),
  }),
  "max-download-attempts": option(int, {
    unserved:
      "containerd goes on with a download as long as it makes progress, and gives up after five attempts without",
    help: "Set the max download attempts for each pull",
    fallback: 5,
    reload: "always",
    check: atLeastZero("max download attempts"),
  }),
  "no-proxy": option(text, {
    under: "proxies",
    mask: maskCredentials,
    help: "Comma-separated list of hosts or IP addresses for which the proxy is skipped",
    fallback: "",
  }),
  "registry-mirror": option(texts, {
    key: "registry-mirrors",
    help: "Preferred Docker registry mirror",
    fallback: [],
    reload: "named",
    check: checkMirrors,
  }),
  "storage-driver": option(text, {
    short: "s",
    help: "Storage driver to use",
    fallback: "overlayfs",
    check: checkStorageDriver,
    unservedValues: [
      {
        what: "`storage-driver` other than overlayfs",
        when: isOtherDriver,
        warning: (given) => `storage-driver ${given} is not served: overlayfs is used`,
      },
    ],
  }),
  "storage-opt": option(texts, {
    key: "storage-opts",
    unserved: "the overlayfs snapshotter has none of Docker's storage options",
    help: "Storage driver options",
    fallback: [],
  }),
};
