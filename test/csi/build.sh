#!/bin/sh
# Builds what test/csi needs beyond test/cluster into a directory, out/bin by default: the snapshot
# controller and the sidecars of Kubernetes CSI (the tools of go.mod), the CRDs of snapshots, and the
# two protocols that a driver speaks, as their own modules have them. Needs Go 1.26.
set -eu
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
bin=${1:-$here/../../out/bin}
mkdir -p "$bin"
bin=$(CDPATH='' cd -- "$bin" && pwd)
export GOBIN="$bin" CGO_ENABLED=0
cd "$here"
go install -ldflags '-s -w' tool

# directory_of MODULE@VERSION: of its sources.
directory_of() {
  go mod download -json "$1" | sed -n 's/^.*"Dir": "\(.*\)".*$/\1/p'
}
snapshots=$(directory_of github.com/kubernetes-csi/external-snapshotter/client/v8)
specification=$(directory_of github.com/container-storage-interface/spec)
kubelet=$(directory_of k8s.io/kubelet@v0.36.3)
mkdir -p "$bin/snapshot-crds" "$bin/csi-protocols"
cp -f "$snapshots"/config/crd/*.storage.k8s.io_*.yaml "$bin/snapshot-crds"
cp -f "$specification/csi.proto" "$bin/csi-protocols/csi.proto"
cp -f "$kubelet/pkg/apis/pluginregistration/v1/api.proto" \
  "$bin/csi-protocols/pluginregistration.proto"
chmod -R u+w "$bin/snapshot-crds" "$bin/csi-protocols"
