import type { OperationDefinitionNode } from "graphql";
import type { CheckedArgs } from "./selected_frames.ts";
import { SelectionPlan } from "./selection_plan.ts";

/** The plans of subscriptions: made once for each parsed document, shared by all its selections, forgotten with it. */
export class EventPlans {
  readonly #plans = new WeakMap<OperationDefinitionNode, SelectionPlan | "none">();

  /** Undefined when the operation has fields that only graphql-js can execute. */
  of({ schema, operation, fragmentDefinitions }: CheckedArgs): SelectionPlan | undefined {
    let plan = this.#plans.get(operation);
    if (plan === undefined) {
      const root = schema.getSubscriptionType()!;
      plan = SelectionPlan.ofRoot(root, operation.selectionSet, { fragments: fragmentDefinitions }) ?? "none";
      this.#plans.set(operation, plan);
    }
    return plan === "none" ? undefined : plan;
  }
}
