import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.Properties;
import java.util.stream.Collectors;
import org.apache.kafka.clients.consumer.ConsumerRebalanceListener;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.RebalanceInProgressException;
import org.apache.kafka.clients.consumer.CommitFailedException;
import org.apache.kafka.common.errors.WakeupException;

/**
 * A stock consumer: reads a topic as a member of a group, commits after every
 * poll, and prints what it is given. It leaves when its standard input ends.
 * Arguments: bootstrap servers, group, topic, session time-out in ms.
 */
public final class Member {
  public static void main(String[] args) throws Exception {
    Properties p = new Properties();
    p.put("bootstrap.servers", args[0]);
    p.put("group.id", args[1]);
    p.put("session.timeout.ms", args[3]);
    p.put("heartbeat.interval.ms", "500");
    p.put("enable.auto.commit", "false");
    p.put("auto.offset.reset", "earliest");
    p.put("key.deserializer", "org.apache.kafka.common.serialization.StringDeserializer");
    p.put("value.deserializer", "org.apache.kafka.common.serialization.StringDeserializer");
    KafkaConsumer<String, String> consumer = new KafkaConsumer<>(p);
    Thread end = new Thread(() -> {
      try {
        while (System.in.read() >= 0) {
        }
      } catch (java.io.IOException e) {
        // the same as its end
      }
      consumer.wakeup();
    });
    end.setDaemon(true);
    end.start();
    try {
      consumer.subscribe(List.of(args[2]), new ConsumerRebalanceListener() {
        @Override
        public void onPartitionsAssigned(Collection<TopicPartition> tps) {
          say("assigned", tps);
        }

        @Override
        public void onPartitionsRevoked(Collection<TopicPartition> tps) {
          say("revoked", tps);
        }
      });
      while (true) {
        for (ConsumerRecord<String, String> r : consumer.poll(Duration.ofMillis(200))) {
          System.out.println("record " + r.partition() + " " + r.offset());
        }
        System.out.flush();
        try {
          consumer.commitSync();
        } catch (RebalanceInProgressException | CommitFailedException e) {
          System.out.println("late");
        }
      }
    } catch (WakeupException e) {
      consumer.close();
      System.out.println("left");
    }
  }

  private static void say(String what, Collection<TopicPartition> tps) {
    System.out.println(what + tps.stream().map(tp -> " " + tp.partition()).sorted().collect(Collectors.joining()));
    System.out.flush();
  }
}
