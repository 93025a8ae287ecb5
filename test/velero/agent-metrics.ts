// What the agent that runs now says of itself, asked as Prometheus asks.

import type { Installation } from './installation.ts';

const PORT = 8085;

/** @param series as it stands there: `name{label="value"}` */
export async function agentMetric(installation: Installation, series: string): Promise<number> {
  const address = await installation.agentAddress();
  const answer = await fetch(`http://${address}:${PORT}/metrics`);
  const lines = (await answer.text()).split('\n');
  const line = lines.find(each => each.startsWith(`${series} `));
  if (line === undefined) throw new Error(`the agent at ${address} has no ${series}`);
  return Number(line.slice(series.length + 1));
}
