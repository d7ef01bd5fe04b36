# #region curl-post
curl -N "$URL" -H 'content-type: application/json' -d '{"query":
  "subscription { messages(room: \"lobby\") { senderId content } }"}'
# #endregion

# #region curl-get
curl -N -G "$URL" --data-urlencode 'query=subscription { messages(room: "lobby") { senderId content } }'
# #endregion

# #region curl-send
curl "$URL" -H 'content-type: application/json' -H 'x-user-id: ann' -d '{"query":
  "mutation { sendMessage(room: \"lobby\", content: \"hello\") { success } }"}'
# #endregion
