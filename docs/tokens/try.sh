# #region start
openssl rand -base64 48 > jwt-secret
JWT_SECRET="$(cat jwt-secret)" deno task start
# #endregion

# #region send
TOKEN="$(JWT_SECRET="$(cat jwt-secret)" deno task --quiet token ann --scope broadcast)"
curl http://127.0.0.1:4000/graphql \
  -H "authorization: Bearer $TOKEN" \
  -H 'content-type: application/json' \
  -d '{"query":"{ viewer { userId scopes tokenExpiresAt } }"}'
# #endregion
