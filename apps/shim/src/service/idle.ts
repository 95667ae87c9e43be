import { releaseFilePages } from "@longshore/sys";
import { around } from "./handlers.ts";

declare const Bun: { shrink(): void } | undefined;

/** How long nothing was asked before a server counts as idle, in ms: after the start of a container soon. */
const firstQuietMs = 1000;
/** Whoever is asked again may be asked once more, and what was given back would have to be had again: 7 ms of an exec. */
const laterQuietMs = 30_000;
/** How long Bun sweeps after it was told to shrink; only then its own code is not needed any more. */
const sweepMs = 400;

/** Handlers that give back the memory of this process once none was called for a while. */
export function tidyWhenIdle<H extends object>(handlers: H): H {
  let timer: NodeJS.Timeout | undefined;
  let quietMs = firstQuietMs;
  const later = (): void => {
    clearTimeout(timer);
    timer = setTimeout(() => {
      shrink();
      quietMs = laterQuietMs;
      timer = setTimeout(releaseFilePages, sweepMs).unref();
    }, quietMs).unref();
  };
  return around(handlers, async (handle) => {
    later();
    try {
      return await handle();
    } finally {
      later();
    }
  });
}

/** Drops garbage, and the compiled form of functions that ran; those that run again are compiled again. */
function shrink(): void {
  if (typeof Bun !== "undefined") Bun.shrink();
}
