// The condition `Ready` of pods and nodes (v1, PodCondition and NodeCondition).

export interface WithConditions {
  readonly status?: {
    readonly conditions?: readonly { readonly type: string; readonly status: string }[];
  };
}

export function isReady({ status }: WithConditions): boolean {
  const { conditions = [] } = status ?? {};
  return conditions.some(({ type, status: is }) => type === 'Ready' && is === 'True');
}
