# #region start
export JWT_SECRET="$(head -c 48 /dev/urandom | base64)"
deno task start
# #endregion

# #region send
TOKEN="$(deno task --quiet token ann --scope broadcast)"
curl http://127.0.0.1:4000/graphql \
  -H "authorization: Bearer $TOKEN" \
  -H 'content-type: application/json' \
  -d '{"query":"{ viewer { userId scopes tokenExpiresAt } }"}'
# #endregion
