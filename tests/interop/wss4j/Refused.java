package wss4j;

import javax.xml.namespace.QName;
import org.apache.ws.security.WSSecurityException;

/** WSS4J does not take a message. The text is the local name of the fault code, a colon, and WSS4J's reason. */
final class Refused extends Exception {
    private static final long serialVersionUID = 1;

    Refused(WSSecurityException reason) {
        super(code(reason.getFaultCode()) + ": " + reason.getMessage(), reason);
    }

    Refused(String reason) {
        super(reason);
    }

    private static String code(QName name) {
        return name == null ? "Failure" : name.getLocalPart();
    }
}
