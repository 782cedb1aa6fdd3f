// Package integration runs hydraulics as its users do, the program itself with
// files, against servers: once embedded ones, once Apache Kafka, a schema
// registry and PostgreSQL (HYDRAULICS_KAFKA_BOOTSTRAP, HYDRAULICS_REGISTRY_URL,
// HYDRAULICS_POSTGRES_URL; `make integration` starts them). It holds the tag
// integration and needs HYDRAULICS_BINARY, the program.
//
// HYDRAULICS_IFCB_DATA is the folder of the real bins, HYDRAULICS_SEED that of
// the original's files; tests on them are skipped, or use files of ours, without.
// HYDRAULICS_KAFKA_LOGIN is the same Kafka's listener that wants a login and asks
// for rights, HYDRAULICS_CONNECT_CLASSPATH Java's Kafka Connect and
// HYDRAULICS_CONNECT_PLUGINS its plugin.path; tests on them are skipped without.
// HYDRAULICS_KAFKA_CLASSPATH has the jars of Apache Kafka, for a broker that is killed;
// HYDRAULICS_FAULTS_ROUNDS, _SOAK and _SEED say how often and how long faults happen to a
// cluster, and in which order, HYDRAULICS_FAULTS which, by a regular expression for their
// names: `make faults` has more of them than `make integration`.
// HYDRAULICS_OUTAGE is how long servers stay away, 20s where nothing is said.
package integration
