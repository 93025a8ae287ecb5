// What is used of @kubernetes/client-node, in the only file that imports it. A file of its own, so
// that a bundle holds what is reached from here: of the package as a whole it would hold 17 MB. Its
// PortForward reaches all of it; what that goes by does not.

export { KubeConfig } from '@kubernetes/client-node';
export { WebSocketHandler } from '@kubernetes/client-node/dist/web-socket-handler.js';
