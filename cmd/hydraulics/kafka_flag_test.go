package main

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/axiom-data-science/hydraulics/internal/embedded/dashboard"
	"github.com/axiom-data-science/hydraulics/internal/test/kafkatest"
)

// Against a broker that wants a login both commands take how to connect from a worker's file, or from one of Kafka's own
// tools, with the password where the file refers to.
func TestIngestAndGapsWithALogin(t *testing.T) {
	const password = "hush-hush"
	t.Setenv("HYDRAULICS_TEST_PASSWORD", password)
	files := map[string]string{
		"worker.yaml": `
worker:
  bootstrap.servers: nowhere:1
  security.protocol: SASL_PLAINTEXT
  sasl.mechanism: SCRAM-SHA-256
  sasl.jaas.config: org.apache.kafka.common.security.scram.ScramLoginModule required username="pier" password="${env:HYDRAULICS_TEST_PASSWORD}";
`,
		"client.properties": `security.protocol=SASL_PLAINTEXT
sasl.mechanism=SCRAM-SHA-256
sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required username="pier" password="hush-hush";
`,
		"roles.properties": `security.protocol=SASL_PLAINTEXT
sasl.mechanism=SCRAM-SHA-256
producer.sasl.jaas.config=x required username="pier" password="hush-hush";
admin.sasl.jaas.config=x required username="pier" password="hush-hush";
consumer.sasl.jaas.config=x required username="pier" password="hush-hush";
`,
	}
	for name, text := range files {
		t.Run(name, func(t *testing.T) {
			p := newPier(t, 2, 2)
			p.broker = kafkatest.StartWithLogin(t, "SCRAM-SHA-256", "pier", password)
			file := filepath.Join(t.TempDir(), name)
			if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			said, err := p.run(newIngestCommand(), "station", p.url, "images", p.broker, "--nbins", "-1", "--bins-topic", "bins", "--kafka-config", file)
			if err != nil || said != "4 images of 2 bins published to images" {
				t.Fatalf("ingest says %q and ends with %v", said, err)
			}
			if said, err := p.gaps("--kafka-config", file); err != nil || said != "0 of 2 bins have a gap\n" {
				t.Errorf("gaps says %q and ends with %v", said, err)
			}
		})
	}
	t.Run("wrong", func(t *testing.T) {
		p := newPier(t, 2, 1)
		p.broker = kafkatest.StartWithLogin(t, "PLAIN", "pier", "another")
		file := filepath.Join(t.TempDir(), "client.properties")
		if err := os.WriteFile(file, []byte(strings.ReplaceAll(files["client.properties"], "SCRAM-SHA-256", "PLAIN")), 0o600); err != nil {
			t.Fatal(err)
		}
		said, err := p.run(newIngestCommand(), "feed", p.url, "images", p.broker, "--kafka-config", file, "--patience", "1s")
		if err == nil || strings.Contains(said+err.Error(), password) || !strings.Contains(err.Error(), "kafka: ") {
			t.Errorf("ingest says %q and ends with %v", said, err)
		}
		said, err = p.gaps("--kafka-config", file)
		if err == nil || strings.Contains(said+err.Error(), password) || !strings.Contains(err.Error(), "kafka: ") {
			t.Errorf("gaps says %q and ends with %v", said, err)
		}
	})
}

func TestKafkaConfigIsRefused(t *testing.T) {
	p := newPier(t, 2, 1)
	tests := []struct {
		name, file, text, want string
	}{
		{"no file", "none.properties", "", "none.properties"},
		{"another form", "client.conf", "security.protocol=SSL", "its name must end in"},
		{"nothing of it", "other.properties", "bootstrap.servers=a:1\n", "says nothing about the connection"},
		{"a connector", "c.properties", "name=c\nconnector.class=ifcb\n", "says nothing about the connection"},
		{"an unknown part", "w.yaml", "wroker:\n  security.protocol: SSL\nconnectors: {}\n", "unknown part of a configuration"},
		{"a reference", "e.properties", "security.protocol=SASL_SSL\nsasl.jaas.config=${env:HYDRAULICS_TEST_NONE}\n", "HYDRAULICS_TEST_NONE"},
		{"a wrong value", "v.properties", "security.protocol=TLS\n", "security.protocol"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), tt.file)
			if tt.text != "" {
				if err := os.WriteFile(file, []byte(tt.text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			_, err := p.gaps("--kafka-config", file)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("gaps: %v, want %q", err, tt.want)
			}
			_, err = p.run(newIngestCommand(), "feed", p.url, "images", p.broker, "--kafka-config", file, "--patience", "1s")
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("ingest: %v, want %q", err, tt.want)
			}
		})
	}
}

// At a dashboard that wants a login both commands take the source's keys from a file, which may name a secret.
func TestIngestAndGapsAtADashboardWithALogin(t *testing.T) {
	t.Setenv("HYDRAULICS_TEST_PASSWORD", "hush-hush")
	p := newPier(t, 2, 2)
	handler, err := dashboard.New(dashboard.Options{Dir: p.dir, Generation: 2, Dataset: "pier"})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if user, password, _ := r.BasicAuth(); user != "ann" || password != "hush-hush" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		handler.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	file := filepath.Join(t.TempDir(), "dashboard.properties")
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	ingest := []string{"station", server.URL + "/pier/", "images", p.broker, "--nbins", "-1", "--bins-topic", "bins", "--dashboard-config", file}
	write("color=blue\n")
	if _, err := p.run(newIngestCommand(), ingest...); err == nil || !strings.Contains(err.Error(), "says nothing about a dashboard") {
		t.Errorf("a file about another thing: %v", err)
	}
	write("auth.type=basic\nauth.user=ann\nauth.password=${env:HYDRAULICS_TEST_PASSWORD}\n")
	if said, err := p.run(newIngestCommand(), ingest...); err != nil || said != "4 images of 2 bins published to images" {
		t.Errorf("%s, %v", said, err)
	}
	if text, err := p.gaps("--dashboard", server.URL+"/pier/", "--dashboard-config", file); err != nil || text != "0 of 2 bins have a gap\n" {
		t.Errorf("%s, %v", text, err)
	}
}
