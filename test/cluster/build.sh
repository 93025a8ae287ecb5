#!/bin/sh
# Builds what a cluster consists of into a directory, out/bin by default, for test/cluster and
# test/velero: Kubernetes and etcd, Velero and the CRDs of each Velero that we serve, Helm, containerd
# with what it runs. Needs Go 1.26, and a C compiler for runc, which is left out where there is none.
set -eu
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
bin=${1:-$here/../../out/bin}
mkdir -p "$bin"
bin=$(CDPATH='' cd -- "$bin" && pwd)
export GOBIN="$bin" CGO_ENABLED=0

version=k8s.io/component-base/version
cd "$here/kubernetes"
go install -ldflags "-s -w -X $version.gitVersion=v1.36.3 -X $version.gitMajor=1 \
  -X $version.gitMinor=36" tool
# Its package is called so.
mv "$bin/server" "$bin/etcd"

buildinfo=github.com/vmware-tanzu/velero/pkg/buildinfo
cd "$here/velero"
go install -tags nohtmlui -ldflags "-s -w -X $buildinfo.Version=v1.18.1" tool
for release in v1.16.2 v1.17.2 v1.18.1; do
  sources=$(go mod download -json "github.com/vmware-tanzu/velero@$release" |
    sed -n 's/^.*"Dir": "\(.*\)".*$/\1/p')
  mkdir -p "$bin/velero-crds/$release"
  cp -f "$sources"/config/crd/*/bases/*.yaml "$bin/velero-crds/$release"
  chmod -R u+w "$bin/velero-crds/$release"
done

cd "$here/helm"
go install -ldflags '-s -w' tool

cd "$here/containerd"
runc=github.com/opencontainers/runc
go list tool | grep -vxF "$runc" |
  xargs go install -tags 'no_btrfs no_devmapper no_zfs' -ldflags '-s -w'
# What enters namespaces in there is written in C: it does not compile without. No libseccomp: see
# bare-runc.
if command -v "${CC:-cc}" >/dev/null; then
  CGO_ENABLED=1 go install -ldflags '-s -w' "$runc"
else
  echo 'there is no C compiler here for runc'
fi
