import type { ObjectRef } from "@pothos/core";
import type { Builder } from "./builder.ts";

/** Something in a list, with its place. */
export interface Edge<Node> {
  readonly node: Node;
  readonly cursor: string;
}

/** One page of a list. */
export interface Page<Node> {
  readonly edges: readonly Edge<Node>[];
  readonly hasNextPage: boolean;
  readonly hasPreviousPage: boolean;
}

/** The type `PageInfo`. */
export type PageInfoRef = ReturnType<typeof addPageInfo>;

/** Adds `PageInfo`, which every connection has. */
export function addPageInfo(builder: Builder) {
  return builder.objectRef<Page<unknown>>("PageInfo").implement({
    description: "Where a page lies in its list.",
    fields: (t) => ({
      hasNextPage: t.boolean({
        description: "Whether more follows: ask again `after` the end cursor.",
        resolve: ({ hasNextPage }) => hasNextPage,
      }),
      hasPreviousPage: t.boolean({
        description: "Whether something comes before the page.",
        resolve: ({ hasPreviousPage }) => hasPreviousPage,
      }),
      startCursor: t.field({
        type: "Cursor",
        nullable: true,
        description: "The cursor of the first edge; null on an empty page.",
        resolve: ({ edges }) => edges[0]?.cursor ?? null,
      }),
      endCursor: t.field({
        type: "Cursor",
        nullable: true,
        description: "The cursor of the last edge; null on an empty page.",
        resolve: ({ edges }) => edges.at(-1)?.cursor ?? null,
      }),
    }),
  });
}

/** What {@linkcode addConnection} needs. */
export interface ConnectionDeps<Node> {
  /** Begins the names of both types. */
  readonly name: string;
  /** What the connection's description says it is a page of. */
  readonly description: string;
  readonly node: ObjectRef<Builder["$inferSchemaTypes"], Node>;
  readonly pageInfo: PageInfoRef;
}

/** Adds the two types of a list that is read in pages: `…Edge` and `…Connection`. */
export function addConnection<Node, Source extends Page<Node> = Page<Node>>(
  builder: Builder,
  { name, description, node, pageInfo }: ConnectionDeps<Node>,
) {
  const edge = builder.objectRef<Edge<Node>>(`${name}Edge`).implement({
    description: `A ${name} and its place in the list.`,
    fields: (t) => ({
      node: t.expose("node", { type: node, description: `The ${name} itself.` }),
      cursor: t.field({
        type: "Cursor",
        description: "Its place: give it to the list it came from.",
        resolve: ({ cursor }) => cursor,
      }),
    }),
  });
  return builder.objectRef<Source>(`${name}Connection`).implement({
    description,
    fields: (t) => ({
      edges: t.field({
        type: [edge],
        description: "The page, each with its own cursor.",
        resolve: ({ edges }) => edges,
      }),
      nodes: t.field({
        type: [node],
        description: "The page without the cursors.",
        resolve: ({ edges }) => edges.map((one) => one.node),
      }),
      pageInfo: t.field({
        type: pageInfo,
        description: "Whether there is more, and from where to ask for it.",
        resolve: (page) => page,
      }),
    }),
  });
}
