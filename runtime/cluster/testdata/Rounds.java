package org.apache.kafka.connect.runtime.distributed;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;

import org.apache.kafka.common.utils.LogContext;
import org.apache.kafka.common.utils.Time;
import org.apache.kafka.connect.runtime.distributed.IncrementalCooperativeAssignor.ClusterAssignment;
import org.apache.kafka.connect.runtime.distributed.WorkerCoordinator.ConnectorsAndTasks;
import org.apache.kafka.connect.storage.ClusterConfigState;
import org.apache.kafka.connect.util.ConnectorTaskId;

import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.util.Collection;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Supplier;

/**
 * Has Kafka Connect's own assignor share out work. Reads a round per line, as the test of
 * incremental.go writes them, and writes the line again with the assignor's plan in it. Parts are
 * CONNECTOR/TASK, task -1 being the connector itself.
 */
public class Rounds {
    private static final ObjectMapper JSON = new ObjectMapper();

    private static class Clock implements Time {
        private long now;

        @Override public long milliseconds() { return now; }
        @Override public long nanoseconds() { return now * 1_000_000; }
        @Override public void sleep(long ms) { throw new UnsupportedOperationException(); }
        @Override public void waitObject(Object o, Supplier<Boolean> condition, long deadline) { throw new UnsupportedOperationException(); }
    }

    public static void main(String[] args) throws Exception {
        Clock clock = new Clock();
        IncrementalCooperativeAssignor assignor = null;
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in));
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            ObjectNode round = (ObjectNode) JSON.readTree(line);
            if (round.get("first").asBoolean()) {
                assignor = new IncrementalCooperativeAssignor(new LogContext(), clock, round.get("max_delay").asInt());
            }
            clock.now = round.get("now").asLong();
            Map<String, ConnectorsAndTasks> holding = new TreeMap<>();
            round.get("holding").properties().forEach(e -> holding.put(e.getKey(), work(e.getValue())));
            ClusterAssignment plan = assignor.performTaskAssignment(
                configured(round.get("wanted")), round.get("completed").asInt(), round.get("generation").asInt(), holding);
            round.set("assigned", lists(plan.newlyAssignedConnectors(), plan.newlyAssignedTasks()));
            round.set("revoked", lists(plan.newlyRevokedConnectors(), plan.newlyRevokedTasks()));
            round.set("after", lists(plan.allAssignedConnectors(), plan.allAssignedTasks()));
            round.put("delay", assignor.delay);
            System.out.println(JSON.writeValueAsString(round));
        }
    }

    private static ClusterConfigState configured(JsonNode tasks) {
        Map<String, Integer> counts = new TreeMap<>();
        Map<String, Map<String, String>> connectors = new TreeMap<>();
        tasks.properties().forEach(e -> {
            counts.put(e.getKey(), e.getValue().asInt());
            connectors.put(e.getKey(), Map.of());
        });
        return new ClusterConfigState(0, null, counts, connectors, Map.of(), Map.of(), Map.of(), Map.of(), Map.of(), Set.of(), Set.of());
    }

    private static ConnectorsAndTasks work(JsonNode parts) {
        Set<String> connectors = new LinkedHashSet<>();
        Set<ConnectorTaskId> tasks = new LinkedHashSet<>();
        parts.forEach(p -> {
            String[] part = p.asText().split("/");
            int task = Integer.parseInt(part[1]);
            if (task < 0) {
                connectors.add(part[0]);
            } else {
                tasks.add(new ConnectorTaskId(part[0], task));
            }
        });
        return new ConnectorsAndTasks.Builder().with(connectors, tasks).build();
    }

    private static JsonNode lists(Map<String, Collection<String>> connectors, Map<String, Collection<ConnectorTaskId>> tasks) {
        Map<String, Set<String>> all = new TreeMap<>();
        connectors.forEach((worker, list) -> list.forEach(c -> all.computeIfAbsent(worker, w -> new TreeSet<>()).add(c + "/-1")));
        tasks.forEach((worker, list) -> list.forEach(t -> all.computeIfAbsent(worker, w -> new TreeSet<>()).add(t.connector() + "/" + t.task())));
        return JSON.valueToTree(all);
    }
}
