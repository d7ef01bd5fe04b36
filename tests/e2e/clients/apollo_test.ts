import { createApollo } from "../../../docs/clients/apollo.ts";
import { createApolloHttp } from "../../../docs/clients/apollo_http.ts";
import { clientContract } from "../../contracts/client_suite.ts";
import { testedApollo } from "../../support/tested_clients.ts";

clientContract({
  name: "Apollo Client over WebSocket and HTTP",
  create: (url, userId) => testedApollo(createApollo(url, userId)),
});

clientContract({
  name: "Apollo Client over HTTP alone",
  create: (url, userId) => testedApollo(createApolloHttp(url, userId)),
});
