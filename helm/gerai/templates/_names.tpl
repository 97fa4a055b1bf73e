{{/* What the names of all objects begin with. */}}
{{- define "gerai.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride -}}
{{- else if contains .Chart.Name .Release.Name -}}
{{- .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name .Chart.Name | trunc 40 | trimSuffix "-" -}}
{{- end -}}
{{- end }}

{{/* What tells pods of this release from all others. */}}
{{- define "gerai.selector" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{/* The labels of an object; takes a dict of root and component. */}}
{{- define "gerai.labels" -}}
{{ include "gerai.selector" .root }}
app.kubernetes.io/component: {{ .component }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/part-of: gerai
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version | replace "+" "_" }}
{{- end }}

{{/*
A service as the templates see it, as JSON: its own values over the defaults. Takes a dict of root and name.
*/}}
{{- define "gerai.service" -}}
{{- mustMergeOverwrite (deepCopy .root.Values.defaults) (get .root.Values.services .name) | toJson -}}
{{- end }}

{{/* The image of a service; takes a dict of root, name and service. */}}
{{- define "gerai.image" -}}
{{- $image := .root.Values.image -}}
{{- with $image.registry }}{{ . }}/{{ end -}}
{{- $image.repository }}/{{ .name -}}
{{- if .service.image.digest -}}
@{{ .service.image.digest }}
{{- else -}}
:{{ $image.tag | default .root.Chart.AppVersion }}
{{- end -}}
{{- end }}

{{/* The Secret of a service and that of its database's owner; take a dict of root, name and service. */}}
{{- define "gerai.secretName" -}}
{{- .service.secretName | default (printf "%s-%s" (include "gerai.fullname" .root) .name) -}}
{{- end }}
{{- define "gerai.ownerSecretName" -}}
{{- .service.database.ownerSecretName | default (printf "%s-%s-owner" (include "gerai.fullname" .root) .name) -}}
{{- end }}

{{/* The fewest pods that a service has; takes the service. */}}
{{- define "gerai.fewestPods" -}}
{{- ternary .autoscaling.minReplicas .replicas .autoscaling.enabled -}}
{{- end }}

{{/* Where a service is asked; takes a dict of root and name. */}}
{{- define "gerai.url" -}}
{{- $service := include "gerai.service" . | fromJson -}}
http://{{ include "gerai.fullname" .root }}-{{ .name }}:{{ $service.port }}
{{- end }}

{{/* The name of the port on which a service tells its metrics. */}}
{{- define "gerai.metricsPort" -}}
{{- ternary "metrics" "http" (hasKey . "metricsPort") -}}
{{- end }}
