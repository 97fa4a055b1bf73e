{{/* What every pod of the chart is confined to. */}}
{{- define "gerai.podSecurity" -}}
runAsNonRoot: true
runAsUser: 65532
runAsGroup: 65532
fsGroup: 65532
seccompProfile:
  type: RuntimeDefault
{{- end }}

{{- define "gerai.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end }}

{{- define "gerai.pullSecrets" -}}
{{- with .Values.image.pullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . }}
  {{- end }}
{{- end }}
{{- end }}

{{/* The volume of the certificates that are trusted, and its mount. */}}
{{- define "gerai.trustVolume" -}}
{{- with .Values.trustBundle.configMap }}
- name: trust
  configMap:
    name: {{ . }}
{{- end }}
{{- end }}
{{- define "gerai.trustMount" -}}
{{- if .Values.trustBundle.configMap }}
- name: trust
  mountPath: /etc/gerai/trust
  readOnly: true
{{- end }}
{{- end }}

{{/* The time between being asked to end and being killed; longer than all that happens meanwhile. */}}
{{- define "gerai.shutdownSeconds" -}}
{{- with .Values.shutdown -}}
{{- add .preStopSeconds .drainSeconds 22 .marginSeconds -}}
{{- end -}}
{{- end }}
