/** What one node sees of itself. */
export interface NodeStatus {
  readonly nodeId: string;
  readonly version: string;
  readonly engineName: string;
  readonly startedAtMs: number;
  readonly connections: number;
  readonly subscriptions: number;
  readonly rooms: number;
}
