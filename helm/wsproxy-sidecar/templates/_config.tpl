{{/*
The sidecar's configuration, and what of the pod follows from it. All of these take the root context and read .Values.wsproxy.
*/}}

{{/* The configuration in full: what the values say, on listeners that the pod's Service and the kubelet can reach. */}}
{{- define "wsproxy.sidecar.config" -}}
{{- $config := deepCopy (.Values.wsproxy.config | default dict) -}}
{{- if not $config.listeners -}}
{{- $_ := set $config "listeners" (list (dict "name" "public" "address" "0.0.0.0:8009")) -}}
{{- end -}}
{{- range $config.listeners -}}
{{- if not .address -}}{{- $_ := set . "address" "0.0.0.0:8009" -}}{{- end -}}
{{- end -}}
{{- if .Values.wsproxy.tls.enabled -}}
{{- $done := false -}}
{{- range $config.listeners -}}
{{- if and (not $done) (not (hasPrefix "unix:" (lower .address))) -}}
{{- $done = true -}}
{{- if not .tls -}}
{{- $_ := set . "tls" (dict "certificate" "/etc/wsproxy/tls/tls.crt" "private_key" "/etc/wsproxy/tls/tls.key") -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- $_ := set $config "admin" (merge (dict) ($config.admin | default dict) (dict "address" "0.0.0.0:9090")) -}}
{{- toYaml $config -}}
{{- end }}

{{/* A whole document: the ConfigMap, or nothing where you have one of your own. */}}
{{- define "wsproxy.sidecar.configMap" -}}
{{- if not .Values.wsproxy.existingConfigMap -}}
apiVersion: v1
kind: ConfigMap
metadata:
  name: {{ include "wsproxy.sidecar.configMapName" . }}
  labels:
    app.kubernetes.io/name: wsproxy
    app.kubernetes.io/instance: {{ .Release.Name }}
    app.kubernetes.io/managed-by: {{ .Release.Service }}
data:
  wsproxy.yaml: |
    {{- include "wsproxy.sidecar.config" . | nindent 4 }}
{{- end }}
{{- end }}

{{- define "wsproxy.sidecar.configFile" -}}
/etc/wsproxy/config/wsproxy.yaml
{{- end }}

{{- define "wsproxy.sidecar.fullname" -}}
{{- if .Values.wsproxy.fullnameOverride -}}
{{- .Values.wsproxy.fullnameOverride | trunc 52 | trimSuffix "-" -}}
{{- else if contains "wsproxy" .Release.Name -}}
{{- .Release.Name | trunc 52 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-wsproxy" (.Release.Name | trunc 44 | trimSuffix "-") -}}
{{- end -}}
{{- end }}

{{- define "wsproxy.sidecar.configMapName" -}}
{{- .Values.wsproxy.existingConfigMap | default (printf "%s-config" (include "wsproxy.sidecar.fullname" .)) -}}
{{- end }}

{{- define "wsproxy.sidecar.secretName" -}}
{{- .Values.wsproxy.tls.existingSecret | default (printf "%s-tls" (include "wsproxy.sidecar.fullname" .)) -}}
{{- end }}

{{/* The version that the charts were made for: .Chart would be the one of who includes this. */}}
{{- define "wsproxy.sidecar.version" -}}
0.1.0
{{- end }}

{{- define "wsproxy.sidecar.image" -}}
{{- $image := .Values.wsproxy.image -}}
{{- if $image.digest -}}
{{- printf "%s@%s" $image.repository $image.digest -}}
{{- else -}}
{{- printf "%s:%s" $image.repository ($image.tag | default (include "wsproxy.sidecar.version" .) | toString) -}}
{{- end -}}
{{- end }}

{{/* Not empty where the sidecar is an init container that goes on running. */}}
{{- define "wsproxy.sidecar.isNative" -}}
{{- $wanted := .Values.wsproxy.nativeSidecar | toString -}}
{{- if or (eq $wanted "true") (and (eq $wanted "auto") (semverCompare ">=1.29.0-0" .Capabilities.KubeVersion.Version)) -}}
native
{{- end -}}
{{- end }}

{{/* The container's ports: `websocket`, `websocket-2` and so on for the listeners that have one, and the side port. */}}
{{- define "wsproxy.sidecar.ports" -}}
{{- $config := include "wsproxy.sidecar.config" . | fromYaml -}}
{{- $at := 0 -}}
{{- range $config.listeners -}}
{{- $port := regexFind "[0-9]+$" .address -}}
{{- if and $port (not (hasPrefix "unix:" (lower .address))) -}}
{{- $at = add $at 1 -}}
- {name: {{ eq $at 1 | ternary "websocket" (printf "websocket-%d" $at) }}, containerPort: {{ $port | trimPrefix "0" | int }}, protocol: TCP}
{{ end -}}
{{- end -}}
- {name: wsproxy-admin, containerPort: {{ include "wsproxy.sidecar.adminPort" . }}, protocol: TCP}
{{- end }}

{{- define "wsproxy.sidecar.adminPort" -}}
{{- $config := include "wsproxy.sidecar.config" . | fromYaml -}}
{{- regexFind "[0-9]+$" ($config.admin.address | toString) -}}
{{- end }}

{{/* For `terminationGracePeriodSeconds:` of your pod: the hook and everything after it are in it. */}}
{{- define "wsproxy.sidecar.terminationGracePeriodSeconds" -}}
{{- if .Values.wsproxy.terminationGracePeriodSeconds | default "" | toString -}}
{{- .Values.wsproxy.terminationGracePeriodSeconds | int -}}
{{- else -}}
{{- $timeout := include "wsproxy.sidecar.drainTimeout" . -}}
{{- add (include "wsproxy.sidecar.seconds" (list "config.drain.timeout" $timeout "terminationGracePeriodSeconds") | int) 15 -}}
{{- end -}}
{{- end }}

{{- define "wsproxy.sidecar.drainTimeout" -}}
{{- $timeout := get ((.Values.wsproxy.config | default dict).drain | default dict) "timeout" -}}
{{- kindIs "float64" $timeout | ternary $timeout ($timeout | default "25s") -}}
{{- end }}

{{/* (list KEY DURATION INSTEAD): whole seconds, rounded up, of a duration as the configuration writes it. */}}
{{- define "wsproxy.sidecar.seconds" -}}
{{- $text := index . 1 | toString -}}
{{- if eq (int $text | toString) $text -}}{{- $text = printf "%ss" $text -}}{{- end -}}
{{- if not (regexMatch "^[0-9]+ ?(ms|s|m|h)$" $text) -}}
{{- fail (printf "%s: %q cannot be told in seconds here; set %s yourself" (index . 0) $text (index . 2)) -}}
{{- end -}}
{{- $number := regexFind "^[0-9]+" $text | float64 -}}
{{- $unit := get (dict "ms" 0.001 "s" 1.0 "m" 60.0 "h" 3600.0) (regexFind "[a-z]+$" $text) -}}
{{- mulf $number $unit | ceil | int -}}
{{- end }}

{{/* Bytes of a size of the configuration or a quantity of Kubernetes: 256MiB, 384Mi, 1GB, 1G, 1024. Empty where it is neither. */}}
{{- define "wsproxy.sidecar.bytes" -}}
{{- $text := kindIs "string" . | ternary . (int64 . | toString) -}}
{{- if regexMatch "^[0-9]+(\\.[0-9]+)? ?(B|[KMGk]i?B?)?$" $text -}}
{{- $number := regexFind "^[0-9.]+" $text | float64 -}}
{{- $unit := regexFind "[A-Za-z]*$" $text | trimSuffix "B" | upper -}}
{{- $units := dict "" 1 "K" 1000 "KI" 1024 "M" 1000000 "MI" 1048576 "G" 1000000000 "GI" 1073741824 -}}
{{- mulf $number (get $units $unit) | floor | int64 -}}
{{- end -}}
{{- end }}

{{/*
For `annotations:` of your pod. The proxy takes a new configuration while it runs, but for these keys: a change of them makes new pods.
*/}}
{{- define "wsproxy.sidecar.annotations" -}}
{{- $config := include "wsproxy.sidecar.config" . | fromYaml -}}
{{- $compression := $config.compression | default dict -}}
{{- $log := $config.log | default dict -}}
{{- $restart := dict "workers" $config.workers "admin" $config.admin.address "memory" $compression.memory "format" $log.format "sentry" $config.sentry -}}
checksum/wsproxy-restart: {{ $restart | toJson | sha256sum | trunc 32 }}
{{- end }}

{{/* What the schema cannot say. */}}
{{- define "wsproxy.sidecar.guard" -}}
{{- $config := include "wsproxy.sidecar.config" . | fromYaml -}}
{{- $loopback := "^(127\\.|localhost:|\\[::1\\])" -}}
{{- $version := .Capabilities.KubeVersion.Version -}}
{{- if and (include "wsproxy.sidecar.isNative" .) (semverCompare "<1.28.0-0" $version) -}}
{{- fail (printf "nativeSidecar: Kubernetes %s has no native sidecars: 1.29 has, and 1.28 with the feature gate SidecarContainers; use auto or false" $version) -}}
{{- end -}}
{{- if or (regexMatch $loopback $config.admin.address) (not (regexMatch ":[0-9]+$" $config.admin.address)) -}}
{{- fail (printf "config.admin.address: %q is not reached by the kubelet's probes and hooks; use 0.0.0.0:9090 or [::]:9090" $config.admin.address) -}}
{{- end -}}
{{- $public := false -}}
{{- range $at, $listener := $config.listeners -}}
{{- if not (hasPrefix "unix:" (lower .address)) -}}
{{- if not (regexMatch ":0*[1-9][0-9]*$" .address) -}}
{{- fail (printf "config.listeners[%d].address: %q has no port that a Service could name; use 0.0.0.0:8009 or [::]:8009" $at .address) -}}
{{- end -}}
{{- if and (not $public) (regexMatch $loopback .address) -}}
{{- fail (printf "config.listeners[%d].address: %q is reached from inside of the pod only; use 0.0.0.0:8009 or [::]:8009" $at .address) -}}
{{- end -}}
{{- $public = true -}}
{{- end -}}
{{- end -}}
{{- $taken := list -}}
{{- with .Values.wsproxy.appPort -}}{{- $taken = append $taken (int .) -}}{{- end -}}
{{- range include "wsproxy.sidecar.ports" . | fromYamlArray -}}
{{- if has (int .containerPort) $taken -}}
{{- fail (printf "config.listeners, config.admin.address, app.port: port %d is taken twice, the containers of a pod share their ports" (int .containerPort)) -}}
{{- end -}}
{{- $taken = append $taken (int .containerPort) -}}
{{- end -}}
{{- $grace := .Values.wsproxy.terminationGracePeriodSeconds | default "" | toString -}}
{{- $timeout := include "wsproxy.sidecar.drainTimeout" . -}}
{{- if and $grace (not (contains "$" $timeout)) -}}
{{- if lt (int $grace) (include "wsproxy.sidecar.seconds" (list "config.drain.timeout" $timeout "it") | int) -}}
{{- fail (printf "terminationGracePeriodSeconds: %s is less than config.drain.timeout, %s; who is not told by then is cut" $grace $timeout) -}}
{{- end -}}
{{- end -}}
{{- $adminDrain := $config.admin.drain | default "hook" -}}
{{- if eq $adminDrain "local" -}}
{{- fail "config.admin.drain: \"local\" refuses the kubelet's preStop hook, which comes from the node's address; use hook or any" -}}
{{- end -}}
{{- $limit := include "wsproxy.sidecar.bytes" (dig "limits" "memory" "" (.Values.wsproxy.resources | default dict)) -}}
{{- $budget := include "wsproxy.sidecar.bytes" (($config.compression | default dict).memory | default "256MiB") -}}
{{- if and $limit $budget -}}
{{- if le (int64 $limit) (int64 $budget) -}}
{{- fail (printf "resources.limits.memory: %s is not more than config.compression.memory (%s); the container would be killed before the proxy gives memory up" (toString .Values.wsproxy.resources.limits.memory) (($config.compression | default dict).memory | default "256MiB" | toString)) -}}
{{- end -}}
{{- end -}}
{{- end }}
