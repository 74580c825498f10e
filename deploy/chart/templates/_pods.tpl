{{/* What every pod has: no root, no privileges, no token, nothing writable but /tmp. */}}
{{- define "foci.pod" -}}
automountServiceAccountToken: false
# Variables like BOOKING_PORT that Kubernetes makes for a Service named so are not settings.
enableServiceLinks: false
{{- with .Values.image.pullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
securityContext:
  runAsNonRoot: true
  runAsUser: 10001
  runAsGroup: 10001
  seccompProfile: {type: RuntimeDefault}
volumes:
  - name: tmp
    emptyDir: {sizeLimit: 64Mi}
  {{- with .Values.nats.caSecret }}
  - name: nats-ca
    secret: {secretName: {{ . }}, items: [{key: ca.crt, path: ca.crt}]}
  {{- end }}
{{- end -}}

{{/* What every container has besides. */}}
{{- define "foci.container" -}}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities: {drop: [ALL]}
volumeMounts:
  - {name: tmp, mountPath: /tmp}
  {{- if .Values.nats.caSecret }}
  - {name: nats-ca, mountPath: /etc/foci/nats, readOnly: true}
  {{- end }}
{{- end -}}

{{/* Settings of a process. Arguments: the root, the service's name. */}}
{{- define "foci.environment" -}}
{{- $root := index . 0 -}}
{{- $name := index . 1 -}}
{{- $service := index $root.Values.services $name -}}
{{- $prefix := upper $name -}}
{{- $known := dict "CELL" $root.Values.cell "NATS_URL" $root.Values.nats.url "HTTP_HOST" "0.0.0.0" "HTTP_PORT" "8080" -}}
{{- if $root.Values.nats.caSecret -}}
{{- $_ := set $known "NATS_CA" "/etc/foci/nats/ca.crt" -}}
{{- end -}}
{{- if eq $name "gateway" -}}
{{- $_ := set $known "PUBLIC_URL" $root.Values.publicUrl -}}
{{- with $root.Values.nats.operatorsUrl -}}
{{- $_ := set $known "OPERATORS_NATS_URL" . -}}
{{- end -}}
{{- end -}}
{{- if eq $name "notify" -}}
{{- $mail := $root.Values.mail -}}
{{- $_ := set $known "PUBLIC_URL" $root.Values.publicUrl -}}
{{- $_ := set $known "SMTP_HOST" $mail.host -}}
{{- $_ := set $known "SMTP_PORT" $mail.port -}}
{{- $_ := set $known "SMTP_TLS" $mail.tls -}}
{{- $_ := set $known "MAIL_FROM" $mail.from -}}
{{- $_ := set $known "MAIL_DOMAIN" (splitList "@" $mail.from | last) -}}
{{- end -}}
{{- range $setting, $value := $service.settings }}
{{- $_ := set $known $setting $value -}}
{{- end -}}
{{- range $setting, $value := $known }}
{{- if not (hasKey $service.fromSecret $setting) }}
- name: {{ $prefix }}_{{ $setting }}
  value: {{ include "foci.setting" $value | quote }}
{{- end }}
{{- end }}
{{- include "foci.secrets" (list $prefix $service) }}
{{- include "foci.process" $root }}
{{- end -}}

{{/* Settings that stand in an existing Secret. Arguments: the prefix, an object with `secret` and `fromSecret`. */}}
{{- define "foci.secrets" -}}
{{- $prefix := index . 0 -}}
{{- $from := index . 1 -}}
{{- range $setting, $key := $from.fromSecret }}
- name: {{ $prefix }}_{{ $setting }}
  valueFrom:
    secretKeyRef: {name: {{ $from.secret | quote }}, key: {{ $key | quote }}}
{{- end }}
{{- end -}}

{{/* What is the same for all processes: telemetry, and whatever the installation says. */}}
{{- define "foci.process" -}}
{{- $all := dict -}}
{{- with .Values.telemetry -}}
{{- if .endpoint -}}
{{- $all = dict "OTEL_EXPORTER_OTLP_ENDPOINT" .endpoint "OTEL_TRACES_SAMPLER" "parentbased_traceidratio" "OTEL_TRACES_SAMPLER_ARG" .sampled -}}
{{- end -}}
{{- end -}}
{{- range $name, $value := .Values.environment -}}
{{- $_ := set $all $name $value -}}
{{- end -}}
{{- range $name, $value := $all }}
- name: {{ $name }}
  value: {{ include "foci.setting" $value | quote }}
{{- end }}
{{- end -}}

{{/* "yes" where the service is scaled by something, so that a release does not set the number of its pods back. */}}
{{- define "foci.scaled" -}}
{{- $root := index . 0 -}}
{{- $name := index . 1 -}}
{{- if (index $root.Values.services $name).autoscaling.enabled }}yes
{{- else if and $root.Values.keda.enabled (include "foci.consumers" (list $root $name)) }}yes
{{- end -}}
{{- end -}}

{{/* The durable consumers of a service, as YAML; empty where it has none. Arguments: the root, the service. */}}
{{- define "foci.consumers" -}}
{{- with get ((index . 0).Files.Get "files/consumers.yaml" | fromYaml) (index . 1) }}{{ toYaml . }}{{ end -}}
{{- end -}}
