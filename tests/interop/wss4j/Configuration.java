package wss4j;

import java.time.Instant;
import java.util.Date;
import org.apache.ws.security.WSSConfig;
import org.apache.ws.security.WSSecurityEngine;
import org.apache.ws.security.validate.NoOpValidator;

/** How WSS4J is set up for one request. */
final class Configuration {
    private static final int TWENTY_YEARS = 20 * 366 * 24 * 60 * 60;

    private Configuration() {
    }

    /** Field: {@code now}, ISO 8601, the time at which the message is made. */
    static WSSConfig ofSender(Request request) {
        Instant now = Instant.parse(request.text("now"));
        WSSConfig config = WSSConfig.getNewInstance();
        // A new Date each time: WSS4J adds the time to live to the one that it is given.
        config.setCurrentTime(() -> Date.from(now));
        return config;
    }

    /** Field: {@code bsp}, "false" for what the Basic Security Profile forbids. Times and passwords are not judged. */
    static WSSConfig ofReceiver(Request request) {
        WSSConfig config = WSSConfig.getNewInstance();
        config.setWsiBSPCompliant(Boolean.parseBoolean(request.text("bsp", "true")));
        config.setValidator(WSSecurityEngine.TIMESTAMP, new NoOpValidator());
        config.setValidator(WSSecurityEngine.USERNAME_TOKEN, new NoOpValidator());
        config.setUtTTL(TWENTY_YEARS);
        config.setUtFutureTTL(TWENTY_YEARS);
        return config;
    }
}
