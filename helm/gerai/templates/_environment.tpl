{{/*
The variables of a service that are no secret. Names and meanings are those of .env.example. Takes a dict of
root, name and service.
*/}}
{{- define "gerai.config" -}}
{{- $values := .root.Values -}}
{{- $variables := dict
  "SERVICE_HOST" "0.0.0.0"
  "SERVICE_PORT" .service.port
  "SERVICE_ENDPOINT_V" $values.endpointPrefix
  "SERVICE_ENVIRONMENT" $values.environment
  "SERVICE_DRAIN_SECONDS" $values.shutdown.drainSeconds
  "LOG_FORMAT" $values.log.format
  "LOG_LEVEL" $values.log.level
  "JWT_ALGORITHM" $values.tokens.algorithm
  "JWT_ISSUER" $values.tokens.issuer
  "JWT_AUDIENCE" $values.tokens.audience
-}}
{{- with .service.metricsPort }}{{ $_ := set $variables "METRICS_PORT" . }}{{ end -}}
{{- with $values.tracing.endpoint }}{{ $_ := set $variables "OTEL_EXPORTER_OTLP_ENDPOINT" . }}{{ end -}}
{{- if not (kindIs "invalid" $values.tracing.ratio) }}{{ $_ := set $variables "OTEL_TRACES_SAMPLER_ARG" $values.tracing.ratio }}{{ end -}}
{{- range .service.calls }}
{{- $_ := set $variables (printf "%s_URL" (upper .)) (include "gerai.url" (dict "root" $.root "name" .)) -}}
{{- end -}}
{{- with .service.database }}
{{- $_ := mustMergeOverwrite $variables (include "gerai.databaseConfig" (dict "root" $.root "database" . "user" .user) | fromJson) -}}
{{- $_ = set $variables "DB_POOL_SIZE" $values.database.poolSize -}}
{{- if and $values.database.readHost (not $values.inCluster.enabled) }}{{ $_ := set $variables "DB_READ_HOST" $values.database.readHost }}{{ end -}}
{{- end -}}
{{- if .service.redis }}
{{- $_ := set $variables "REDIS_HOST" (include "gerai.redisHost" .root) -}}
{{- $_ = set $variables "REDIS_PORT" $values.redis.port -}}
{{- $_ = set $variables "REDIS_DB" $values.redis.db -}}
{{- $_ = set $variables "REDIS_TLS" $values.redis.tls -}}
{{- end -}}
{{- if include "gerai.keyFiles" . }}
{{- $_ := set $variables "JWT_KEY_FILE" (printf "/etc/gerai/keys/%s" .service.signingKeys.current) -}}
{{- with .service.signingKeys.previous }}
{{- $_ := set $variables "JWT_PREVIOUS_KEY_FILES" (printf "/etc/gerai/keys/%s" (join ",/etc/gerai/keys/" .)) -}}
{{- end -}}
{{- end -}}
{{- if $values.trustBundle.configMap }}{{ $_ := set $variables "SSL_CERT_FILE" (printf "/etc/gerai/trust/%s" $values.trustBundle.key) }}{{ end -}}
{{- range $name, $value := mustMergeOverwrite $variables .service.config }}
{{ $name }}: {{ $value | toString | quote }}
{{- end }}
{{- end }}

{{/* How a role reaches its database, as JSON; takes a dict of root, database and user. */}}
{{- define "gerai.databaseConfig" -}}
{{- $server := .root.Values.database -}}
{{- dict
  "DB_HOST" (include "gerai.databaseHost" .root)
  "DB_PORT" ($server.port | toString)
  "DB_NAME" .database.name
  "DB_USER" .user
  "DB_SSLMODE" $server.sslmode
  | toJson -}}
{{- end }}

{{/* The keys of a service's Secret that become variables, as JSON; takes a dict of root and service. */}}
{{- define "gerai.secretKeys" -}}
{{- $keys := .service.secretKeys -}}
{{- if and .service.redis (or .root.Values.redis.password .root.Values.inCluster.enabled) }}{{ $keys = append $keys "REDIS_PASSWORD" }}{{ end -}}
{{- if eq .root.Values.tokens.algorithm "HS256" }}{{ $keys = append $keys "JWT_SECRET" }}{{ end -}}
{{- $keys | uniq | sortAlpha | toJson -}}
{{- end }}

{{/* The keys of a service's Secret that become files, as JSON, or nothing; takes a dict of root and service. */}}
{{- define "gerai.keyFiles" -}}
{{- if and (eq .root.Values.tokens.algorithm "EdDSA") .service.signingKeys -}}
{{- prepend (.service.signingKeys.previous | default list) .service.signingKeys.current | toJson -}}
{{- end -}}
{{- end }}
