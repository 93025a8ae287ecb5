// stevedore completion SHELL

import { EXIT } from '#engine/cli/exit-status.ts';
import { usageError } from '#engine/cli/option-values.ts';
import type { ClusterVerb } from './cluster-verb.ts';
import { COMPLETION_SCRIPTS, type Shell, SHELLS } from './completion-scripts.ts';

export const completion: ClusterVerb = Object.freeze({
  words: ['completion'],
  operands: '<shell>',
  summary: 'print what makes a shell complete words: bash, zsh, fish, or kubectl for the plugin',
  description:
    'Prints a script for bash, zsh or fish, or, with the word kubectl, the program ' +
    'kubectl_complete-stevedore by which kubectl 1.26 and later completes this plugin.',
  options: [],
  examples: [
    { command: '. <(stevedore completion bash)', text: 'in ~/.bashrc' },
    { command: 'stevedore completion zsh > "${fpath[1]}/_stevedore"', text: 'for zsh' },
    {
      command: 'stevedore completion kubectl > ~/bin/kubectl_complete-stevedore',
      text: 'for kubectl; make it executable',
    },
  ],
  prepare: ([shell = '']) => {
    const known = SHELLS.find(each => each === shell);
    if (known === undefined) {
      throw usageError(`'${shell}' is no shell that is known; give one of ${SHELLS.join(', ')}`);
    }
    return async ({ output }) => {
      await output.bytes(COMPLETION_SCRIPTS[known satisfies Shell]);
      return EXIT.done;
    };
  },
} satisfies ClusterVerb);
