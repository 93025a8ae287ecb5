#!/bin/sh
# Puts the custom resources that the chart can make into a directory, out/bin by default, for
# test/charts/installed: those of the Prometheus operator, of cert-manager and of OpenShift, as
# their own modules define them. Needs Go, and no compiler.
set -eu
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
bin=${1:-$here/../../out/bin}
mkdir -p "$bin/chart-crds"
bin=$(CDPATH='' cd -- "$bin" && pwd)
# Of no module: each is asked for by its version.
cd "$bin"

# directory_of MODULE@VERSION: of its sources.
directory_of() {
  go mod download -json "$1" | sed -n 's/^.*"Dir": "\(.*\)".*$/\1/p'
}
operator=$(directory_of github.com/prometheus-operator/prometheus-operator@v0.85.0)
certificates=$(directory_of github.com/cert-manager/cert-manager@v1.21.2)
openshift=$(directory_of github.com/openshift/api@v0.0.0-20251020135558-286504b695bc)
for kind in podmonitors prometheusrules; do
  cp -f "$operator/example/prometheus-operator-crd/monitoring.coreos.com_$kind.yaml" chart-crds
done
cp -f "$certificates/deploy/crds/cert-manager.io_certificates.yaml" chart-crds
cp -f "$openshift"/security/v1/zz_generated.crd-manifests/*_securitycontextconstraints.crd.yaml \
  chart-crds/security.openshift.io_securitycontextconstraints.yaml
chmod -R u+w chart-crds
