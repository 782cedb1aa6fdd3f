{{- define "hydraulics.labels" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "hydraulics.worker" -}}
bootstrap.servers: {{ .Values.bootstrapServers | quote }}
group.id: {{ .Release.Name | quote }}
config.storage.topic: {{ printf "%s-configs" .Release.Name | quote }}
offset.storage.topic: {{ printf "%s-offsets" .Release.Name | quote }}
status.storage.topic: {{ printf "%s-status" .Release.Name | quote }}
config.storage.replication.factor: {{ .Values.replicationFactor }}
offset.storage.replication.factor: {{ .Values.replicationFactor }}
status.storage.replication.factor: {{ .Values.replicationFactor }}
listeners: "http://:8083"
page.listener: ""
config.providers: dir
config.providers.dir.class: org.apache.kafka.common.config.provider.DirectoryConfigProvider
config.providers.dir.param.allowed.paths: /etc/hydraulics/secrets
{{- end }}
