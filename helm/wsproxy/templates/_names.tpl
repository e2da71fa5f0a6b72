{{- define "wsproxy.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 52 | trimSuffix "-" -}}
{{- end }}

{{/* Short enough for `-config`, `-tls` and the like behind it. */}}
{{- define "wsproxy.fullname" -}}
{{- $name := default .Chart.Name .Values.nameOverride -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 52 | trimSuffix "-" -}}
{{- else if contains $name .Release.Name -}}
{{- .Release.Name | trunc 52 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name | trunc 52 | trimSuffix "-" -}}
{{- end -}}
{{- end }}

{{- define "wsproxy.selectorLabels" -}}
app.kubernetes.io/name: {{ include "wsproxy.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "wsproxy.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name (.Chart.Version | replace "+" "_") }}
{{ include "wsproxy.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- with .Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- define "wsproxy.serviceAccountName" -}}
{{- if .Values.serviceAccount.create -}}
{{- default (include "wsproxy.fullname" .) .Values.serviceAccount.name -}}
{{- else -}}
{{- default "default" .Values.serviceAccount.name -}}
{{- end -}}
{{- end }}

{{/*
What the library chart's templates take as their root context, as YAML: there the values of the sidecar are .Values.wsproxy.
The app's own port is the upstream unless the configuration has one.
*/}}
{{- define "wsproxy.sidecarContext" -}}
{{- $values := omit .Values "wsproxy-sidecar" "global" | deepCopy -}}
{{- $config := $values.config | default dict -}}
{{- $upstream := $config.upstream | default dict -}}
{{- if not $upstream.url -}}
{{- $_ := set $upstream "url" (printf "ws://127.0.0.1:%d" (int .Values.app.port)) -}}
{{- end -}}
{{- $_ := set $config "upstream" $upstream -}}
{{- $_ := set $values "config" $config -}}
{{- $_ := set $values "appPort" (int .Values.app.port) -}}
{{- $_ := set $values "fullnameOverride" (include "wsproxy.fullname" .) -}}
{{- dict "Values" (dict "wsproxy" $values) "Release" (dict "Name" .Release.Name "Service" .Release.Service "Namespace" .Release.Namespace)
  "Capabilities" (dict "KubeVersion" (dict "Version" .Capabilities.KubeVersion.Version)) | toYaml -}}
{{- end }}

{{- define "wsproxy.appImage" -}}
{{- $image := .Values.app.image -}}
{{- if not $image.repository -}}
{{- include "wsproxy.sidecar.image" (include "wsproxy.sidecarContext" . | fromYaml) -}}
{{- else if $image.digest -}}
{{- printf "%s@%s" $image.repository $image.digest -}}
{{- else -}}
{{- printf "%s:%s" $image.repository ($image.tag | default "latest" | toString) -}}
{{- end -}}
{{- end }}

{{/* `wss` where the listener that the Service sends clients to has TLS, by tls.enabled or by its own `tls`; else `ws`. */}}
{{- define "wsproxy.scheme" -}}
{{- $config := include "wsproxy.sidecar.config" (include "wsproxy.sidecarContext" . | fromYaml) | fromYaml -}}
{{- $first := dict -}}
{{- range $config.listeners -}}
{{- if and (not $first) (not (hasPrefix "unix:" (lower .address))) -}}{{- $first = . -}}{{- end -}}
{{- end -}}
{{- $first.tls | empty | ternary "ws" "wss" -}}
{{- end }}

{{- define "wsproxy.servicePort" -}}
{{- .Values.service.port | default (eq (include "wsproxy.scheme" .) "wss" | ternary 443 80) | int -}}
{{- end }}

{{- define "wsproxy.testUrl" -}}
{{- if .Values.test.url -}}
{{- .Values.test.url -}}
{{- else -}}
{{- printf "%s://%s.%s.svc:%s/" (include "wsproxy.scheme" .) (include "wsproxy.fullname" .) .Release.Namespace (include "wsproxy.servicePort" .) -}}
{{- end -}}
{{- end }}

{{/* (list $ MONITOR): the job, by which the alerts go, is `wsproxy` under any nameOverride; then what the values say. */}}
{{- define "wsproxy.relabelings" -}}
{{- $job := list -}}
{{- if not (contains "wsproxy" (include "wsproxy.name" (index . 0))) -}}
{{- $job = list (dict "targetLabel" "job" "replacement" "wsproxy") -}}
{{- end -}}
{{- concat $job ((index . 1).relabelings | default list) | toYaml -}}
{{- end }}
