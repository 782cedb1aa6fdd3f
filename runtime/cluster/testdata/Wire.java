package org.apache.kafka.connect.runtime.distributed;

import org.apache.kafka.connect.util.ConnectorTaskId;

import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HexFormat;
import java.util.List;

/**
 * Reads lines "KIND NAME HEX", the bytes of metadata or an assignment, with Kafka Connect's own
 * classes. Of each it writes what it says, and the bytes that these classes make of that again:
 * "KIND NAME HEX FIELDS". The last fields of metadata are those of the assignment in it.
 */
public class Wire {
    public static void main(String[] args) throws Exception {
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in));
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            String[] words = line.split(" ");
            ByteBuffer bytes = ByteBuffer.wrap(HexFormat.of().parseHex(words[2]));
            int version = bytes.getShort(0);
            String fields;
            ByteBuffer again;
            switch (words[0]) {
                case "metadata" -> {
                    ExtendedWorkerState s = IncrementalCooperativeConnectProtocol.deserializeMetadata(bytes);
                    boolean none = s.assignment() == ExtendedAssignment.empty();
                    fields = s.url() + " " + s.offset() + (none ? "" : " " + fields(s.assignment()));
                    again = version == 0 ? ConnectProtocol.serializeMetadata(s) : IncrementalCooperativeConnectProtocol.serializeMetadata(s, version == 2);
                }
                case "assignment" -> {
                    ExtendedAssignment a = IncrementalCooperativeConnectProtocol.deserializeAssignment(bytes);
                    fields = fields(a);
                    again = version == 0 ? ConnectProtocol.serializeAssignment(a) : IncrementalCooperativeConnectProtocol.serializeAssignment(a, version == 2);
                }
                default -> throw new IllegalArgumentException(words[0]);
            }
            System.out.println(words[0] + " " + words[1] + " " + HexFormat.of().formatHex(again.array()) + " " + version + " " + fields);
        }
    }

    private static String fields(ExtendedAssignment a) {
        return a.version() + " " + a.error() + " " + a.leader() + " " + a.leaderUrl() + " " + a.offset() + " "
            + parts(a.connectors(), a.tasks()) + " " + parts(a.revokedConnectors(), a.revokedTasks()) + " " + a.delay();
    }

    private static String parts(Collection<String> connectors, Collection<ConnectorTaskId> tasks) {
        List<String> all = new ArrayList<>();
        connectors.forEach(c -> all.add(c + "/-1"));
        tasks.forEach(t -> all.add(t.connector() + "/" + t.task()));
        return "[" + String.join(",", all.stream().sorted().toList()) + "]";
    }
}
