{{/* Labels of everything; call with (dict "root" $ "name" "mcp-operator"). */}}
{{- define "mcpfleet.labels" -}}
{{ include "mcpfleet.selector" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version }}
{{- end }}

{{- define "mcpfleet.selector" -}}
app.kubernetes.io/name: {{ .name }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/part-of: mcpfleet
{{- end }}

{{/* An image reference; call with (dict "root" $ "image" .Values.operator.image). */}}
{{- define "mcpfleet.image" -}}
{{ .image.repository }}:{{ .image.tag | default .root.Chart.AppVersion }}
{{- end }}

{{/* "true" or "false": MCPGateways may serve all namespaces. */}}
{{- define "mcpfleet.allNamespaces" -}}
{{- if and .Values.gateway.allNamespaces .Values.watchNamespaces }}
{{- fail "gateway.allNamespaces: with watchNamespaces the operator has no rights over the whole cluster that it could grant" }}
{{- end -}}
{{ .Values.gateway.allNamespaces }}
{{- end }}

{{/* What the pods of both programs share. */}}
{{- define "mcpfleet.podSettings" -}}
serviceAccountName: {{ .name }}
enableServiceLinks: false
securityContext:
  runAsNonRoot: true
  runAsUser: 65532
  runAsGroup: 65532
  seccompProfile:
    type: RuntimeDefault
{{- with .root.Values.imagePullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .root.Values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .root.Values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{/* What the containers of both programs share: their own metrics and probes are on port 8080. "env" may have more
     variables, as YAML. */}}
{{- define "mcpfleet.containerSettings" -}}
env:
  - name: POD_NAMESPACE
    valueFrom:
      fieldRef:
        fieldPath: metadata.namespace
{{- with .env }}
  {{- . | nindent 2 }}
{{- end }}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities:
    drop: [ALL]
readinessProbe:
  httpGet: {path: /readyz, port: health}
  periodSeconds: 2
  timeoutSeconds: 2
livenessProbe:
  httpGet: {path: /healthz, port: health}
  initialDelaySeconds: 10
  periodSeconds: 10
  timeoutSeconds: 5
  failureThreshold: 6
terminationMessagePolicy: FallbackToLogsOnError
{{- end }}

{{/* The password of the metrics adapter's Redis. */}}
{{- define "mcpfleet.redisEnv" -}}
{{- with .Values.metricsAdapter.redis }}
{{- if and .url .secretName }}
- name: REDIS_PASSWORD
  valueFrom:
    secretKeyRef: {name: {{ .secretName | quote }}, key: {{ .secretKey | quote }}}
{{- end }}
{{- end }}
{{- end }}

{{/* Annotations of the pods of both programs. */}}
{{- define "mcpfleet.podAnnotations" -}}
prometheus.io/scrape: "true"
prometheus.io/port: "8080"
prometheus.io/path: /metrics
{{- with .Values.podAnnotations }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{/* "true" or "false": the operator may read Secrets where MCPServers are. */}}
{{- define "mcpfleet.watchSecrets" -}}
{{- if kindIs "bool" .Values.operator.watchSecrets -}}
{{ .Values.operator.watchSecrets }}
{{- else -}}
{{ not (empty .Values.watchNamespaces) }}
{{- end -}}
{{- end }}

{{/* What the metrics adapter may do in each namespace where it serves MCPServers. */}}
{{- define "mcpfleet.metricsAdapterRules" -}}
- apiGroups: [""]
  resources: [pods]
  verbs: [get, list, watch]
- apiGroups: [mcpfleet.dev]
  resources: [mcpservers]
  verbs: [get, list, watch]
# Which other metrics of pods are asked for.
- apiGroups: [autoscaling]
  resources: [horizontalpodautoscalers]
  verbs: [get, list, watch]
{{- end }}

{{/* What the operator may do in each namespace where it watches MCPServers and MCPGateways. */}}
{{- define "mcpfleet.operatorRules" -}}
- apiGroups: [mcpfleet.dev]
  resources: [mcpservers, mcpgateways]
  verbs: [get, list, watch]
- apiGroups: [mcpfleet.dev]
  resources: [mcpservers/status, mcpgateways/status]
  verbs: [patch]
# Owner references that block deletion, where the API server checks who may set them.
- apiGroups: [mcpfleet.dev]
  resources: [mcpservers/finalizers, mcpgateways/finalizers]
  verbs: [update]
# A gateway's rights: it may be given that role, and no other.
- apiGroups: [rbac.authorization.k8s.io]
  resources: [rolebindings]
  verbs: [get, list, watch, create, patch, delete]
- apiGroups: [rbac.authorization.k8s.io]
  resources: [clusterroles]
  resourceNames: [mcp-gateway]
  verbs: [bind]
- apiGroups: [apps]
  resources: [deployments]
  verbs: [get, list, watch, create, patch, delete]
- apiGroups: [""]
  resources: [services, serviceaccounts]
  verbs: [get, list, watch, create, patch, delete]
- apiGroups: [networking.k8s.io]
  resources: [networkpolicies]
  verbs: [get, list, watch, create, patch, delete]
- apiGroups: [policy]
  resources: [poddisruptionbudgets]
  verbs: [get, list, watch, create, patch, delete]
- apiGroups: [autoscaling]
  resources: [horizontalpodautoscalers]
  verbs: [get, list, watch, create, patch, delete]
# Where their CRD is installed.
- apiGroups: [monitoring.coreos.com]
  resources: [servicemonitors, podmonitors]
  verbs: [get, list, watch, create, patch, delete]
- apiGroups: [""]
  resources: [pods]
  verbs: [list, watch]
{{- if eq (include "mcpfleet.watchSecrets" .) "true" }}
# The session keys of MCPServers and MCPGateways, and the Secrets that MCPServers refer to.
- apiGroups: [""]
  resources: [secrets]
  verbs: [get, list, watch, create, patch, delete]
{{- else }}
# The session keys of MCPServers and MCPGateways. Secrets are never read outside the operator's own namespace.
- apiGroups: [""]
  resources: [secrets]
  verbs: [create, patch]
{{- end }}
# Those that MCPServers refer to.
- apiGroups: [""]
  resources: [configmaps]
  verbs: [get, list, watch]
# Workloads that MCPServers only scale, and what else scales them.
- apiGroups: [apps]
  resources: [statefulsets]
  verbs: [get, list, watch]
- apiGroups: [keda.sh]
  resources: [scaledobjects]
  verbs: [list]
- apiGroups: [""]
  resources: [events]
  verbs: [get, create, patch]
- apiGroups: [metrics.mcpfleet.dev]
  resources: ["*"]
  verbs: [get]
# Where the operator itself writes the replicas (autoscaling.actuator), or shows what it would write.
- apiGroups: [apps]
  resources: [deployments/scale, statefulsets/scale]
  verbs: [patch]
- apiGroups: [metrics.k8s.io]
  resources: [pods]
  verbs: [list]
{{- end }}

{{/* The Secret with the certificate of the metrics APIs: the adapter's own, somebody's, or the one that cert-manager makes. */}}
{{- define "mcpfleet.tlsSecret" -}}
{{- $tls := .Values.metricsAdapter.tls }}
{{- if and $tls.secretName $tls.issuerRef }}
{{- fail "metricsAdapter.tls: give either secretName or issuerRef" }}
{{- end }}
{{- $tls.secretName | default (empty $tls.issuerRef | ternary "mcp-metrics-adapter-tls" "mcp-metrics-adapter-certificate") }}
{{- end }}

{{/* Not all replicas on the node that dies. Called with root and name. */}}
{{- define "mcpfleet.spread" -}}
topologySpreadConstraints:
  - maxSkew: 1
    topologyKey: kubernetes.io/hostname
    whenUnsatisfiable: ScheduleAnyway
    labelSelector:
      matchLabels:
        {{- include "mcpfleet.selector" . | nindent 8 }}
{{- end }}
