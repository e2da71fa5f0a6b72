{{/*
The containers of the sidecar. All of these take the root context and read .Values.wsproxy.
*/}}

{{/* For `initContainers:` of your pod: the check of the configuration, then the sidecar itself where it is a native one. */}}
{{- define "wsproxy.sidecar" -}}
{{- include "wsproxy.sidecar.guard" . }}
{{- if .Values.wsproxy.check.enabled -}}
- name: wsproxy-check
  image: {{ include "wsproxy.sidecar.image" . }}
  imagePullPolicy: {{ .Values.wsproxy.image.pullPolicy }}
  args: [check, --config, {{ include "wsproxy.sidecar.configFile" . }}]
  {{- include "wsproxy.sidecar.environment" . | nindent 2 }}
  {{- with .Values.wsproxy.resources }}
  resources: {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .Values.wsproxy.securityContext }}
  securityContext: {{- toYaml . | nindent 4 }}
  {{- end }}
  volumeMounts: {{- include "wsproxy.sidecar.volumeMounts" . | nindent 4 }}
{{- end }}
{{- if include "wsproxy.sidecar.isNative" . }}
{{- include "wsproxy.sidecar.container" . | nindent 0 }}
{{- end }}
{{- end }}

{{/* For `containers:` of your pod: the sidecar where it is an ordinary container, else nothing. */}}
{{- define "wsproxy.sidecar.ordinary" -}}
{{- if not (include "wsproxy.sidecar.isNative" .) }}
{{- include "wsproxy.sidecar.container" . }}
{{- end }}
{{- end }}

{{- define "wsproxy.sidecar.container" -}}
- name: wsproxy
  image: {{ include "wsproxy.sidecar.image" . }}
  imagePullPolicy: {{ .Values.wsproxy.image.pullPolicy }}
  args: {{- concat (list "run" "--config" (include "wsproxy.sidecar.configFile" .)) (.Values.wsproxy.extraArgs | default list) | toYaml | nindent 4 }}
  {{- if include "wsproxy.sidecar.isNative" . }}
  restartPolicy: Always
  {{- end }}
  {{- include "wsproxy.sidecar.environment" . | nindent 2 }}
  ports: {{- include "wsproxy.sidecar.ports" . | nindent 4 }}
  {{- with .Values.wsproxy.startupProbe }}
  startupProbe: {{- merge (dict "httpGet" (dict "path" "/livez" "port" "wsproxy-admin")) . | toYaml | nindent 4 }}
  {{- end }}
  {{- with .Values.wsproxy.livenessProbe }}
  livenessProbe: {{- merge (dict "httpGet" (dict "path" "/livez" "port" "wsproxy-admin")) . | toYaml | nindent 4 }}
  {{- end }}
  {{- with .Values.wsproxy.readinessProbe }}
  readinessProbe: {{- merge (dict "httpGet" (dict "path" "/readyz" "port" "wsproxy-admin")) . | toYaml | nindent 4 }}
  {{- end }}
  lifecycle:
    preStop: {httpGet: {path: /drain, port: {{ include "wsproxy.sidecar.adminPort" . }}}}
  {{- with .Values.wsproxy.resources }}
  resources: {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .Values.wsproxy.securityContext }}
  securityContext: {{- toYaml . | nindent 4 }}
  {{- end }}
  volumeMounts: {{- include "wsproxy.sidecar.volumeMounts" . | nindent 4 }}
{{- end }}

{{/*
For `lifecycle:` of the app's container. The hook is answered when the last client has gone, and no container gets its SIGTERM
before its own hook has been answered: so the app lives as long as anybody talks to it, and no longer. It begins no drain: it is
called, too, when the app alone is restarted after its own liveness probe.
*/}}
{{- define "wsproxy.sidecar.appLifecycle" -}}
preStop:
  httpGet:
    path: /drained
    port: {{ include "wsproxy.sidecar.adminPort" . }}
{{- end }}

{{/* The image sets these two for who runs it without a file; empty they are not set, and the file decides. */}}
{{- define "wsproxy.sidecar.environment" -}}
env:
  - {name: WS_PROXY_HOST, value: ""}
  - {name: WS_PROXY_ADMIN, value: ""}
  {{- with .Values.wsproxy.extraEnv }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- with .Values.wsproxy.extraEnvFrom }}
envFrom: {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{/* The folder and not the file, since the kubelet never updates what is mounted with subPath. */}}
{{- define "wsproxy.sidecar.volumeMounts" -}}
- {name: wsproxy-config, mountPath: /etc/wsproxy/config, readOnly: true}
{{- if .Values.wsproxy.tls.enabled }}
- {name: wsproxy-tls, mountPath: /etc/wsproxy/tls, readOnly: true}
{{- end }}
{{- with .Values.wsproxy.extraVolumeMounts }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{/* For `volumes:` of your pod. */}}
{{- define "wsproxy.sidecar.volumes" -}}
- name: wsproxy-config
  configMap: {name: {{ include "wsproxy.sidecar.configMapName" . }}}
{{- if .Values.wsproxy.tls.enabled }}
- name: wsproxy-tls
  secret: {secretName: {{ include "wsproxy.sidecar.secretName" . }}}
{{- end }}
{{- end }}
