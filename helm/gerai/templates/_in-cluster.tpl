{{/* Where the servers are: in the release or outside. */}}
{{- define "gerai.databaseHost" -}}
{{- ternary (printf "%s-postgres" (include "gerai.fullname" .)) .Values.database.host .Values.inCluster.enabled -}}
{{- end }}
{{- define "gerai.redisHost" -}}
{{- ternary (printf "%s-redis" (include "gerai.fullname" .)) .Values.redis.host .Values.inCluster.enabled -}}
{{- end }}

{{/* Who they are to a network policy. */}}
{{- define "gerai.databasePeers" -}}
{{- if .Values.inCluster.enabled -}}
{{- include "gerai.peer" (dict "root" . "component" "postgres") -}}
{{- else -}}
{{- toYaml .Values.networkPolicies.database -}}
{{- end -}}
{{- end }}
{{- define "gerai.redisPeers" -}}
{{- if .Values.inCluster.enabled -}}
{{- include "gerai.peer" (dict "root" . "component" "redis") -}}
{{- else -}}
{{- toYaml .Values.networkPolicies.redis -}}
{{- end -}}
{{- end }}

{{/* Whether migrations run before a pod's process instead of before the release. */}}
{{- define "gerai.migratesInPods" -}}
{{- if and .Values.inCluster.enabled .Values.migrations.enabled }}yes{{ end -}}
{{- end }}

{{/*
A command, again and again until it succeeds, for two minutes: its server may still be starting, and Kubernetes would
wait longer each time. Takes the command.
*/}}
{{- define "gerai.retried" -}}
{{- $loop := `for attempt in $(seq 60); do "$@" && exit; sleep 2; done; exit 1` -}}
{{- concat (list "sh" "-c" $loop "retry") . | toJson -}}
{{- end }}

{{/* What is common to the pods of both servers; takes a dict of root and component. */}}
{{- define "gerai.serverPod" -}}
serviceAccountName: {{ include "gerai.fullname" .root }}-in-cluster
automountServiceAccountToken: false
enableServiceLinks: false
{{- include "gerai.pullSecrets" .root }}
terminationGracePeriodSeconds: 60
securityContext:
  runAsNonRoot: true
  # The user of either image.
  runAsUser: 999
  runAsGroup: 999
  fsGroup: 999
  fsGroupChangePolicy: OnRootMismatch
  seccompProfile:
    type: RuntimeDefault
{{- with .root.Values.defaults.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .root.Values.defaults.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{/* Its data: a claim for each server, which outlives the release. Nothing of this can change later. */}}
{{- define "gerai.serverClaim" -}}
- metadata:
    name: data
    labels:
      {{- include "gerai.selector" .root | nindent 6 }}
  spec:
    {{- include "gerai.claimSpec" (dict "accessMode" "ReadWriteOnce" "class" .server.storageClassName "size" .server.size) | nindent 4 }}
{{- end }}

{{/* A Service of a server; takes a dict of root, component and port. */}}
{{- define "gerai.serverService" -}}
apiVersion: v1
kind: Service
metadata:
  name: {{ include "gerai.fullname" .root }}-{{ .component }}
  namespace: {{ .root.Release.Namespace }}
  labels:
    {{- include "gerai.labels" . | nindent 4 }}
spec:
  type: ClusterIP
  selector:
    {{- include "gerai.selector" .root | nindent 4 }}
    app.kubernetes.io/component: {{ .component }}
  ports:
    - name: {{ .component }}
      port: {{ .port }}
      targetPort: {{ .component }}
{{- end }}
