import { playTranscripts } from "./recorded/play.ts";

playTranscripts(["network/gateway-modes", "network/daemon-options", "network/lifecycle", "network/ipam", "network/endpoints", "network/default-bridge"]);
