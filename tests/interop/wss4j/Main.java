package wss4j;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.Base64;
import java.util.Map;
import org.apache.ws.security.WSSConfig;

/**
 * WSS4J as a process for a whole test session: one request a line in, one answer a line out, until the input ends.
 *
 * <p>A request is form-encoded; its field {@code operation} says what is wanted. An answer is a word and, after a
 * space, text in base64: {@code ok} with the result, {@code refused} with why WSS4J does not take the message, or
 * {@code failed} with the trace of what should not have happened.
 */
public final class Main {
    private static final Map<String, Operation> OPERATIONS = Map.of(
        "sign", Signing::run,
        "verify", Verifying::run,
        "encrypt", Encrypting::run,
        "derive", Deriving::run,
        "open", Opening::run,
        "time", Timing::run
    );

    private Main() {
    }

    public static void main(String[] arguments) throws IOException {
        PrintStream answers = System.out;
        System.setOut(System.err);
        WSSConfig.init();
        BufferedReader requests = new BufferedReader(new InputStreamReader(System.in, UTF_8));
        for (String line = requests.readLine(); line != null; line = requests.readLine()) {
            answers.println(answer(line));
        }
    }

    private static String answer(String line) {
        try {
            Request request = Request.of(line);
            Operation operation = OPERATIONS.get(request.text("operation"));
            return line("ok", operation.run(request));
        } catch (Refused refused) {
            return line("refused", refused.getMessage());
        } catch (Exception failure) {
            StringWriter trace = new StringWriter();
            failure.printStackTrace(new PrintWriter(trace));
            return line("failed", trace.toString());
        }
    }

    private static String line(String word, String text) {
        return word + " " + Base64.getEncoder().encodeToString(text.getBytes(UTF_8));
    }
}
