/**
 * Realtime rooms over GraphQL subscriptions, as a library.
 *
 * A server of one's own, on a free port, that tells every subscriber of `lobby` that
 * something happened:
 *
 * ```ts
 * import { createLog, createRooms } from "./mod.ts";
 *
 * const server = createRooms({
 *   server: { port: 0 },
 *   telemetry: createLog({ level: "warn", format: "json", write: (line) => console.log(line) }),
 * });
 * const { url } = await server.listen();
 * await server.broadcastToRoom("lobby", "deployed", { version: 7 });
 * await server.stop();
 *
 * console.assert(url.endsWith("/graphql"));
 * ```
 *
 * @module
 */
export { createRooms, type Listening, type RoomsServer } from "./create_rooms.ts";
export type {
  AuthOptions,
  ConnectionInfo,
  HistoryOptions,
  JwtOptions,
  LimitOptions,
  PresenceOptions,
  RoomsOptions,
  ServerOptions,
} from "./options.ts";
export { authorizeByScope } from "./auth/policy.ts";
export {
  type Action,
  type Authorize,
  type Principal,
  type RoomRight,
  type RoomRights,
  type Scope,
  SCOPES,
} from "./core/auth.ts";
export { ERROR_CODES, type ErrorCode, RealtimeError, type RealtimeErrorDetails } from "./core/errors.ts";
export type { MessageView } from "./core/messages.ts";
export { LOG_LEVELS, type LogFields, type LogLevel, type Telemetry } from "./core/telemetry.ts";
export { createLog, LOG_FORMATS, type LogFormat, type LogOptions } from "./telemetry/log.ts";
