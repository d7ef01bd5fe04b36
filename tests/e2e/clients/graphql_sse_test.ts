import { createGraphqlSse } from "../../../docs/clients/graphql_sse.ts";
import { clientContract } from "../../contracts/client_suite.ts";
import { testedGraphqlSse } from "../../support/tested_clients.ts";

clientContract({
  name: "graphql-sse",
  create: (url, userId) => testedGraphqlSse(createGraphqlSse(url, userId)),
});
