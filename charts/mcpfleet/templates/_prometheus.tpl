{{/* The metrics adapter's second source of metrics; only where it has a url. */}}

{{/* The rules file's text. */}}
{{- define "mcpfleet.prometheusRules" -}}
{{- $rules := .Values.metricsAdapter.prometheus.rules -}}
{{- if kindIs "string" $rules }}{{ $rules }}{{ else }}{{ toYaml $rules }}{{ end -}}
{{- end }}

{{/* The ConfigMap that has it. */}}
{{- define "mcpfleet.prometheusRulesName" -}}
{{- $prometheus := .Values.metricsAdapter.prometheus -}}
{{- if not (or $prometheus.rules $prometheus.rulesConfigMap) -}}
{{- fail "metricsAdapter.prometheus.url needs metricsAdapter.prometheus.rules or metricsAdapter.prometheus.rulesConfigMap" -}}
{{- end -}}
{{ $prometheus.rulesConfigMap | default "mcp-metrics-adapter-prometheus" }}
{{- end }}

{{- define "mcpfleet.prometheusArgs" -}}
{{- $prometheus := .Values.metricsAdapter.prometheus -}}
- --prometheus-url={{ $prometheus.url }}
- --prometheus-rules=/etc/mcpfleet/prometheus-rules/config.yaml
{{- if $prometheus.caConfigMap }}
- --prometheus-ca-file=/etc/mcpfleet/prometheus-ca/ca.crt
{{- else if $prometheus.caFile }}
- --prometheus-ca-file={{ $prometheus.caFile }}
{{- end }}
{{- if $prometheus.tokenSecret }}
- --prometheus-token-file=/etc/mcpfleet/prometheus-token/token
{{- else if $prometheus.tokenFile }}
- --prometheus-token-file={{ $prometheus.tokenFile }}
{{- end }}
- --prometheus-relist-interval={{ $prometheus.relistInterval }}
- --prometheus-timeout={{ $prometheus.timeout }}
{{- end }}

{{- define "mcpfleet.prometheusMounts" -}}
{{- $prometheus := .Values.metricsAdapter.prometheus -}}
volumeMounts:
  - {name: prometheus-rules, mountPath: /etc/mcpfleet/prometheus-rules, readOnly: true}
  {{- if $prometheus.caConfigMap }}
  - {name: prometheus-ca, mountPath: /etc/mcpfleet/prometheus-ca, readOnly: true}
  {{- end }}
  {{- if $prometheus.tokenSecret }}
  - {name: prometheus-token, mountPath: /etc/mcpfleet/prometheus-token, readOnly: true}
  {{- end }}
{{- end }}

{{- define "mcpfleet.prometheusVolumes" -}}
{{- $prometheus := .Values.metricsAdapter.prometheus -}}
volumes:
  - name: prometheus-rules
    configMap: {name: {{ include "mcpfleet.prometheusRulesName" . }}}
  {{- with $prometheus.caConfigMap }}
  - name: prometheus-ca
    configMap: {name: {{ . }}}
  {{- end }}
  {{- with $prometheus.tokenSecret }}
  - name: prometheus-token
    secret: {secretName: {{ . }}}
  {{- end }}
{{- end }}
