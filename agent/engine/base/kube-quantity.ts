// Amounts as Kubernetes writes them: the size of a claim, a threshold of the kubelet
// (apimachinery pkg/api/resource/quantity.go).

const UNITS: Readonly<Record<string, number>> = Object.freeze({
  '': 1,
  m: 0.001,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  P: 1e15,
  E: 1e18,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
  Pi: 2 ** 50,
  Ei: 2 ** 60,
});

/** `1Gi`, `500M`, `1.5e9`: a Kubernetes quantity; undefined for anything else. */
export function parseQuantity(text: string): number | undefined {
  const parts = /^(\d+(?:\.\d*)?|\.\d+)(?:[eE]([+-]?\d+)|([KMGTPE]i|[mkMGTPE]))?$/.exec(text);
  if (parts === null) return undefined;
  return Number(parts[1]) * 10 ** Number(parts[2] ?? 0) * UNITS[parts[3] ?? ''];
}
