{{/* The command line of a role. The image's entry point is the JVM with its flags, so these are all arguments. */}}
{{- define "baton.args" -}}
{{- $values := .root.Values -}}
- {{ .role }}
- --host=0.0.0.0
- --port={{ $values.ports.grpc }}
- --health-port={{ $values.ports.health }}
{{- if eq .role "gateway" }}
- --decode-nodes={{ include "baton.tierAddress" (dict "root" .root "role" "decode") }}
{{- end }}
{{- if ne .role "prefill" }}
- --prefill-nodes={{ include "baton.tierAddress" (dict "root" .root "role" "prefill") }}
{{- end }}
{{- if eq .role "decode" }}
- --advertise=$(POD_IP):{{ $values.ports.grpc }}
{{- end }}
{{- if $values.model.existingClaim }}
- --model=/models/{{ required "model.path: expected the path of the model within the claim, because model.existingClaim is set" $values.model.path }}
{{- end }}
- --drain-limit={{ $values.drain.seconds }}s
{{- if $values.metrics.enabled }}
- --metrics-host=0.0.0.0
- --metrics-port={{ $values.ports.metrics }}
{{- end }}
{{- with $values.telemetry.otlpEndpoint }}
- --otlp-endpoint={{ . }}
- --otlp-sample-ratio={{ $values.telemetry.sampleRatio }}
{{- end }}
{{- if $values.tls.enabled }}
- --tls-certificate=/etc/baton/tls/tls.crt
- --tls-key=/etc/baton/tls/tls.key
- --tls-trust=/etc/baton/tls/ca.crt
- --tls-release={{ include "baton.fullname" .root }}
{{- else }}
- --insecure
{{- end }}
{{- if $values.settings }}
- --config=/etc/baton/settings/settings.yaml
{{- end }}
{{- range (index $values .role).extraArgs }}
- {{ . | quote }}
{{- end }}
{{- end }}

{{/* The health port is plaintext and serves nothing else, so probes need no certificate. */}}
{{- define "baton.probes" -}}
{{- $values := .root.Values -}}
startupProbe:
  grpc: {port: {{ $values.ports.health }}, service: liveness}
  periodSeconds: 2
  failureThreshold: {{ div (add (index $values .role).startupSeconds 1) 2 }}
readinessProbe:
  grpc: {port: {{ $values.ports.health }}, service: readiness}
  periodSeconds: 2
  failureThreshold: 2
  timeoutSeconds: 2
livenessProbe:
  grpc: {port: {{ $values.ports.health }}, service: liveness}
  periodSeconds: 10
  failureThreshold: 6
  timeoutSeconds: 5
{{- end }}

{{- define "baton.podTemplate" -}}
{{- $values := .root.Values -}}
{{- $own := index $values .role }}
metadata:
  labels:
    {{- include "baton.labels" . | nindent 4 }}
    {{- with $own.podLabels }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  annotations:
    kubectl.kubernetes.io/default-container: baton
    {{- if $values.settings }}
    checksum/settings: {{ toYaml $values.settings | sha256sum }}
    {{- end }}
    {{- with $own.podAnnotations }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
spec:
  serviceAccountName: {{ include "baton.serviceAccount" .root }}
  automountServiceAccountToken: false
  # Variables of other Services would look like settings.
  enableServiceLinks: false
  terminationGracePeriodSeconds: {{ include "baton.graceSeconds" .root }}
  securityContext:
    {{- toYaml $values.podSecurityContext | nindent 4 }}
  {{- with $values.imagePullSecrets }}
  imagePullSecrets:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with $own.priorityClassName }}
  priorityClassName: {{ . }}
  {{- end }}
  {{- with $own.nodeSelector }}
  nodeSelector:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with $own.tolerations }}
  tolerations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with $own.affinity }}
  affinity:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  topologySpreadConstraints:
    {{- if $own.topologySpreadConstraints }}
    {{- toYaml $own.topologySpreadConstraints | nindent 4 }}
    {{- else }}
    {{- $pod := . }}
    {{- range list "kubernetes.io/hostname" "topology.kubernetes.io/zone" }}
    - topologyKey: {{ . }}
      maxSkew: 1
      whenUnsatisfiable: ScheduleAnyway
      labelSelector:
        matchLabels:
          {{- include "baton.selector" $pod | nindent 10 }}
    {{- end }}
    {{- end }}
  containers:
    - name: baton
      image: {{ include "baton.image" .root | quote }}
      imagePullPolicy: {{ $values.image.pullPolicy }}
      args:
        {{- include "baton.args" . | nindent 8 }}
      env:
        - name: POD_IP
          valueFrom:
            fieldRef:
              fieldPath: status.podIP
        - name: JAVA_TOOL_OPTIONS
          value: -XX:MaxRAMPercentage={{ $own.heapPercent }} -XX:+ExitOnOutOfMemoryError
        {{- if eq .role "gateway" }}
        - name: BATON_CLUSTER_KEY
          valueFrom:
            secretKeyRef:
              name: {{ $values.clusterKey.existingSecret | default (printf "%s-cluster-key" (include "baton.fullname" .root)) }}
              key: cluster-key
        {{- end }}
        {{- with $own.extraEnv }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
      ports:
        - name: grpc
          containerPort: {{ $values.ports.grpc }}
        - name: health
          containerPort: {{ $values.ports.health }}
        {{- if $values.metrics.enabled }}
        - name: metrics
          containerPort: {{ $values.ports.metrics }}
        {{- end }}
      {{- include "baton.probes" . | nindent 6 }}
      lifecycle:
        preStop:
          sleep:
            seconds: {{ include "baton.preStopSeconds" .root }}
      resources:
        {{- toYaml $own.resources | nindent 8 }}
      securityContext:
        {{- toYaml $values.securityContext | nindent 8 }}
      volumeMounts:
        - name: scratch
          mountPath: /tmp
        {{- if $values.model.existingClaim }}
        - name: models
          mountPath: /models
          readOnly: true
        {{- end }}
        {{- if $values.settings }}
        - name: settings
          mountPath: /etc/baton/settings
          readOnly: true
        {{- end }}
        {{- if $values.tls.enabled }}
        - name: tls
          mountPath: /etc/baton/tls
          readOnly: true
        {{- end }}
  volumes:
    - name: scratch
      emptyDir:
        sizeLimit: {{ $values.scratchSize }}
    {{- with $values.model.existingClaim }}
    - name: models
      persistentVolumeClaim:
        claimName: {{ . }}
        readOnly: true
    {{- end }}
    {{- if $values.settings }}
    - name: settings
      configMap:
        name: {{ include "baton.fullname" .root }}-settings
    {{- end }}
    {{- if $values.tls.enabled }}
    - name: tls
      secret:
        secretName: {{ include "baton.tlsSecret" . }}
        defaultMode: 288 # 0440
    {{- end }}
{{- end }}
