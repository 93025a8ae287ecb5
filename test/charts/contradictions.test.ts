// Values that contradict one another are refused, each with a sentence that says which to change.
// Those of one row are all named at once: helm is asked once for each row.

import t from 'tap';
import { helmIsMissing, renderChart } from './helm.ts';

const skip = helmIsMissing();
const IMAGE = '--set=image.repository=registry.example/stevedore';

const ROWS: readonly (readonly [values: readonly string[], sentences: readonly string[]])[] = [
  [
    ['cache.type=hostPath', 'cache.claim=shared', 'cache.storageClass=fast'],
    [
      'cache.type is hostPath and cache.hostPath is empty; give it',
      'cache.claim is for the type pvc and cache.type is hostPath; change one of them',
      'cache.storageClass is for the type ephemeral and cache.type is hostPath; change',
    ],
  ],
  [
    ['cache.type=pvc', 'cache.hostPath=/mnt', 'controller.tls.type=secret'],
    [
      'cache.type is pvc and cache.claim is empty; give it',
      'cache.hostPath is for the type hostPath and cache.type is pvc; change one of them',
      'controller.tls.type is secret and controller.tls.secretName is empty; name the Secret',
    ],
  ],
  [
    ['controller.tls.type=certManager', 'controller.annotator.enabled=true'],
    [
      'controller.tls.issuerRef.name is empty; name the issuer',
      'controller.annotator.enabled is for the controller and controller.enabled is false; change',
    ],
  ],
  [
    [
      'controller.tls.issuerRef.name=mine',
      'controller.preCopy.enabled=true',
      'nodeAgent.besideStock=true',
      'metrics.controllerPodMonitor.enabled=true',
    ],
    [
      'controller.tls.issuerRef is for the type certManager and controller.tls.type is generated',
      'controller.preCopy.enabled is for the controller and controller.enabled is false; change',
      "stay with Velero's agent where nodeAgent.besideStock is true; set one of them to false",
      'metrics.controllerPodMonitor.enabled is for the controller and controller.enabled is false',
    ],
  ],
  [
    [
      'nodeAgent.networkPolicy.enabled=false',
      'nodeAgent.networkPolicy.egress.enabled=true',
      'nodeAgent.networkPolicy.metricsFrom[0].podSelector.matchLabels.a=b',
      'nodeAgent.seLinux.type=spc_t',
      'nodeAgent.podSecurityContext.seLinuxOptions.type=spc_t',
      'nodeAgent.containerSecurityContext.capabilities.add={SYS_PTRACE}',
      'nodeAgent.immutableFlags=true',
    ],
    [
      'egress.enabled needs nodeAgent.networkPolicy.enabled; set it to true',
      'nodeAgent.networkPolicy.metricsFrom needs nodeAgent.networkPolicy.enabled; set it to true',
      'podSecurityContext.seLinuxOptions are the same; leave one of them out',
      'set these to false and name SYS_ADMIN and LINUX_IMMUTABLE there',
    ],
  ],
  [
    [
      'priorityClass.create=true',
      'nodeAgent.priorityClassName=mine',
      'openshift.scc.create=true',
      'openshift.scc.existing=privileged',
      'serviceAccount.create=false',
      'metrics.port=9085',
    ],
    [
      'priorityClass.create makes a class that no pod has',
      'openshift.scc.create and openshift.scc.existing are one in place of the other; leave one',
      'openshift.scc is for OpenShift and openshift.enabled is false; set it to true',
      'metrics.port is 9085 and prometheus.io/port of metrics.podAnnotations is 8085; make them',
      'every pod of the namespace would get the rights of the agent; name another',
    ],
  ],
  [
    [
      'controller.enabled=true',
      'controller.port=8085',
      'serviceAccount.name=stevedore-controller',
      'priorityClass.name=backups',
      'cache.type=hostPath',
      'cache.hostPath=/var/lib/kubelet//plugins/cache',
    ],
    [
      'controller.port and metrics.port are both 8085; change one of them',
      'serviceAccount.name is stevedore-controller, which is that of the controller; give',
      'priorityClass.name is of the class that priorityClass.create makes, which is false; set',
      "is the kubelet's by nodeAgent.pluginVolumePath; name a directory of its own",
    ],
  ],
  [
    ['controller.enabled=true', 'controller.annotator.dryRun=true'],
    ['controller.annotator.dryRun needs controller.annotator.enabled; set it to true as well'],
  ],
  [
    // Every pod of the namespace could speak to the controller as an agent.
    ['rbac.create=false', 'serviceAccount.create=false', 'controller.enabled=true'],
    ['would get the rights of the agent; name another'],
  ],
  [
    [
      'controller.enabled=true',
      'controller.port=9000',
      'controller.configuration.statusAddress=127.0.0.1:9000',
    ],
    ['controller.port and the port of controller.configuration.statusAddress are both 9000'],
  ],
];

for (const [values, sentences] of ROWS) {
  t.test(`refused: ${values.join(', ')}`, { skip }, async t => {
    let said = '';
    try {
      renderChart(IMAGE, ...values.map(value => `--set=${value}`));
    } catch (error) {
      said = String(error);
    }
    for (const sentence of sentences) t.match(said, sentence);
  });
}
