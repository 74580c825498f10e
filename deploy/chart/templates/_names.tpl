{{/* The release's name, with the chart's in it. */}}
{{- define "foci.name" -}}
{{- if contains .Chart.Name .Release.Name -}}{{ .Release.Name | trunc 40 | trimSuffix "-" }}
{{- else -}}{{ printf "%s-%s" .Release.Name .Chart.Name | trunc 40 | trimSuffix "-" }}
{{- end -}}
{{- end -}}

{{/* What the release's pods have in common. */}}
{{- define "foci.selector" -}}
app.kubernetes.io/name: foci
app.kubernetes.io/instance: {{ .Release.Name | quote }}
{{- end -}}

{{/* Labels of an object. Arguments: the root, the component ("" for the whole cell). */}}
{{- define "foci.labels" -}}
{{- $root := index . 0 -}}
{{ include "foci.selector" $root }}
{{- with index . 1 }}
app.kubernetes.io/component: {{ . }}
{{- end }}
app.kubernetes.io/version: {{ $root.Values.image.tag | default $root.Chart.AppVersion | trunc 63 | trimAll "-_." | quote }}
app.kubernetes.io/managed-by: {{ $root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" $root.Chart.Name $root.Chart.Version | quote }}
{{- end -}}

{{/* The image of a service. Arguments: the root, the service. */}}
{{- define "foci.image" -}}
{{- $image := (index . 0).Values.image -}}
{{- $tag := (index (index . 0).Values.services (index . 1)).tag -}}
{{- with $image.registry }}{{ . }}/{{ end -}}
{{ $image.repository }}/{{ index . 1 }}:{{ coalesce $tag $image.tag (index . 0).Chart.AppVersion }}
{{- end -}}

{{/* A value as a setting reads it: whole numbers without exponent, lists and maps as JSON. */}}
{{- define "foci.setting" -}}
{{- if kindIs "string" . }}{{ . }}
{{- else if and (kindIs "float64" .) (eq (floor .) .) }}{{ printf "%.0f" . }}
{{- else if or (kindIs "slice" .) (kindIs "map" .) }}{{ toJson . }}
{{- else }}{{ toString . }}
{{- end -}}
{{- end -}}
