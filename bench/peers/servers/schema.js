/** What the GraphQL servers beside graphql-rooms offer: of its schema, what the bench asks for. */
export const typeDefs = /* GraphQL */ `
  type Message {
    id: ID!
    senderId: ID!
    content: String!
    timestamp: String!
  }
  type SendResult {
    success: Boolean!
  }
  type Query {
    version: String
  }
  type Mutation {
    sendMessage(room: ID!, content: String!): SendResult!
  }
  type Subscription {
    messages(room: ID!): Message!
  }
`;
