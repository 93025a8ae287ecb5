{{- define "stevedore.serviceAccountName" -}}
{{- if .Values.serviceAccount.name -}}
{{ .Values.serviceAccount.name }}
{{- else if .Values.serviceAccount.create -}}
{{ printf "%s-node-agent" .Release.Name | trunc 63 | trimSuffix "-" }}
{{- else -}}
default
{{- end -}}
{{- end -}}

{{- /* Of what has no namespace, beside that of others: it may be longer than a label, and is not cut,
       as the ends are what tells names apart. */ -}}
{{- define "stevedore.ofCluster" -}}
{{ printf "%s-%s" (first .).Release.Namespace (last .) }}
{{- end -}}

{{- define "stevedore.labels" -}}
app.kubernetes.io/name: stevedore
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
component: velero
{{- end -}}

{{- define "stevedore.image" -}}
{{- $image := .Values.image -}}
{{- if $image.digest -}}
{{ $image.repository }}@{{ $image.digest }}
{{- else -}}
{{ $image.repository }}:{{ $image.tag | default .Chart.AppVersion }}
{{- end -}}
{{- end -}}

{{- /* A size of Kubernetes as the agent writes it: 20Gi is 20GiB. */ -}}
{{- define "stevedore.size" -}}
{{ . }}B
{{- end -}}

{{- /* A tenth more than the cache may take: the kubelet evicts whoever is above the sizeLimit. */ -}}
{{- define "stevedore.sizeLimit" -}}
{{- $count := regexFind "^[0-9]+" . | int64 -}}
{{- $unit := regexFind "[MGT]i$" . -}}
{{ mul $count 1127 }}{{ get (dict "Mi" "Ki" "Gi" "Mi" "Ti" "Gi") $unit }}
{{- end -}}

{{- /* A list of maps as one: of two values under one key the later one counts, also where it is false
       or empty, which Sprig's merge takes for not set. What lies deeper is replaced as a whole. */ -}}
{{- define "stevedore.over" -}}
{{- $all := dict -}}
{{- range . -}}
{{- range $key, $value := . -}}
{{- $_ := set $all $key $value -}}
{{- end -}}
{{- end -}}
{{- toYaml $all -}}
{{- end -}}

{{- /* Of the DaemonSet and the label `name` of its pods. Velero looks for the first, and for pods with
       role=node-agent; beside its own agent neither may be ours. */ -}}
{{- define "stevedore.agent.name" -}}
{{ ternary "stevedore-agent" "node-agent" .Values.nodeAgent.besideStock }}
{{- end -}}

{{- define "stevedore.agent.seLinux" -}}
{{- $usual := ternary (dict "type" "spc_t") dict .Values.openshift.enabled -}}
{{- with .Values.nodeAgent.seLinux | default $usual }}{{ toYaml . }}{{ end -}}
{{- end -}}

{{- /* What the container of the agent may: ours, or the user's in its place. */ -}}
{{- define "stevedore.agent.containerSecurityContext" -}}
{{- $agent := .Values.nodeAgent -}}
{{- $needed := list "CHOWN" "DAC_OVERRIDE" "FOWNER" "FSETID" "MKNOD" "SETFCAP" -}}
{{- if $agent.trustedAttributes }}{{ $needed = append $needed "SYS_ADMIN" }}{{ end -}}
{{- if $agent.immutableFlags }}{{ $needed = append $needed "LINUX_IMMUTABLE" }}{{ end -}}
{{- $capabilities := dict "drop" (list "ALL") "add" $needed -}}
{{- $own := dict "readOnlyRootFilesystem" true "allowPrivilegeEscalation" (default false $agent.containerSecurityContext.privileged) "capabilities" $capabilities -}}
{{- include "stevedore.over" (list $own $agent.containerSecurityContext) -}}
{{- end -}}

{{- define "stevedore.priorityClass" -}}
{{- $class := .Values.priorityClass -}}
{{- if $class.create -}}
{{ $class.name | default (include "stevedore.ofCluster" (list . .Release.Name)) }}
{{- end -}}
{{- end -}}

{{- /* Of the Deployment, its Service, ServiceAccount, ConfigMap and Lease. */ -}}
{{- define "stevedore.controller.name" -}}
{{ printf "%s-controller" .Release.Name | trunc 63 | trimSuffix "-" }}
{{- end -}}

{{- define "stevedore.controller.host" -}}
{{ include "stevedore.controller.name" . }}.{{ .Release.Namespace }}.svc
{{- end -}}

{{- define "stevedore.controller.tlsSecret" -}}
{{- $tls := .Values.controller.tls -}}
{{ $tls.secretName | default (printf "%s-tls" (include "stevedore.controller.name" . | trunc 59 | trimSuffix "-")) }}
{{- end -}}

{{- define "stevedore.controller.selector" -}}
app.kubernetes.io/name: stevedore-controller
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "stevedore.controller.labels" -}}
{{- $own := include "stevedore.controller.selector" . | fromYaml -}}
{{- include "stevedore.over" (list (include "stevedore.labels" . | fromYaml) $own) -}}
{{- end -}}

{{- /* The file of settings: what is "" is not said. */ -}}
{{- define "stevedore.controller.settings" -}}
{{- $said := dict -}}
{{- range $key, $value := .Values.controller.configuration -}}
{{- if ne (toString $value) "" -}}
{{- $_ := set $said $key $value -}}
{{- end -}}
{{- end -}}
{{- with .Values.controller.annotator -}}
{{- if .enabled -}}
{{- $_ := set $said "annotator" true -}}
{{- $_ := set $said "annotatorDryRun" .dryRun -}}
{{- $_ := set $said "annotatorRules" .rules -}}
{{- end -}}
{{- end -}}
{{- if .Values.controller.preCopy.enabled -}}
{{- $_ := set $said "preCopy" true -}}
{{- end -}}
{{- toYaml $said -}}
{{- end -}}
