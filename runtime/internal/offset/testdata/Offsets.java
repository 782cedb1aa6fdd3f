// Writes the files *.offsets beside it, as Java's standalone worker does:
// java Offsets.java

import java.io.FileOutputStream;
import java.io.ObjectOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;

public class Offsets {
    public static void main(String[] args) throws Exception {
        Map<byte[], byte[]> map = new HashMap<>();
        map.put(bytes("[\"lines\",{\"filename\":\"/tmp/in.txt\"}]"), bytes("{\"position\":1234567890123456789}"));
        map.put(bytes("[\"lines\",{\"filename\":\"/tmp/gone.txt\"}]"), null);
        map.put(bytes("[\"mirror\",{\"cluster\":\"a\",\"partition\":0,\"topic\":\"µ<t>\"}]"), bytes("{\"offset\":7}"));
        map.put(bytes("{\"schema\":null,\"payload\":[\"old\",{\"filename\":\"x\"}]}"), bytes("{\"schema\":null,\"payload\":{\"position\":3}}"));
        map.put(bytes("[\"nothing\",null]"), bytes("{\"position\":1.50}"));
        write("java.offsets", map);
        write("empty.offsets", new HashMap<byte[], byte[]>());
        Map<byte[], byte[]> same = new HashMap<>();
        byte[] one = bytes("{}");
        same.put(one, one);
        write("same.offsets", same);
        Map<String, String> strings = new HashMap<>();
        strings.put("a", "b");
        write("strings.offsets", strings);
    }

    static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    static void write(String name, Object object) throws Exception {
        try (ObjectOutputStream out = new ObjectOutputStream(new FileOutputStream(name))) {
            out.writeObject(object);
        }
    }
}
