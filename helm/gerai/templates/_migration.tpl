{{/*
What brings a service's database to the newest schema, as its owner; takes a dict of root, name and service. Its
variables are literal: a hook's container has nothing of the release.
*/}}
{{- define "gerai.migrationContainer" -}}
{{- $command := list "python" "-m" .service.module "migrate" -}}
- name: migration
  image: {{ include "gerai.image" . | quote }}
  imagePullPolicy: {{ .root.Values.image.pullPolicy }}
  command: {{ ternary (include "gerai.retried" $command) (toJson $command) .root.Values.inCluster.enabled }}
  securityContext:
    {{- include "gerai.containerSecurity" .root | nindent 4 }}
  env:
    {{- range $variable, $value := include "gerai.databaseConfig" (dict "root" .root "database" .service.database "user" .service.database.owner) | fromJson }}
    - name: {{ $variable }}
      value: {{ $value | quote }}
    {{- end }}
    {{- with .root.Values.trustBundle }}
    {{- if .configMap }}
    - name: SSL_CERT_FILE
      value: /etc/gerai/trust/{{ .key }}
    {{- end }}
    {{- end }}
    - name: DB_PASSWORD
      valueFrom:
        secretKeyRef:
          name: {{ include "gerai.ownerSecretName" . }}
          key: DB_PASSWORD
  resources:
    {{- toYaml .root.Values.migrations.resources | nindent 4 }}
  volumeMounts:
    - name: tmp
      mountPath: /tmp
    {{- include "gerai.trustMount" .root | nindent 4 }}
{{- end }}
