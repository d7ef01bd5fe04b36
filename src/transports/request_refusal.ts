import type { IncomingMessage } from "node:http";
import { RealtimeError } from "../core/errors.ts";
import type { Telemetry } from "../core/telemetry.ts";
import type { Access } from "./access.ts";
import type { ClientAddresses } from "./client_address.ts";
import { faultOf } from "./malformed_request.ts";
import { pathOf } from "./paths.ts";

/** What refusing requests needs. */
export interface RequestRefusalDeps {
  readonly access: Access;
  readonly addresses: ClientAddresses;
  readonly telemetry: Telemetry;
}

/** Why a request is not served, as its sender is told. */
export interface RequestRefusal {
  readonly status: number;
  readonly error: RealtimeError;
  /** Then where the next request begins is not to be relied on. */
  readonly closes: boolean;
}

/** Of what a stranger has written, in characters. */
const LOGGED_LENGTH = 200;

/** Judges a request by its form, its Host and its Origin; who is refused is logged. Undefined: it is served. */
export function refusalOf(
  request: IncomingMessage,
  { access, addresses, telemetry }: RequestRefusalDeps,
): RequestRefusal | undefined {
  const fault = faultOf(request);
  const reason = fault === undefined ? access.judge(request) : "malformed";
  if (reason === undefined) return undefined;
  telemetry.record("warn", "request.refused", {
    reason,
    host: request.headers.host?.slice(0, LOGGED_LENGTH),
    origin: request.headers.origin?.slice(0, LOGGED_LENGTH),
    path: pathOf(request).slice(0, LOGGED_LENGTH),
    remoteAddress: addresses.of(request),
  });
  if (fault !== undefined) return malformed(fault.status, fault.requirement);
  if (reason === "no host") return malformed(400, "its Host must be a name or an address, and at most a port");
  const error = new RealtimeError("FORBIDDEN", "Cannot answer this request: its Host or Origin is not allowed");
  return { status: 403, error, closes: false };
}

function malformed(status: number, requirement: string): RequestRefusal {
  const error = new RealtimeError("BAD_USER_INPUT", `Cannot read this request: ${requirement}`);
  return { status, error, closes: true };
}
