import { createGraphqlWs } from "../../../docs/clients/graphql_ws.ts";
import { clientContract } from "../../contracts/client_suite.ts";
import { testedGraphqlWs } from "../../support/tested_clients.ts";

clientContract({
  name: "graphql-ws with resumable()",
  create: (url, userId) => testedGraphqlWs(createGraphqlWs(url, userId)),
});
