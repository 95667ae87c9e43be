import { playTranscripts } from "../recorded/play.ts";

playTranscripts(
  ["engine/volumes", "engine/mounts", "engine/images", "engine/containers", "engine/execs", "engine/logs"],
  { apart: true },
);
