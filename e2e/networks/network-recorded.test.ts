import { playTranscripts } from "../recorded/play.ts";

// The long ones first.
const subjects = [
  "daemon-options",
  "gateway-modes",
  "lifecycle",
  "userland-proxy",
  "ipam",
  "binding-options",
  "endpoints",
  "families",
  "default-bridge",
  "host-gateway",
  "joining",
  "spellings",
  "own-ipv6",
  "bridges",
];
playTranscripts(
  subjects.map((subject) => `network/${subject}`),
  { apart: false },
);
