import { createUrql } from "../../../docs/clients/urql.ts";
import { createUrqlHttp } from "../../../docs/clients/urql_http.ts";
import { clientContract } from "../../contracts/client_suite.ts";
import { testedUrql } from "../../support/tested_clients.ts";

clientContract({
  name: "urql over WebSocket and HTTP",
  create: (url, userId) => testedUrql(createUrql(url, userId)),
});

clientContract({
  name: "urql over HTTP alone",
  create: (url, userId) => testedUrql(createUrqlHttp(url, userId)),
});
