// The console runs in a browser: every file of it that touches the page imports this one.
/// <reference lib="dom" />
/// <reference lib="dom.iterable" />

/** What an element is made with. */
export interface ElementParts {
  readonly className?: string;
  /** Shown as it is: never markup. */
  readonly text?: string;
  readonly children?: readonly Node[];
}

/** Makes an element. */
export function element<Name extends keyof HTMLElementTagNameMap>(
  name: Name,
  { className, text, children = [] }: ElementParts = {},
): HTMLElementTagNameMap[Name] {
  const made = document.createElement(name);
  if (className !== undefined) made.className = className;
  if (text !== undefined) made.textContent = text;
  made.append(...children);
  return made;
}

/** Finds the page's element of this id, which page.html has. */
export function find<Type extends HTMLElement>(id: string, type: new () => Type): Type {
  const found = document.getElementById(id);
  if (!(found instanceof type)) throw new TypeError(`Cannot find "${id}" in the page: must be a ${type.name}`);
  return found;
}
