import { GraphQLError, GraphQLScalarType, Kind, print } from "graphql";
import { DateTimeISOResolver, JSONResolver } from "graphql-scalars";
import { isoText } from "./iso_text.ts";

/** An instant: a `Date` inside, RFC 3339 text with milliseconds outside. */
export function createDateTimeScalar(): GraphQLScalarType {
  const config = DateTimeISOResolver.toConfig();
  // What is a Date already, as ours always are, is written the short way: every message has one.
  const write = (value: unknown): unknown =>
    value instanceof Date && !Number.isNaN(value.getTime())
      ? isoText(value.getTime())
      : config.coerceOutputValue(value);
  return new GraphQLScalarType({
    ...config,
    serialize: write,
    coerceOutputValue: write,
    name: "DateTime",
    description: "An instant as RFC 3339 text, always in UTC and with milliseconds: `2026-11-22T09:30:00.123Z`. " +
      "`new Date(text)` reads it, and equal instants are equal texts.",
  });
}

/** Any JSON value, passed on as it is. */
export function createJsonScalar(): GraphQLScalarType {
  return new GraphQLScalarType({
    ...JSONResolver.toConfig(),
    description: "Any JSON value: object, list, string, number, boolean or null. Its shape belongs to the " +
      "application; the server stores and returns it without looking inside.",
    specifiedByURL: null,
  });
}

/** A cursor: text and nothing else, read by whoever made it. */
export function createCursorScalar(): GraphQLScalarType<string, string> {
  return new GraphQLScalarType<string, string>({
    name: "Cursor",
    description:
      "A place in a stream or a list, as text that only the server reads. Keep it, compare it for equality, " +
      "and give it back to the field it came from; one of another room or field is `BAD_USER_INPUT`. " +
      "A message's cursor marks both its room and the messages to everyone.",
    coerceOutputValue: requireString,
    coerceInputValue: requireString,
    coerceInputLiteral(node) {
      // Without this an enum literal would pass for its name.
      if (node.kind === Kind.STRING) return node.value;
      throw new GraphQLError(`Cursor must be a string, is ${print(node)}`, { nodes: node });
    },
  });
}

function requireString(value: unknown): string {
  if (typeof value === "string") return value;
  throw new GraphQLError(`Cursor must be a string, is of type ${typeof value}`);
}
