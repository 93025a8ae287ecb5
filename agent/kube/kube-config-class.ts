// What is used of @kubernetes/client-node, in the only file that imports it. A file of its own, so
// that a bundle holds what is reached from here: of the package as a whole it would hold 17 MB.

export { KubeConfig } from '@kubernetes/client-node';
