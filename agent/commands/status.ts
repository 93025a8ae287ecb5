// stevedore status

import { EXIT } from '#engine/cli/exit-status.ts';
import { type ClusterVerb, VELERO_NAMESPACE } from './cluster-verb.ts';
import { statusFacts } from './status-facts.ts';
import { statusDocument, statusText } from './status-report.ts';
import { givenNamespace, veleroNamespace } from './velero-namespace.ts';

export const status: ClusterVerb = Object.freeze({
  words: ['status'],
  operands: '',
  summary: 'show on one screen how agents, controller, storage, moves and caches stand',
  description:
    'What has to be looked at has a ! before it: agents and storage that are not ready, moves ' +
    'that failed within a day, with what to do. Then what moves, what waits and why, and caches. ' +
    'The controller is asked through the API server where there is one; without it, and with ' +
    'rights to read alone, what could not be seen is said.',
  options: [VELERO_NAMESPACE],
  examples: [
    { command: 'kubectl stevedore status', text: 'what is the matter' },
    {
      command: "kubectl stevedore status -o json | jq -r '.failed[] | .advice'",
      text: 'what to do about moves that failed',
    },
  ],
  prepare: (_operands, options) => {
    const given = givenNamespace(options);
    return async session => {
      const namespace = veleroNamespace(given, session);
      const facts = await session.withCluster(cluster => statusFacts(session, cluster, namespace));
      await session.output.report(statusDocument(facts), () => statusText(facts, session.columns));
      return EXIT.done;
    };
  },
} satisfies ClusterVerb);
