package wss4j;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.net.URLDecoder;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The fields of one request; a field may be there several times. */
record Request(Map<String, List<String>> fields) {
    /** The request of one form-encoded line. */
    static Request of(String line) {
        Map<String, List<String>> fields = new LinkedHashMap<>();
        for (String pair : line.split("&")) {
            String[] field = pair.split("=", 2);
            fields.computeIfAbsent(decoded(field[0]), name -> new ArrayList<>()).add(decoded(field[1]));
        }
        return new Request(fields);
    }

    /** The field, which must be there. */
    String text(String name) {
        if (!fields.containsKey(name)) {
            throw new IllegalArgumentException("the request has no field " + name);
        }
        return fields.get(name).get(0);
    }

    /** The field, or {@code otherwise} where it is not there. */
    String text(String name, String otherwise) {
        return fields.containsKey(name) ? text(name) : otherwise;
    }

    /** Whether the field is there. */
    boolean has(String name) {
        return fields.containsKey(name);
    }

    /** All values of the field, in order. */
    List<String> texts(String name) {
        return fields.getOrDefault(name, List.of());
    }

    private static String decoded(String text) {
        return URLDecoder.decode(text, UTF_8);
    }
}
