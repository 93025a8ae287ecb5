// The settings of containerd, its network plugin and the kubelet, as texts.

import { dirname } from 'node:path';
import { clusterProgram } from './cluster-programs.ts';

/** Of the node, its pods, and the API as pods know it; all of them exist inside alone. */
export const NODE_ADDRESS = '10.88.0.1';
export const POD_NETWORK = '10.88.0.0/16';
export const API_SERVICE_ADDRESS = '10.96.0.1';
export const BRIDGE = 'pods0';
/**
 * Else a bridge has the lowest address of its ports, another one as pods come and go, and pods go
 * on sending to the one that they know, up to 45 s (neigh/base_reachable_time_ms). The plugin sees
 * to it only where it gives the bridge its IP address, which we do.
 */
export const BRIDGE_MAC = '0a:58:0a:58:00:01';
export const NODE_NAME = 'node1';
export const PAUSE_IMAGE = 'test.local/pause:1';
export const CONTAINERD_SOCKET = '/run/containerd/containerd.sock';
export const NETWORK_SETTINGS = '/run/network-plugins';

export function containerdSettings(): string {
  return `
version = 3
root = "/var/lib/containerd"
state = "/run/containerd"
[grpc]
  address = "${CONTAINERD_SOCKET}"
[plugins.'io.containerd.cri.v1.images'.pinned_images]
  sandbox = "${PAUSE_IMAGE}"
[plugins.'io.containerd.cri.v1.runtime']
  # Not everybody who is root may make the kernel spare a process.
  restrict_oom_score_adj = true
  [plugins.'io.containerd.cri.v1.runtime'.cni]
    bin_dirs = ["${dirname(clusterProgram('bridge'))}"]
    conf_dir = "${NETWORK_SETTINGS}"
  [plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.runc]
    runtime_type = "io.containerd.runc.v2"
    [plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.runc.options]
      BinaryName = "${clusterProgram('bare-runc')}"
      SystemdCgroup = false
`;
}

/** Pods reach the node, where all servers are, and nothing else. */
export function networkSettings(): string {
  const ipam = {
    type: 'host-local',
    dataDir: '/var/lib/cni',
    ranges: [[{ subnet: POD_NETWORK }]],
    routes: [{ dst: '0.0.0.0/0' }],
  };
  const bridge = { type: 'bridge', bridge: BRIDGE, isGateway: true, ipam };
  return JSON.stringify({ cniVersion: '1.0.0', name: 'pods', plugins: [bridge] });
}

/** Whoever reaches the kubelet may use it: nobody does from outside. */
export function kubeletSettings(controlGroup: string): string {
  return JSON.stringify({
    apiVersion: 'kubelet.config.k8s.io/v1beta1',
    kind: 'KubeletConfiguration',
    address: NODE_ADDRESS,
    authentication: { anonymous: { enabled: true }, webhook: { enabled: false } },
    authorization: { mode: 'AlwaysAllow' },
    containerRuntimeEndpoint: `unix://${CONTAINERD_SOCKET}`,
    cgroupRoot: `/${controlGroup}`,
    cgroupsPerQOS: true,
    cgroupDriver: 'cgroupfs',
    failCgroupV1: false,
    failSwapOn: false,
    makeIPTablesUtilChains: false,
    resolvConf: '',
    volumePluginDir: '/var/lib/kubelet/volume-plugins',
    syncFrequency: '10s',
    nodeStatusUpdateFrequency: '10s',
    // The disk is the machine's, and may be nearly full. Images come from no registry: one that the
    // kubelet removes, which it does every five minutes by default from 85 % on (pkg/kubelet
    // ImageGCPeriod), would never come back.
    evictionHard: { 'memory.available': '100Mi', 'nodefs.available': '100Mi' },
    imageGCHighThresholdPercent: 100,
  });
}
