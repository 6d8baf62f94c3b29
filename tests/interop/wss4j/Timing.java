package wss4j;

import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.util.Arrays;
import javax.security.auth.callback.Callback;
import org.apache.ws.security.WSPasswordCallback;
import org.apache.ws.security.WSSConfig;
import org.apache.ws.security.WSSecurityEngine;
import org.apache.ws.security.components.crypto.Crypto;
import org.apache.ws.security.handler.RequestData;
import org.apache.ws.security.util.WSSecurityUtil;
import org.w3c.dom.Document;

/**
 * How long WSS4J takes to parse and judge an envelope, with all of its own checks and no replay cache: the median of
 * this thread's processor time, in nanoseconds.
 *
 * <p>Fields: those of {@link Opening}; {@code rounds}, as many as are measured, after fifteen times as many that are not;
 * {@code secret}, the password of the user and of the key.
 */
final class Timing {
    private static final int WARMING = 15;

    private Timing() {
    }

    static String run(Request request) throws Exception {
        RequestData settings = settings(request);
        String envelope = request.text("envelope");
        int rounds = Integer.parseInt(request.text("rounds"));
        ThreadMXBean threads = ManagementFactory.getThreadMXBean();
        long[] taken = new long[rounds];
        for (int round = -WARMING * rounds; round < rounds; round++) {
            long before = threads.getCurrentThreadCpuTime();
            judge(envelope, settings);
            if (round >= 0) {
                taken[round] = threads.getCurrentThreadCpuTime() - before;
            }
        }
        Arrays.sort(taken);
        return Long.toString(taken[rounds / 2]);
    }

    private static void judge(String envelope, RequestData settings) throws Exception {
        Document document = Envelope.parsed(envelope);
        new WSSecurityEngine().processSecurityHeader(WSSecurityUtil.getSecurityHeader(document, null), settings);
    }

    private static RequestData settings(Request request) throws Exception {
        Crypto own = Keys.ofSigner(request);
        RequestData settings = new RequestData();
        settings.setWssConfig(WSSConfig.getNewInstance());
        settings.setSigCrypto(Keys.ofVerifier(request));
        settings.setDecCrypto(own);
        settings.setCallbackHandler(callbacks -> {
            for (Callback callback : callbacks) {
                ((WSPasswordCallback) callback).setPassword(request.text("secret"));
            }
        });
        return settings;
    }
}
