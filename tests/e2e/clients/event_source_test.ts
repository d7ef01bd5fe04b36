import { followRoom } from "../../../docs/clients/event_source.ts";
import { clientContract } from "../../contracts/client_suite.ts";
import { testedEventSource } from "../../support/tested_clients.ts";

clientContract({
  name: "EventSource",
  create(url, userId) {
    const headers = { "x-user-id": userId, "x-session-id": crypto.randomUUID() };
    return testedEventSource(url, headers, followRoom);
  },
  // The standard's EventSource shows no body; that it is refused and stays away is all it says.
  refusal: 400,
});
