{{/* Names and labels. Role templates take (dict "root" $ "role" "decode"). */}}

{{- define "baton.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 40 | trimSuffix "-" }}
{{- end }}

{{- define "baton.fullname" -}}
{{- if .Values.fullnameOverride }}
{{- .Values.fullnameOverride | trunc 40 | trimSuffix "-" }}
{{- else if contains (include "baton.name" .) .Release.Name }}
{{- .Release.Name | trunc 40 | trimSuffix "-" }}
{{- else }}
{{- printf "%s-%s" .Release.Name (include "baton.name" .) | trunc 40 | trimSuffix "-" }}
{{- end }}
{{- end }}

{{- define "baton.roleName" -}}
{{ include "baton.fullname" .root }}-{{ .role }}
{{- end }}

{{- define "baton.selector" -}}
app.kubernetes.io/name: {{ include "baton.name" .root }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .role }}
{{- end }}

{{- define "baton.labels" -}}
{{ include "baton.selector" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
app.kubernetes.io/part-of: baton
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version | replace "+" "_" }}
{{- with .root.Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- define "baton.serviceAccount" -}}
{{- if .Values.serviceAccount.create }}
{{- default (include "baton.fullname" .) .Values.serviceAccount.name }}
{{- else }}
{{- default "default" .Values.serviceAccount.name }}
{{- end }}
{{- end }}

{{- define "baton.image" -}}
{{ .Values.image.repository }}:{{ default .Chart.AppVersion .Values.image.tag }}
{{- end }}

{{/* What the name of a tier resolves to is every ready pod of it: its Service is headless. */}}
{{- define "baton.tierAddress" -}}
{{ include "baton.roleName" . }}.{{ .root.Release.Namespace }}.svc:{{ .root.Values.ports.grpc }}
{{- end }}

{{- define "baton.tlsSecret" -}}
{{- $given := index .root.Values.tls.secrets .role }}
{{- if .root.Values.tls.certManager.enabled }}
{{- include "baton.roleName" . }}-tls
{{- else }}
{{- required (printf "tls.secrets.%s: expected the name of a Secret with tls.crt, tls.key and ca.crt, because tls.enabled is true and tls.certManager.enabled is not" .role) $given }}
{{- end }}
{{- end }}

{{/* Endpoints need a moment to forget a pod; new calls that still arrive meanwhile are served. */}}
{{- define "baton.preStopSeconds" -}}
{{- min 10 (max 1 (div (int .Values.drain.seconds) 6)) }}
{{- end }}

{{/* preStop, then the drain, then what the JVM needs to close files and flush traces. */}}
{{- define "baton.graceSeconds" -}}
{{- add (include "baton.preStopSeconds" . | int) (int .Values.drain.seconds) 10 }}
{{- end }}
