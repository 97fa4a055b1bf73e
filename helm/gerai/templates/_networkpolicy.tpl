{{/* A way to the name servers, for every pod. */}}
{{- define "gerai.dnsEgress" -}}
- to:
    {{- toYaml .Values.networkPolicies.dns | nindent 4 }}
  ports:
    - {protocol: UDP, port: 53}
    - {protocol: TCP, port: 53}
{{- end }}

{{/* A way to the database. */}}
{{- define "gerai.databaseEgress" -}}
- to:
    {{- include "gerai.databasePeers" . | nindent 4 }}
  ports:
    - {protocol: TCP, port: {{ .Values.database.port }}}
{{- end }}

{{/* The pods of one component of this release; takes a dict of root and component. */}}
{{- define "gerai.peer" -}}
- podSelector:
    matchLabels:
      {{- include "gerai.selector" .root | nindent 6 }}
      app.kubernetes.io/component: {{ .component }}
{{- end }}
